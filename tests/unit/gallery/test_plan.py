"""From a recipe and facts of the host to mmdebstrap's arguments: nothing secret in them, nothing that needs root."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.gallery import plan
from dockyard.gallery.contents import Contents
from dockyard.gallery.host_apt import Archive
from dockyard.gallery.plan import BuildFiles
from dockyard.gallery.recipes import DOCKER_DEBIAN_13, RECIPES, Recipe

CONTENTS = Contents.read()
MIRROR = Archive.at("http://mirror.example/debian")


def arguments(recipe: Recipe = DOCKER_DEBIAN_13, *, folder: str = "/place", as_root: bool = False) -> list[str]:
    return plan.mmdebstrap(
        recipe=recipe,
        contents=CONTENTS,
        archive=MIRROR,
        files=BuildFiles(Path(folder)),
        cache=Path("/cache"),
        as_root=as_root,
    )


def hooks(kind: str, found: list[str]) -> list[str]:
    return [argument.partition("=")[2] for argument in found if argument.startswith(f"--{kind}-hook=")]


def test_a_plain_user_needs_nothing_but_mmdebstrap() -> None:
    assert arguments()[0] == "mmdebstrap"
    assert "--mode=unshare" in arguments()


def test_roots_mounts_stay_in_a_namespace_of_their_own() -> None:
    found = arguments(as_root=True)
    assert found[:5] == ["unshare", "--mount", "--propagation", "private", "--"]
    assert found[5:] == arguments()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.alias)
def test_packages_are_signed_and_from_the_named_mirror(recipe: Recipe) -> None:
    found = arguments(recipe)
    assert f"--keyring={plan.KEYRING}" in found
    assert found[-4:] == [
        "/dev/null",
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
        "deb http://mirror.example/debian-security trixie-security main",
    ]
    assert not [argument for argument in found if "trusted=yes" in argument or "Insecure" in argument]


def test_just_the_recipes_packages_are_asked_for() -> None:
    found = arguments()
    assert f"--include={','.join(DOCKER_DEBIAN_13.packages)}" in found
    assert '--aptopt=APT::Install-Recommends "false"' in found
    assert "--dpkgopt=path-exclude=/usr/share/man/*" in found


def test_the_disk_is_written_last() -> None:
    assert hooks("customize", arguments())[-1] == CONTENTS.disk


def test_downloads_are_saved_before_anything_is_cleared() -> None:
    found = hooks("customize", arguments())
    assert found.index("sync-out /var/cache/apt/archives /place/downloads") < found.index(CONTENTS.finish)


def test_paths_with_spaces_are_quoted_for_mmdebstrap() -> None:
    found = arguments(folder="/my work")
    assert "tar-in '/my work/early.tar' /" in hooks("essential", found)


def test_a_proxys_password_is_not_among_the_arguments() -> None:
    assert b'Acquire::http::Proxy "http://me:secret@proxy:3142";' in plan.apt_options(
        {"http": "http://me:secret@proxy:3142"}
    )
    assert not [argument for argument in arguments() if "Acquire::http" in argument]
    assert "upload /place/apt.conf /etc/apt/apt.conf.d/00build" in hooks("setup", arguments())


def test_machines_get_the_archive_with_its_keys() -> None:
    text = plan.guest_sources(recipe=DOCKER_DEBIAN_13, archive=MIRROR).decode()
    assert text.count("Types: deb\n") == text.count(f"Signed-By: {plan.KEYRING}\n") == 2
    assert "URIs: http://mirror.example/debian\nSuites: trixie trixie-updates\n" in text
    assert "URIs: http://mirror.example/debian-security\nSuites: trixie-security\n" in text
