"""``image.json`` gives back what was written, and anything else is no image."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dockyard.gallery import documents
from dockyard.gallery.documents import BuiltImage, parse_packages
from dockyard.model.image import Image, ImageReference


def built(folder: Path) -> BuiltImage:
    image = Image(
        alias="small",
        urn=ImageReference("Tests", "small", "1", "1.0.0"),
        id="a" * 64,
        disk=folder / "disk.raw",
        kernel=folder / "vmlinuz",
        initrd=folder / "initrd",
        kernel_command_line="root=/dev/vda quiet",
        size_bytes=1,
        sha256="b" * 64,
        built_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        packages={"one": "1.0"},
    )
    return BuiltImage(image, "c" * 64)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    documents.path(tmp_path).write_bytes(documents.encode(built(tmp_path)))
    assert documents.read(tmp_path) == built(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"alias": "small"}'])
def test_anything_else_is_no_image(tmp_path: Path, content: bytes) -> None:
    documents.path(tmp_path).write_bytes(content)
    assert documents.read(tmp_path) is None


def test_a_folder_without_document_is_no_image(tmp_path: Path) -> None:
    assert documents.read(tmp_path) is None


def test_installed_packages_are_read_without_their_architecture() -> None:
    assert parse_packages("libc6:amd64\t2.41-12\ntini\t0.19\n") == {"libc6": "2.41-12", "tini": "0.19"}
