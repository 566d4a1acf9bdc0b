"""The envelope of ``PUT /status`` at the host plugin: a request for a blob, which the plugin is to make for the guest.

WALinuxAgent 2.12 sends its status report this way. For a block blob the content is the whole report.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from .documents import dump_json, parse_json

DOCUMENT = "status upload"


@dataclass(frozen=True)
class StatusUpload:
    """Where the content is to go, with which headers, and the content itself."""

    request_uri: str
    headers: tuple[tuple[str, str], ...]
    content: bytes


def parse_status_upload(text: str | bytes, *, document: str = DOCUMENT) -> StatusUpload:
    """Read the envelope.

    Raises:
        MalformedDocument: The text is not JSON, a member is missing, or the content is not base64.
    """
    root = parse_json(text, document=document).object()
    headers = (item.object() for item in root.optional_array("headers") or ())
    content = root.value("content")
    encoded = content.string()
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise content.malformed(expected="a base64 text", found="another text") from error
    return StatusUpload(
        request_uri=root.string("requestUri"),
        headers=tuple((item.string("headerName"), item.string("headerValue")) for item in headers),
        content=decoded,
    )


def dump_status_upload(upload: StatusUpload) -> str:
    """The envelope's text, as the agent writes it."""
    headers = [{"headerName": name, "headerValue": value} for name, value in upload.headers]
    content = base64.b64encode(upload.content).decode("ascii")
    return dump_json({"requestUri": upload.request_uri, "headers": headers, "content": content})
