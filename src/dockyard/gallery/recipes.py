"""What each VM image is made of. Pure data; read by ``plan``, ``contents`` and ``images``.

A recipe together with the texts in ``customize/`` names what is built: whatever changes there changes the image's
digest, and the image is built anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.model.errors import NotFound
from dockyard.model.image import LATEST, ImageReference

GIB = 2**30
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that determines an image but its mirror and the day.

    Attributes:
        alias: the short name.
        urn: publisher, offer, sku and version.
        suite: the distribution's code name.
        architecture: Debian's name of it.
        packages: what is installed, with what these packages depend on and no more.
        excluded_paths: patterns of files dpkg leaves out.
        kernel_command_line: what the machine's kernel is started with.
        disk_bytes: size of the file system as built; it grows to the machine's disk.
        tree_bytes: roughly what the files take; for the check of disk space.
    """

    alias: str
    urn: ImageReference
    suite: str
    architecture: str
    packages: tuple[str, ...]
    excluded_paths: tuple[str, ...]
    kernel_command_line: str
    disk_bytes: int
    tree_bytes: int


_AGENT = ("waagent", "cloud-init", "udhcpc", "busybox-static", "dmidecode")
_SYSTEM = (
    *("systemd-sysv", "udev", "dbus", "systemd-resolved", "iproute2", "openssh-server", "sudo", "python3", "e2fsprogs"),
    *("linux-image-cloud-amd64", "tiny-initramfs", "ca-certificates"),
)
_ENGINE = ("docker.io", "docker-cli", "docker-compose", "apparmor", "iptables")

_EXCLUDED = (
    *("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/i18n/*"),
    *("/usr/share/lintian/*", "/usr/share/bug/*"),
)

# panic=1: a kernel that dies as it starts, which happens rarely under emulation, starts again. net.ifnames=0: eth0
# and eth1 by PCI address. lsm: Debian's list without bpf, which systemd would spend half a second
# on, and ipe. norandmaps: see customize/files/etc/systemd/system/address-randomization.service. rw and noatime here
# save mounting the root file system a second time.
_COMMAND_LINE = (
    "root=/dev/vda rw rootflags=noatime console=ttyS0 panic=1 net.ifnames=0 "
    "apparmor=1 security=apparmor lsm=landlock,lockdown,yama,integrity,apparmor quiet norandmaps"
)

DEBIAN_13 = Recipe(
    alias="debian-13",
    urn=ImageReference("Debian", "debian-13", "13", "1.0.0"),
    suite="trixie",
    architecture="amd64",
    packages=(*_SYSTEM, *_AGENT),
    excluded_paths=_EXCLUDED,
    kernel_command_line=_COMMAND_LINE,
    disk_bytes=2 * GIB,
    tree_bytes=300 * MIB,
)

DOCKER_DEBIAN_13 = Recipe(
    alias="docker-debian-13",
    urn=ImageReference("Dockyard", "docker-debian-13", "13", "1.0.0"),
    suite="trixie",
    architecture="amd64",
    packages=(*_SYSTEM, *_AGENT, *_ENGINE),
    excluded_paths=_EXCLUDED,
    kernel_command_line=_COMMAND_LINE,
    disk_bytes=2 * GIB,
    tree_bytes=700 * MIB,
)

RECIPES = (DEBIAN_13, DOCKER_DEBIAN_13)


@dataclass(frozen=True)
class Catalogue:
    """The recipes there are."""

    recipes: tuple[Recipe, ...] = RECIPES

    def named(self, name: str) -> Recipe:
        """Return the recipe of an alias or URN; the version ``latest`` is whatever there is.

        Raises:
            InvalidRequest: the name is neither.
            NotFound: there is none (code PlatformImageNotFound).
        """
        if ":" in name:
            return self.of(ImageReference.parse(name))
        for recipe in self.recipes:
            if recipe.alias == name.casefold():
                return recipe
        raise self._unknown(name)

    def of(self, reference: ImageReference) -> Recipe:
        """Return the recipe of a URN; names are compared without regard to case, as Azure does.

        Raises:
            NotFound: there is none (code PlatformImageNotFound).
        """
        for recipe in self.recipes:
            if _folded(reference) == _folded(recipe.urn) and reference.version in (LATEST, recipe.urn.version):
                return recipe
        raise self._unknown(str(reference))

    def _unknown(self, name: str) -> NotFound:
        known = ", ".join(f"{recipe.alias} ({recipe.urn})" for recipe in self.recipes)
        return NotFound(
            f"There is no VM image '{name}'",
            details=f"There are: {known}.",
            resolution="Use one of these names.",
            code="PlatformImageNotFound",
        )


def _folded(reference: ImageReference) -> tuple[str, str, str]:
    return reference.publisher.casefold(), reference.offer.casefold(), reference.sku.casefold()
