"""Decide how to build: from a recipe and what is known of the host to mmdebstrap's argument list. Pure.

Called by ``build``. No secret is ever put here: any user can read the arguments of any process.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from dockyard.gallery.contents import Contents
from dockyard.gallery.host_apt import Archive
from dockyard.gallery.recipes import Recipe

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""The public keys of Debian's archive, on Debian and Ubuntu in the package ``debian-archive-keyring``."""

STEP_MARK = "dockyard-step: "
"""What a line of the build's output begins with that names the next step."""

_COMPONENT = "main"
_KEPT_BY_BUILD = "cleanup/apt/cache,download/empty,essential/unlink"
_DOWNLOADS = "/var/cache/apt/archives"


@dataclass(frozen=True)
class BuildFiles:
    """The files a build reads and makes, all within ``folder``, which only the user can enter."""

    folder: Path

    @property
    def early(self) -> Path:
        """Archive of files that must be there before the packages."""
        return self.folder / "early.tar"

    @property
    def files(self) -> Path:
        """Archive of files put over the packages' own."""
        return self.folder / "files.tar"

    @property
    def apt_options(self) -> Path:
        """Options of apt that may be secret."""
        return self.folder / "apt.conf"

    @property
    def log(self) -> Path:
        """Everything the build wrote."""
        return self.folder / "build.log"

    @property
    def downloads(self) -> Path:
        """The packages as the build used them."""
        return self.folder / "downloads"

    @property
    def result(self) -> Path:
        """What becomes the image's folder."""
        return self.folder / "result"

    @property
    def packages(self) -> Path:
        """Names and versions of the installed packages."""
        return self.folder / "packages"

    @property
    def disk(self) -> Path:
        """The file system."""
        return self.result / "disk.raw"

    @property
    def kernel(self) -> Path:
        """The kernel."""
        return self.result / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The initial RAM file system."""
        return self.result / "initrd"


def sources_lines(*, recipe: Recipe, archive: Archive) -> list[str]:
    """Return the archive as lines of a sources.list: the release, its updates and its security updates."""
    return [
        f"deb {archive.main} {recipe.suite} {_COMPONENT}",
        f"deb {archive.main} {recipe.suite}-updates {_COMPONENT}",
        f"deb {archive.security} {recipe.suite}-security {_COMPONENT}",
    ]


def guest_sources(*, recipe: Recipe, archive: Archive) -> bytes:
    """Return the file ``debian.sources`` for the machine's own package manager."""
    told = archive.for_guests
    stanzas = [
        (told.main, f"{recipe.suite} {recipe.suite}-updates"),
        (told.security, f"{recipe.suite}-security"),
    ]
    return "\n".join(
        f"Types: deb\nURIs: {url}\nSuites: {suites}\nComponents: {_COMPONENT}\nSigned-By: {KEYRING}\n"
        for url, suites in stanzas
    ).encode()


def apt_options(proxies: dict[str, str]) -> bytes:
    """Return proxies as apt's options."""
    return "".join(f'Acquire::{scheme}::Proxy "{url}";\n' for scheme, url in sorted(proxies.items())).encode()


def mmdebstrap(
    *, recipe: Recipe, contents: Contents, archive: Archive, files: BuildFiles, cache: Path, as_root: bool
) -> list[str]:
    """Return the command that builds ``recipe`` into ``files``.

    The mode is always ``unshare``: mounts of its own, and a user namespace for everyone but root. Root's are kept from
    the host's in addition, so that a killed build leaves no mount behind.
    """
    own_mounts = ["unshare", "--mount", "--propagation", "private", "--"] if as_root else []
    return [
        *(*own_mounts, "mmdebstrap", "--verbose", "--mode=unshare", "--variant=apt", "--format=null"),
        f"--architectures={recipe.architecture}",
        f"--keyring={KEYRING}",
        f"--include={','.join(recipe.packages)}",
        f"--skip={_KEPT_BY_BUILD}",
        *('--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'),
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.excluded_paths),
        *_hooks(contents=contents, files=files, cache=cache),
        *(recipe.suite, "/dev/null", *sources_lines(recipe=recipe, archive=archive)),
    ]


def _hooks(*, contents: Contents, files: BuildFiles, cache: Path) -> list[str]:
    """Return the hooks in their order.

    Scripts are handed over as text and files through mmdebstrap's own channel: within a user namespace the user's
    folders cannot be entered.
    """
    return [
        f'--setup-hook=mkdir -p "$1{_DOWNLOADS}" "$1/etc/apt/apt.conf.d"',
        f"--setup-hook={_special('sync-in', cache, _DOWNLOADS)}",
        f"--setup-hook={_special('upload', files.apt_options, '/etc/apt/apt.conf.d/00build')}",
        f"--essential-hook={_special('tar-in', files.early, '/')}",
        f"--customize-hook={_special('sync-out', _DOWNLOADS, files.downloads)}",
        *_step("customizing"),
        f"--customize-hook={_special('tar-in', files.files, '/')}",
        f"--customize-hook={contents.finish}",
        '--customize-hook=chroot "$1" dpkg-query --show > "$1/tmp/packages"',
        f"--customize-hook={_special('download', '/tmp/packages', files.packages)}",  # noqa: S108 - in the image
        f"--customize-hook={_special('download', '/vmlinuz', files.kernel)}",
        f"--customize-hook={_special('download', '/initrd.img', files.initrd)}",
        *_step("writing the disk"),
        f"--customize-hook={contents.disk}",
    ]


def _special(name: str, source: Path | str, target: Path | str) -> str:
    return f"{name} {shlex.quote(str(source))} {shlex.quote(str(target))}"


def _step(name: str) -> list[str]:
    return [f"--customize-hook=echo '{STEP_MARK}{name}'; :"]
