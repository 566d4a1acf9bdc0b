"""Certificates made with the openssl program alone, for tests that also run on interpreters without `cryptography`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    """Run openssl and answer its output."""
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


def make_authority(folder: Path, name: str = "ca", *, days: int = 30) -> Pair:
    """A certificate authority."""
    pair = Pair(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")
    subject = ("-subj", f"/CN={name}", "-days", str(days))
    openssl("req", "-x509", *_EC, "-keyout", str(pair.key), "-out", str(pair.certificate), *subject)
    return pair


def make_leaf(
    folder: Path,
    name: str,
    *,
    authority: Pair,
    use: str = "",
    days: int = 20,
    authorised: bool = False,
    alternatives: str = "DNS:localhost,IP:127.0.0.1",
) -> Pair:
    """A certificate by an authority, for `use` (``serverAuth``, ``clientAuth``) or without any restriction.

    An `authorised` one may issue certificates itself; `alternatives` is its subject alternative name, if any.
    """
    pair = Pair(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")
    request = folder / f"{name}.csr"
    extensions = folder / f"{name}.ext"
    lines = [f"subjectAltName={alternatives}"] if alternatives else []
    lines += [f"extendedKeyUsage={use}"] if use else []
    lines += ["basicConstraints=critical,CA:TRUE"] if authorised else []
    extensions.write_text("\n".join(lines) + "\n")
    openssl("req", *_EC, "-keyout", str(pair.key), "-out", str(request), "-subj", f"/CN={name}")
    signer = ("-CA", str(authority.certificate), "-CAkey", str(authority.key), "-CAcreateserial")
    target = ("-out", str(pair.certificate), "-days", str(days), "-extfile", str(extensions))
    openssl("x509", "-req", "-in", str(request), *signer, *target)
    return pair


def seal(plaintext: bytes, *, recipient: Path) -> bytes:
    """A DER CMS envelope for a recipient, as the platform makes it."""
    return openssl("cms", "-encrypt", "-aes-256-cbc", "-binary", "-outform", "DER", str(recipient), stdin=plaintext)
