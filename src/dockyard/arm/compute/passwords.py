"""Azure's rules for the password of a Linux machine's first user, in its words. Pure.

Source: the description of ``osProfile.adminPassword`` in the REST reference of virtual machines.
"""

from __future__ import annotations

import re

from dockyard.model.errors import InvalidRequest

SHORTEST, LONGEST = 6, 72

_KINDS = (re.compile(r"[A-Z]"), re.compile(r"[a-z]"), re.compile(r"\d"), re.compile(r"[\W_]"))
_KINDS_NEEDED = 3
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_COMMON = frozenset(
    (
        *("abc@123", "P@$$w0rd", "P@ssw0rd", "P@ssword123", "Pa$$word", "pass@word1"),
        *("Password!", "Password1", "Password22", "iloveyou!"),
    )
)


def check_password(password: str) -> str:
    """Return a password that Azure would take. Raises InvalidRequest, which does not show it."""
    kinds = sum(1 for kind in _KINDS if kind.search(password))
    if not SHORTEST <= len(password) <= LONGEST or kinds < _KINDS_NEEDED or _CONTROL.search(password):
        raise InvalidRequest(
            f"The supplied password must be between {SHORTEST}-{LONGEST} characters long and must satisfy at least"
            f" {_KINDS_NEEDED} of password complexity requirements from the following:\n"
            "1) Contains an uppercase character\n2) Contains a lowercase character\n3) Contains a numeric digit\n"
            "4) Contains a special character\n5) Control characters are not allowed",
            code="InvalidParameter",
        )
    if password in _COMMON:
        raise InvalidRequest(
            "The value of parameter 'adminPassword' is not allowed: it is one of those that are tried first",
            resolution="Choose another password.",
        )
    return password
