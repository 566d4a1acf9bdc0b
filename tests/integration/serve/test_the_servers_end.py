"""The real server, started and ended as commands do it; no machine is made."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dockyard.client import waiting


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_server_that_is_told_to_end_closes_what_it_opened(tmp_path: Path, sent: signal.Signals) -> None:
    process = subprocess.Popen(
        # A test run that was itself begun in the background has Ctrl-C ignored, and programs inherit that.
        ["/usr/bin/env", "--default-signal=INT", sys.executable, "-m", "dockyard.cli", "serve"],
        env={**os.environ, "DOCKYARD_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    record = tmp_path / "state/serve.json"
    waiting.until(lambda: answers(record) or None, what="the server to answer", deadline=60, every=0.05)
    process.send_signal(sent)
    said, complained = process.communicate(timeout=30)
    assert "Dockyard serves https://127.0.0.1:" in said
    assert "Traceback" not in complained
    assert process.returncode == 0
    assert not record.exists()
    assert not (tmp_path / "data/dockyard.db-wal").exists()


def answers(record: Path) -> bool:
    try:
        endpoint = json.loads(record.read_text())["endpoint"]
        urllib.request.urlopen(endpoint, timeout=5, context=ssl._create_unverified_context())  # noqa: S310, S323
    except FileNotFoundError:
        return False
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
