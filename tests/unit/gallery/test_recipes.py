"""A name leads to one recipe, and whatever changes a recipe changes the image's name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.gallery.contents import Contents
from dockyard.gallery.recipes import DOCKER_DEBIAN_13, RECIPES, Catalogue, Recipe
from dockyard.model.errors import InvalidRequest, NotFound
from dockyard.model.image import ImageReference

CATALOGUE = Catalogue()
CONTENTS = Contents(early={"etc/a": b"1"}, files={"etc/b": b"2"}, finish="true", disk="true")


@pytest.mark.parametrize(
    "name",
    [
        "docker-debian-13",
        "Docker-Debian-13",
        "Dockyard:docker-debian-13:13:latest",
        "dockyard:DOCKER-debian-13:13",
        f"Dockyard:docker-debian-13:13:{DOCKER_DEBIAN_13.urn.version}",
    ],
)
def test_alias_and_urn_lead_to_the_recipe(name: str) -> None:
    assert CATALOGUE.named(name) is DOCKER_DEBIAN_13


@pytest.mark.parametrize("name", ["ubuntu", "Dockyard:docker-debian-13:13:0.0.9", "Debian:docker-debian-13:13"])
def test_an_unknown_name_is_told_which_there_are(name: str) -> None:
    with pytest.raises(NotFound) as caught:
        CATALOGUE.named(name)
    assert caught.value.code == "PlatformImageNotFound"
    assert all(recipe.alias in caught.value.details for recipe in RECIPES)


def test_a_malformed_urn_is_invalid() -> None:
    with pytest.raises(InvalidRequest):
        CATALOGUE.named("a:b")


def test_every_recipe_is_found_by_its_own_urn() -> None:
    assert [CATALOGUE.of(recipe.urn) for recipe in RECIPES] == list(RECIPES)


@pytest.mark.parametrize(
    "changed",
    [
        replace(DOCKER_DEBIAN_13, alias="other"),
        replace(DOCKER_DEBIAN_13, urn=ImageReference("Dockyard", "docker-debian-13", "13", "1.0.1")),
        replace(DOCKER_DEBIAN_13, suite="sid"),
        replace(DOCKER_DEBIAN_13, architecture="arm64"),
        replace(DOCKER_DEBIAN_13, packages=(*DOCKER_DEBIAN_13.packages, "vim")),
        replace(DOCKER_DEBIAN_13, excluded_paths=()),
        replace(DOCKER_DEBIAN_13, kernel_command_line="quiet"),
        replace(DOCKER_DEBIAN_13, disk_bytes=2**33),
    ],
)
def test_a_changed_recipe_has_another_digest(changed: Recipe) -> None:
    assert CONTENTS.digest(changed) != CONTENTS.digest(DOCKER_DEBIAN_13)


@pytest.mark.parametrize(
    "changed",
    [
        replace(CONTENTS, early={"etc/a": b"x"}),
        replace(CONTENTS, files={"etc/x": b"2"}),
        replace(CONTENTS, finish="false"),
        replace(CONTENTS, disk="false"),
    ],
)
def test_changed_files_and_scripts_change_the_digest(changed: Contents) -> None:
    assert changed.digest(DOCKER_DEBIAN_13) != CONTENTS.digest(DOCKER_DEBIAN_13)


def test_the_digest_is_the_same_each_time() -> None:
    assert Contents.read().digest(DOCKER_DEBIAN_13) == Contents.read().digest(DOCKER_DEBIAN_13)


def test_the_engine_image_is_the_plain_one_and_more() -> None:
    plain, engine = RECIPES
    assert set(engine.packages) - set(plain.packages) == {
        "docker.io",
        "docker-cli",
        "docker-compose",
        "apparmor",
        "iptables",
    }
    assert set(plain.packages) < set(engine.packages)
