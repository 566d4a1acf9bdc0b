"""Turn what a build writes into a short line on how far it is. Pure; fed by ``build``."""

from __future__ import annotations

import re

from dockyard.gallery.plan import STEP_MARK

_STEPS = (
    ("I: running apt-get update", "reading the package lists", 2),
    ("I: downloading packages with apt", "downloading packages", 6),
    ("I: extracting archives", "unpacking the base system", 12),
    ("I: installing essential packages", "installing the base system", 16),
    ("I: installing remaining packages", "installing packages", 22),
    (f"{STEP_MARK}customizing", "customizing", 88),
    (f"{STEP_MARK}writing the disk", "writing the disk", 91),
)
_INSTALLED = 88
_COUNT = re.compile(r"^\d+ upgraded, (\d+) newly installed")
_ACTION = re.compile(r"^(Get:\d+ |Unpacking |Setting up )")
_ACTIONS_PER_PACKAGE = 3  # fetched, unpacked, set up


class Progress:
    """Follows one build. ``percent`` never falls."""

    def __init__(self) -> None:
        self.percent = 0
        self._step = "preparing"
        self._ceiling = 0
        self._floor = 0
        self._expected = 0
        self._done = 0

    def follow(self, line: str) -> bool:
        """Take a line of output; return whether there is news."""
        before = self.text
        for mark, step, percent in _STEPS:
            if line.startswith(mark):
                self._enter(step, percent)
        if count := _COUNT.match(line):
            self._expected, self._done = int(count[1]) * _ACTIONS_PER_PACKAGE, 0
        elif _ACTION.match(line):
            self._done += 1
            self._interpolate()
        return self.text != before

    @property
    def text(self) -> str:
        """Say where the build is, for example ``installing packages, 45 %``."""
        return f"{self._step}, {self.percent} %"

    def _enter(self, step: str, percent: int) -> None:
        self._step, self._expected = step, 0
        self.percent = self._floor = max(self.percent, percent)
        later = [other for _, _, other in _STEPS if other > percent]
        self._ceiling = min(later, default=100)

    def _interpolate(self) -> None:
        if self._expected:
            share = min(1.0, self._done / self._expected)
            self.percent = max(self.percent, int(self._floor + (self._ceiling - self._floor) * share))
