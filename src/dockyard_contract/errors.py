"""The one error of this package: a document that is not what the protocol says it is.

Raised by every codec here, caught by whoever read the document (the guest's runtime, the host's routes). It
names the document, the member and the expectation, and never repeats the value: the member may hold a secret.

    ValueError
     └─ MalformedDocument
"""

from __future__ import annotations


class MalformedDocument(ValueError):
    """A document whose text or one of whose members is not what the protocol says.

    Attributes:
        document: Name of the file or document, for example ``0.settings`` or ``goal state``.
        member: Path of the member, for example ``runtimeSettings[0].handlerSettings.publicSettings``; empty
            when the document as a whole is meant.
        expected: What should be there, as words that read on from "expected".
        found: What is there instead, as a type or a short description. Never the value of a secret.
    """

    def __init__(self, *, document: str, member: str, expected: str, found: str) -> None:
        place = f"{document}: {member}" if member else document
        super().__init__(f"{place}: expected {expected}, found {found}")
        self.document = document
        self.member = member
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the four parts, so that copying and pickling keep them."""
        return _rebuild, (self.document, self.member, self.expected, self.found)


def _rebuild(document: str, member: str, expected: str, found: str) -> MalformedDocument:
    return MalformedDocument(document=document, member=member, expected=expected, found=found)
