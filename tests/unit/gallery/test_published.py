"""Published packages: kept whole or not at all, found again after a restart, and none of the bad archives gets in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.gallery.packages import PackageGallery
from dockyard.gallery.published import PublishedPackages
from dockyard.model.errors import Conflict, InvalidRequest, NotFound
from dockyard.model.extension import ExtensionPackage
from dockyard.model.package_name import PackageName
from dockyard_contract import zip_archive
from dockyard_contract.errors import MalformedDocument
from tests.support.raw_zip import Raw, bad_archives, handler_files, package, written

BAD = bad_archives()


def named(version: str = "1.0.0", *, publisher: str = "Contoso", type: str = "Agent") -> PackageName:
    return PackageName.checked(publisher=publisher, type=type, version=version)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 4096):
        yield content[at : at + 4096]


@pytest.fixture
def gallery(tmp_path: Path) -> PackageGallery:
    return opened(tmp_path)


def opened(folder: Path) -> PackageGallery:
    own = ExtensionPackage("Contoso.Own", "Agent", "2.0.0", Path("/nowhere.zip"), "own")
    return PackageGallery([own], published=PublishedPackages(folder / "published"))


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


async def add(
    gallery: PackageGallery, name: PackageName | None = None, content: bytes | None = None
) -> tuple[ExtensionPackage, bool]:
    return await gallery.add(name=name or named(), content=pieces(package() if content is None else content))


async def test_a_published_package_is_there_after_a_restart(gallery: PackageGallery, tmp_path: Path) -> None:
    made, is_new = await add(gallery)
    assert is_new
    found = opened(tmp_path).get(handler_name="contoso.agent", version="1.0.0")
    assert found == made
    assert found.archive.read_bytes() == package()
    assert found.archive.stat().st_mode & 0o777 == 0o600


async def test_the_same_bytes_again_change_nothing(gallery: PackageGallery, tmp_path: Path) -> None:
    made, _ = await add(gallery)
    before = everything(tmp_path)
    assert await add(gallery) == (made, False)
    assert await add(gallery, named("1.0")) == (made, False)
    assert everything(tmp_path) == before


async def test_other_bytes_under_the_same_version_are_refused(gallery: PackageGallery, tmp_path: Path) -> None:
    made, _ = await add(gallery)
    before = everything(tmp_path)
    for version in ("1.0.0", "1.0", "1.0.0.0"):
        with pytest.raises(Conflict, match="with other content"):
            await add(gallery, named(version), package(Raw(b"lib/more", b"x")))
    assert everything(tmp_path) == before
    assert made.archive.read_bytes() == package()


async def test_a_name_parted_in_another_way_is_refused(gallery: PackageGallery) -> None:
    await add(gallery, named(publisher="Contoso.Linux", type="Agent"))
    with pytest.raises(Conflict, match=r"as type Agent of Contoso\.Linux"):
        await add(gallery, named("1.1", publisher="Contoso", type="Linux.Agent"))


async def test_a_later_version_is_spelled_as_the_first(gallery: PackageGallery) -> None:
    await add(gallery)
    made, _ = await add(gallery, named("1.1", publisher="CONTOSO", type="agent"))
    assert made.handler_name == "Contoso.Agent"


async def test_a_package_taken_back_is_gone_at_once(gallery: PackageGallery, tmp_path: Path) -> None:
    made, _ = await add(gallery)
    gallery.remove(package=made)
    with pytest.raises(NotFound):
        gallery.get(handler_name="Contoso.Agent", version="1.0.0")
    assert everything(tmp_path) == {tmp_path / "published"}
    with pytest.raises(Conflict, match="a part of Dockyard"):
        gallery.remove(package=gallery.list()[0])


async def test_what_was_cut_off_is_swept_away(gallery: PackageGallery, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield package()[:100]
        raise InvalidRequest("The package did not arrive whole")

    with pytest.raises(InvalidRequest):
        await gallery.add(name=named(), content=broken())
    assert everything(tmp_path) == {tmp_path / "published"}
    left = tmp_path / "published/.incoming-killed"
    left.mkdir()
    (left / "package.zip").write_bytes(b"half")
    opened(tmp_path)
    assert everything(tmp_path) == {tmp_path / "published"}


async def test_a_damaged_record_hides_one_package_alone(gallery: PackageGallery, tmp_path: Path) -> None:
    made, _ = await add(gallery)
    await add(gallery, named("1.1"))
    made.archive.with_name("record.json").write_text("{")
    again = opened(tmp_path)
    assert [each.version for each in again.list()] == ["2.0.0", "1.1"]
    assert await add(again) != (made, False)
    assert opened(tmp_path).get(handler_name="Contoso.Agent", version="1.0.0").archive.read_bytes() == package()


@pytest.mark.parametrize("what", BAD)
async def test_no_bad_archive_gets_in(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    gallery = opened(folder)
    before = everything(tmp_path)
    with pytest.raises(MalformedDocument):
        await add(gallery, content=BAD[what])
    assert everything(tmp_path) == before
    assert not Path("/tmp/canary").exists()
    assert len(gallery.list()) == 1


def test_there_are_many_bad_archives() -> None:
    assert len(BAD) >= 70


async def test_too_many_bytes_are_refused_before_they_have_all_come(gallery: PackageGallery, tmp_path: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        chunk = bytes(8 * 1024 * 1024)
        while True:
            taken += len(chunk)
            yield chunk

    with pytest.raises(InvalidRequest, match="larger than 256 MiB"):
        await gallery.add(name=named(), content=endless())
    assert taken < 300 * 1024 * 1024
    assert everything(tmp_path) == {tmp_path / "published"}


class _Unseekable(io.RawIOBase):
    def __init__(self, target: io.BytesIO) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._target.write(bytes(data))  # type: ignore[call-overload]


def sound() -> dict[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(_Unseekable(buffer), "w", zipfile.ZIP_DEFLATED) as archive:  # sizes come after the data
        for each in handler_files():
            archive.writestr(each.name.decode(), each.content)
    manifest, *others = handler_files()
    return {
        "deflated": package(),
        "stored": package(Raw(b"data", b"x" * 5000, method=0)),
        "with folders": package(Raw(b"lib/", attributes=0o040755 << 16), Raw(b"lib/x", b"x")),
        "without modes": package(Raw(b"lib/x", b"x", attributes=0)),
        "with a comment, as git archive writes one": written(handler_files(), comment=b"0" * 40),
        "a manifest in a folder": written([replace(manifest, name=b"deep/er/HandlerManifest.json"), *others]),
        "much that compresses well": package(Raw(b"lib/text", b"".join(b"%d\n" % n for n in range(400_000)))),
        "written in one go": buffer.getvalue(),
    }


SOUND = sound()


@pytest.mark.parametrize("what", SOUND)
async def test_sound_archives_get_in(what: str, gallery: PackageGallery) -> None:
    made, _ = await add(gallery, content=SOUND[what])
    assert made.size_bytes == len(SOUND[what])


def test_all_that_is_unpacked_counts() -> None:
    content = package(Raw(b"lib/one", b"x" * 600, method=0), Raw(b"lib/two", b"x" * 600, method=0))
    limits = zip_archive.ArchiveLimits(total_bytes=1000)
    with pytest.raises(MalformedDocument, match="MiB unpacked"):
        zip_archive.open_archive(io.BytesIO(content), limits=limits)
