"""Signed repositories in a folder, with tiny packages that bear the engine's names: for real package managers.

Packages are made by dpkg-deb and rpmbuild, indexes by apt-ftparchive and createrepo_c, the key and signatures by gpg.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

DEB_VERSIONS = ("5:27.5.1-1~debian.13~trixie", "5:28.1.1-1~debian.13~trixie", "5:28.2.0-1~debian.13~trixie")
RPM_VERSIONS = ("27.5.1", "28.1.1", "28.2.0")
DAEMON = "#!/bin/sh\nexit 0\n"


def run(*argv: str, cwd: Path | None = None, home: Path | None = None) -> str:
    environment = {**os.environ, **({} if home is None else {"GNUPGHOME": str(home), "HOME": str(home)})}
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{argv}: {done.stdout}\n{done.stderr}"
    return done.stdout


def make_key(home: Path) -> str:
    """A key for signing in a folder of its own. Answers the armoured public key."""
    home.mkdir(mode=0o700)
    name = "Test packages <test@example.org>"
    run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", name, "rsa3072", "sign", "never", home=home)
    return run("gpg", "--armor", "--export", home=home)


def make_apt_repository(folder: Path, *, key_home: Path) -> None:
    """Docker's layout for Debian 13 in `folder`: three versions of the engine, signed."""
    base = folder / "linux/debian"
    pool = base / "pool"
    pool.mkdir(parents=True)
    for version in DEB_VERSIONS:
        depends = f"containerd.io, docker-ce-cli (= {version})"
        _deb(pool, "docker-ce", version, f"Depends: {depends}\nConflicts: docker.io\n", program="usr/bin/dockerd")
        _deb(pool, "docker-ce-cli", version, "")
    _deb(pool, "containerd.io", "1.7.27-1", "Conflicts: containerd\n")
    _deb(pool, "docker.io", "26.1.5+dfsg1-9", "Depends: containerd\n", program="usr/sbin/dockerd")
    _deb(pool, "containerd", "1.7.24~ds1-6", "")
    for name in ("apparmor", "podman-like"):
        _deb(pool, name, "1.0", "Depends: docker.io\n" if name == "podman-like" else "")
    index = base / "dists/trixie/stable/binary-amd64"
    index.mkdir(parents=True)
    (index / "Packages").write_text(run("apt-ftparchive", "packages", "pool", cwd=base))
    options = [f"-oAPT::FTPArchive::Release::{name}" for name in ("Suite=trixie", "Components=stable")]
    options += ["-oAPT::FTPArchive::Release::Codename=trixie", "-oAPT::FTPArchive::Release::Architectures=amd64"]
    release = base / "dists/trixie/Release"
    release.write_text(run("apt-ftparchive", *options, "release", "dists/trixie", cwd=base))
    signed = str(release.with_name("InRelease"))
    run("gpg", "--batch", "--quiet", "--yes", "--clearsign", "-o", signed, str(release), home=key_home)


def make_rpm_repository(folder: Path, *, key_home: Path) -> None:
    """Docker's layout for Fedora 42 in `folder`: three versions of the engine, each package signed, and the index."""
    base = folder / "linux/fedora/42/x86_64/stable"
    base.mkdir(parents=True)
    for version in RPM_VERSIONS:
        _rpm(base, "docker-ce", version, epoch=3, more=f"Requires: docker-ce-cli = 1:{version}, containerd.io\n")
        _rpm(base, "docker-ce-cli", version, epoch=1)
    _rpm(base, "containerd.io", "1.7.27", epoch=0)
    _rpm(base, "needs-containerd", "1.0", epoch=0, more="Requires: containerd.io\n")
    macros = [
        "--define",
        "__gpg /usr/bin/gpg",
        "--define",
        f"_gpg_path {key_home}",
        "--define",
        "_gpg_name test@example.org",
    ]
    run("rpmsign", *macros, "--addsign", *(str(path) for path in base.glob("*.rpm")), home=key_home)
    run("createrepo_c", "--quiet", str(base))
    run("gpg", "--batch", "--armor", "--detach-sign", str(base / "repodata/repomd.xml"), home=key_home)


def _deb(pool: Path, name: str, version: str, more: str, *, program: str = "") -> None:
    tree = pool / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    head = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: Test <test@example.org>\n"
    (tree / "DEBIAN/control").write_text(f"{head}{more}Description: a tiny package\n")
    if program:
        (tree / program).parent.mkdir(parents=True)
        (tree / program).write_text(DAEMON)
        (tree / program).chmod(0o755)
    file = f"{name}_{version.rpartition(':')[2]}_amd64.deb"
    run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(pool / file))
    run("rm", "-r", str(tree))


def _rpm(folder: Path, name: str, version: str, *, epoch: int, more: str = "") -> None:
    work = folder.parent / "work"
    work.mkdir(exist_ok=True)
    (work / "spec").write_text(
        f"Name: {name}\nVersion: {version}\nRelease: 1\nEpoch: {epoch}\nSummary: tiny\nLicense: none\n"
        f"{more}%description\ntiny\n%files\n"
    )
    target = ["--target", "x86_64-linux", "--define", f"_topdir {work}", "--define", f"_rpmdir {folder}"]
    run("rpmbuild", "-bb", *target, "--define", "_rpmfilename %{NAME}-%{VERSION}.rpm", str(work / "spec"))
