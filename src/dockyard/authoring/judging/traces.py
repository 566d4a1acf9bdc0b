"""What a handler lets others see and what it leaves: secrets, processes, files, units, users. Called by ``judge``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch

from dockyard.authoring.observations import LeftKind, Leftover, Observations, Place
from dockyard.authoring.rules import Finding, Level, Rule

SHOWN = 12
_ENDS = {LeftKind.PROCESS, LeftKind.UNIT}


def judge(seen: Observations, *, keeps: Sequence[str]) -> Iterator[Finding]:
    """Look at every trace; ``keeps`` are patterns of names that stay on purpose."""
    for sighting in dict.fromkeys(seen.sightings):
        message = f"A value of the protected settings stands in {_article(sighting.place)}: {sighting.where}."
        yield Finding(rule=Rule.SECRET, level=Level.ERROR, where=sighting.step.value, message=message)
    for work in dict.fromkeys(seen.works):
        if work.in_agent:
            message = f"'{work.name}' runs as part of the agent's service: a restart of the agent kills it."
            yield Finding(rule=Rule.IN_AGENT, level=Level.ERROR, where=work.step.value, message=message)
        elif work.is_settled:
            message = f"'{work.name}' still runs although the work is over."
            yield Finding(rule=Rule.PROCESS_STAYS, level=Level.WARNING, where=work.step.value, message=message)
    yield from _leftovers(seen, keeps=keeps)


def _leftovers(seen: Observations, *, keeps: Sequence[str]) -> Iterator[Finding]:
    groups: dict[tuple[str, LeftKind, Level], list[Leftover]] = {}
    for left in dict.fromkeys(seen.leftovers):
        groups.setdefault((left.step.value, left.kind, _level(left, keeps=keeps)), []).append(left)
    for (where, kind, level), group in groups.items():
        names = sorted(left.name for left in group)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        what = "process" if kind is LeftKind.PROCESS else kind.value
        message = f"Uninstall leaves {what} {', '.join(names[:SHOWN])}{more}."
        yield Finding(rule=Rule.LEFT, level=level, where=where, message=message)


def _level(left: Leftover, *, keeps: Sequence[str]) -> Level:
    if any(fnmatch(left.name, pattern) for pattern in keeps):
        return Level.NOTE
    return Level.ERROR if left.is_tied and left.kind in _ENDS else Level.WARNING


def _article(place: Place) -> str:
    return {
        Place.LOG: "a log",
        Place.OUTPUT: "a command's output, which the agent logs and sends to the platform",
        Place.STATUS: "a status",
        Place.ARGUMENTS: "the arguments of a process",
        Place.FILE: "a file that other users can read",
        Place.LEFT: "a file that stays after uninstall",
    }[place]
