"""A diagnosis is without secrets: those of known values, those of known forms, whole, cut and escaped."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import secrets
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dockyard.client.diagnosing import archive, collecting, scrubbing
from dockyard.client.diagnosing.archive import Lacking, Part
from dockyard.client.diagnosing.guest import unpacked
from dockyard.client.diagnosing.scrubbing import Scrubber

SECRET = "hunter2-hunter2"
PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    .decode()
)
LINES = PEM.splitlines()
NOW = datetime(2030, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"adminPassword": "{SECRET}"}}',
        f'{{"storageAccountKey" : "x", "clientSecret": "{SECRET}"}}',
        json.dumps({"inner": json.dumps({"password": SECRET})}),
        f"&quot;protectedSettings&quot;:&quot;{SECRET}&quot;",
        f"{{'password': '{SECRET}'}}",
        json.dumps({"auths": {"registry": {"auth": SECRET}}}),
        json.dumps({"password": f'a"b{SECRET}'}),
        f"retrying with --password={SECRET} now",
        f"Authorization: Bearer {SECRET}",
        f"GET https://account.blob/container?sv=1&sig={SECRET}&se=2",
        f"cloning https://me:{SECRET}@example.org/x.git",
        f"token eyJhbGciOiJIUzI1NiJ9.{SECRET}.abc",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    scrubber = Scrubber([])
    cleaned, removed = scrubber.scrub(text)
    assert SECRET not in cleaned
    assert removed > 0
    assert scrubber.is_clean(cleaned)


@pytest.mark.parametrize(
    "text",
    [
        f"before\n{PEM}after\n",
        json.dumps({"key": PEM}),
        "before\n" + "\n".join(LINES[:9]) + "\nafter\n",
        "\n".join(LINES[7:]) + "\nafter\n",
        json.dumps({"a": "\n".join(LINES[7:])}),
    ],
    ids=["whole", "escaped", "without its end", "without its beginning", "escaped, without its beginning"],
)
def test_no_part_of_a_private_key_stays(text: str) -> None:
    cleaned, removed = Scrubber([]).scrub(text)
    assert not any(line in cleaned for line in LINES)
    assert removed > 0
    assert "after" in cleaned or "after" not in text


def test_known_secrets_are_found_in_other_spellings() -> None:
    secret = 'pass"word-of-mine'
    text = f"{secret} {json.dumps(secret)} {base64.b64encode(secret.encode()).decode()}"
    cleaned, removed = Scrubber([secret]).scrub(text)
    assert removed == 3
    assert "word-of-mine" not in cleaned
    assert Scrubber(scrubbing.of_key_file(PEM)).scrub(f"log: {LINES[3]}")[0] == "log: (removed)"


def test_what_is_no_secret_stays() -> None:
    text = json.dumps(
        {
            "disablePasswordAuthentication": True,
            "password": "",
            "protectedSettingsCertThumbprint": "AB12",
            "sshKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
            "message": "The password is missing: give --password",
        }
    )
    assert Scrubber(["the-client-secret"]).scrub(text) == (text, 0)


def test_scrubbing_of_a_large_log_is_quick() -> None:
    text = "A" * 400_000 + "\n" + "2030-01-02 INFO ExtHandler all is well\n" * 50_000
    assert Scrubber([f"some-secret-{number}" for number in range(100)]).is_clean(text)


def guest_root(folder: Path) -> Path:
    """What lies in a machine, with a secret wherever a careless handler might have left one."""
    handler = folder / "var/lib/waagent/Contoso.Greeter-1.0.0"
    settings = {"handlerSettings": {"publicSettings": {"greeting": "hello"}, "protectedSettings": "MIIciphertext"}}
    planted = {
        handler / "HandlerManifest.json": "[]",
        handler / "config/0.settings": json.dumps({"runtimeSettings": [settings]}),
        handler / "config/1.settings": "",
        handler / "config/2.settings": "not JSON",
        handler / "config/HandlerState": "Enabled",
        handler / "status/0.status": json.dumps([{"status": {"status": "success"}}]),
        folder / "var/lib/waagent/ABCDEF.prv": PEM,
        folder / "var/log/waagent.log": "begin\n"
        + "".join(f"{secrets.token_hex(4)}\n" for _ in range(5000))
        + f"Contoso: password={SECRET}\n",
        folder / "var/log/azure/Contoso.Greeter/handler.log": f"read the key\n{PEM}",
        folder / "var/log/azure/Contoso.Greeter/events/1.json": "{}",
    }
    for path, text in planted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def collect(root: Path, *, budget: int) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert collecting.main([str(budget), str(root)]) == 0
    return printed.getvalue()


def test_the_machine_gives_logs_and_documents_and_keeps_protected_settings(tmp_path: Path) -> None:
    found = unpacked(collect(guest_root(tmp_path), budget=0))
    folder = "handlers/Contoso.Greeter-1.0.0"
    assert set(found) == {
        *(f"{folder}/{name}" for name in ("HandlerManifest.json", "config/HandlerState", "status/0.status")),
        *(f"{folder}/config/{number}.settings" for number in range(3)),
        "logs/Contoso.Greeter/handler.log",
        "waagent.log",
    }
    assert "MIIciphertext" not in str(found)
    assert '"greeting": "hello"' in found[f"{folder}/config/0.settings"]
    assert found["waagent.log"].startswith("begin\n")


def test_within_a_budget_the_ends_of_files_are_left(tmp_path: Path) -> None:
    line = collect(guest_root(tmp_path), budget=4000)
    assert len(line) <= 4000
    found = unpacked(line)
    assert "bytes are left out" in found["waagent.log"]
    assert found["waagent.log"].endswith(f"password={SECRET}\n")
    assert set(unpacked(collect(tmp_path, budget=200))) == {"handlers/Contoso.Greeter-1.0.0/status/0.status"}


def test_the_archive_has_an_index_of_what_is_there_and_what_lacks(tmp_path: Path) -> None:
    path = tmp_path / "web.tar.gz"
    parts = [Part("guest/waagent.log", "the machine, over SSH", f"password={SECRET}\n"), Part("a.json", "ARM", "{}")]
    lacking = [Lacking("server/", "It is silent.")]
    archive.write(path, parts, lacking, scrubber=Scrubber([]), title="web", at=NOW)
    with tarfile.open(path) as opened:
        texts = {entry.name: opened.extractfile(entry).read().decode() for entry in opened}  # type: ignore[union-attr]
    assert set(texts) == {"web/a.json", "web/guest/waagent.log", "web/manifest.json"}
    index = json.loads(texts["web/manifest.json"])
    assert [(each["name"], each["removed"]) for each in index["files"]] == [("a.json", 0), ("guest/waagent.log", 1)]
    assert index["missing"] == [{"name": "server/", "reason": "It is silent."}]
    assert SECRET not in str(texts)
    assert path.stat().st_mode & 0o777 == 0o600
