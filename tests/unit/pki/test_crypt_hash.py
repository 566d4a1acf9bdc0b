"""Passwords as a guest's shadow file keeps them: the scheme's own vector, and another program's results."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from dockyard.pki.crypt_hash import hash_password, is_password, sha512_crypt


def test_the_schemes_own_vector() -> None:
    expected = "OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
    hashed = sha512_crypt("Hello world!", salt="saltstringsaltst", rounds=10_000)
    assert hashed == f"$6$rounds=10000$saltstringsaltst${expected}"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="compares with openssl")
@pytest.mark.parametrize("password", ["a", "Correct-Horse7", "x" * 72, "pässwörd€ 1"])
def test_openssl_comes_to_the_same(password: str) -> None:
    argv = ["openssl", "passwd", "-6", "-salt", "abcdefghijklmnop", "-stdin"]
    done = subprocess.run(argv, input=password, capture_output=True, text=True, check=True)
    ours = sha512_crypt(password, salt="abcdefghijklmnop", rounds=5000)
    assert ours.replace("rounds=5000$", "") == done.stdout.strip()


def test_a_password_is_recognised_and_no_two_hashes_are_alike() -> None:
    hashed = hash_password("Correct-Horse7", rounds=1000)
    assert is_password("Correct-Horse7", hashed)
    assert not is_password("correct-Horse7", hashed)
    assert hashed != hash_password("Correct-Horse7", rounds=1000)
