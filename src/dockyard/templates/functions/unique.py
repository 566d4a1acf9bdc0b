"""``uniqueString``: the 64-bit hash Azure uses (a MurmurHash of two 32-bit lanes), in base 32. Pure.

The numbers are Azure's, so a storage account named by ``uniqueString(resourceGroup().id)`` keeps its name here.
"""

from __future__ import annotations

_MASK = 0xFFFFFFFF
_FIRST, _SECOND = 0x239B961B, 0xAB0E9789
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LENGTH = 13


def unique_string(text: str) -> str:
    """Return thirteen characters of ``a-z2-7``, always the same for the same text."""
    number = murmur_hash_64(text.encode())
    return "".join(_ALPHABET[(number << 5 * place >> 59) & 31] for place in range(_LENGTH))


def murmur_hash_64(data: bytes) -> int:
    """Return the hash as a number of 64 bits."""
    one, two = 0, 0
    whole = len(data) - len(data) % 8
    for start in range(0, whole, 8):
        one ^= _mixed_first(data[start : start + 4])
        one = (_rotated(one, 19) + two) * 5 + 0x561CCD1B & _MASK
        two ^= _mixed_second(data[start + 4 : start + 8])
        two = (_rotated(two, 13) + one) * 5 + 0x0BCAA747 & _MASK
    one ^= _mixed_first(data[whole : whole + 4])
    two ^= _mixed_second(data[whole + 4 :])
    two ^= len(data)
    one = ((one ^ len(data)) + two) & _MASK
    two = (two + one) & _MASK
    one, two = _scattered(one), _scattered(two)
    one = (one + two) & _MASK
    return ((two + one) & _MASK) << 32 | one


def _mixed_first(four: bytes) -> int:
    return _rotated(int.from_bytes(four, "little") * _FIRST, 15) * _SECOND & _MASK


def _mixed_second(four: bytes) -> int:
    return _rotated(int.from_bytes(four, "little") * _SECOND, 17) * _FIRST & _MASK


def _rotated(number: int, bits: int) -> int:
    number &= _MASK
    return (number << bits | number >> 32 - bits) & _MASK


def _scattered(number: int) -> int:
    number = (number ^ number >> 16) * 0x85EBCA6B & _MASK
    number = (number ^ number >> 13) * 0xC2B2AE35 & _MASK
    return number ^ number >> 16
