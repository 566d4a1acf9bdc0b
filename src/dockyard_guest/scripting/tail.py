"""The end of a growing output, and how much there was before it: enough to follow it by looking now and then.

Read from the file the output goes to, which keeps the whole. Counted in characters, so that whoever has the text can go
on where the last look ended, whatever bytes the program wrote.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard_guest.ports import Files

TAIL_LIMIT = 4096
"""Bytes of the end that a status shows, as Azure has it."""

_PIECE = 1024 * 1024


class Tail:
    """The end of one file that grows. What is no UTF-8 is shown as the replacement character."""

    def __init__(self, path: str, *, files: Files) -> None:
        self._path = path
        self._files = files
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._read = 0
        self.text = ""
        self.offset = 0
        """Characters before `text`."""

    def look(self) -> bool:
        """Take in what is new. Answers whether there was anything."""
        before = self._read
        while piece := self._files.read_part(self._path, start=self._read, limit=_PIECE):
            self._read += len(piece)
            self._take(self._decoder.decode(piece))
        return self._read > before

    def end(self) -> None:
        """Take in the rest: nothing more will be written."""
        self.look()
        self._take(self._decoder.decode(b"", final=True))

    def _take(self, text: str) -> None:
        whole = self.text + text
        kept = end_of(whole, limit=TAIL_LIMIT)
        self.offset += len(whole) - len(kept)
        self.text = kept


def end_of(text: str, *, limit: int) -> str:
    """As much of the text's end as fits into `limit` bytes of UTF-8."""
    return text.encode()[-limit:].decode(errors="ignore")


class Output:
    """Both outputs of a script."""

    def __init__(self, *, stdout: str, stderr: str, files: Files) -> None:
        self.stdout = Tail(stdout, files=files)
        self.stderr = Tail(stderr, files=files)

    def look(self) -> bool:
        """Take in what is new in either."""
        news = (self.stdout.look(), self.stderr.look())
        return any(news)

    def end(self) -> None:
        """Take in the rest of both."""
        self.stdout.end()
        self.stderr.end()
