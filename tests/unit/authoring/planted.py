"""Small handlers in shell with one fault each, or none, as packages."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping

from dockyard.authoring.package import Package

HANDLER = "Contoso.Planted"
FINAL = "say success fine"
COMMANDS = {f"{verb}Command": f"bin/run {verb}" for verb in ("install", "enable", "disable", "update", "uninstall")}
_PROGRAM = """#!/bin/sh
n=$ConfigSequenceNumber
protected() {{
    sed -n 's/.*"protectedSettings": "\\([^"]*\\)".*/\\1/p' config/$n.settings | base64 -d |
        openssl cms -decrypt -inform DER -recip ../*.crt -inkey ../*.prv
}}
secret() {{ protected | tr -d '"{{}} ' | cut -d: -f2; }}
document() {{
    printf '[{{"version": 1, "timestampUTC": "2026-11-02T09:00:00Z", "status": {{"operation": "x", "status": "%s",' "$1"
    printf ' "formattedMessage": {{"lang": "en", "message": "%s"}}}}}}]' "$2"
}}
say() {{ document "$@" > status/.new; mv status/.new status/$n.status; }}
echo $n > mrseq
case $1 in
install) {install} ;;
enable) {enable} ;;
disable) {disable} ;;
update) {update} ;;
uninstall) {uninstall} ;;
esac
"""


def handler(
    *,
    name: str = HANDLER,
    manifest: Mapping[str, object] | None = None,
    commands: Mapping[str, str | None] | None = None,
    **verbs: str,
) -> Package:
    """A package whose commands are given as shell text; those that are not given do nothing well.

    `manifest` adds members to the manifest; `commands` replaces texts in it, None takes a command away.
    """
    replaced = {**COMMANDS, **(commands or {})}
    members = {key: text for key, text in replaced.items() if text is not None}
    return _packaged(verbs, {**members, **(manifest or {})}, name=name)


def faulty(verbs: Mapping[str, str]) -> Package:
    """The same, of a plain manifest."""
    return _packaged(verbs, COMMANDS, name=HANDLER)


def _packaged(verbs: Mapping[str, str], members: Mapping[str, object], *, name: str) -> Package:
    words = {"install": ":", "enable": FINAL, "disable": ":", "update": ":", "uninstall": ":", **verbs}
    document = [{"version": 1.0, "handlerManifest": {"updateMode": "UpdateWithInstall", **members}}]
    return zipped({"HandlerManifest.json": json.dumps(document), "bin/run": _PROGRAM.format(**words)}, name=name)


def zipped(files: Mapping[str, str], *, name: str = HANDLER) -> Package:
    """A package of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return Package(handler=name, version="1.0.0", archive=buffer.getvalue())
