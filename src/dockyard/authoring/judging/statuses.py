"""What the handler reported, read as strictly as the agent reads it. Called by ``judge``."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.authoring.observations import Moment, Observations, Runner, StatusSeen, Step
from dockyard.authoring.rules import Finding, Level, Rule
from dockyard_contract.documents import JsonValue, parse_json
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.heartbeat import parse_heartbeat
from dockyard_contract.status import (
    DOCUMENT_LIMIT,
    MESSAGE_LIMIT,
    SUBSTATUS_TEXT_LIMIT,
    Status,
    StatusWord,
    parse_status,
)

_REPEATS = (Step.AGAIN, Step.REBOOT)


def judge(seen: Observations) -> Iterator[Finding]:
    """Look at every status that was read, at the repeats, and at the heartbeat."""
    for status in seen.statuses:
        yield from _one(status, runner=seen.runner)
    yield from _repeats(seen)
    yield from _heartbeat(seen)
    if not seen.keeps_number:
        message = "There is no mrseq in the handler's folder: another version cannot tell that a number is done."
        yield Finding(rule=Rule.NUMBER_NOT_KEPT, level=Level.NOTE, where="handler's folder", message=message)


def _one(seen: StatusSeen, *, runner: Runner) -> Iterator[Finding]:
    if seen.text is None:
        yield from _absent(seen)
        return
    if seen.in_place:
        message = f"{_file(seen)} was written under its own name: the agent reports a half-written one as an error."
        yield _finding(Rule.STATUS_IN_PLACE, seen, message, level=Level.WARNING)
    word = _unknown_word(seen.text)
    if word is not None:
        message = f"'{word}' in {_file(seen)} is no word of the protocol; the agent makes it an error."
        yield _finding(Rule.STATUS_WORD, seen, message)
        return
    try:
        status = parse_status(seen.text, document=_file(seen))
    except MalformedDocument as error:
        yield _finding(Rule.STATUS_MALFORMED, seen, f"{error}. The agent reports an error with code 1012.")
        return
    if seen.moment is Moment.SETTLED:
        yield from _settled(status, seen, runner=runner)


def _absent(seen: StatusSeen) -> Iterator[Finding]:
    if seen.moment is Moment.SETTLED:
        return  # told already at the moment enable returned
    if seen.others:
        message = f"There is no {_file(seen)}, but {', '.join(seen.others)}: the agent does not look there."
        yield _finding(Rule.STATUS_NAME, seen, message)
        return
    message = f"There was no {_file(seen)}: each report of the agent waits 8 s for one, and the machine seems stuck."
    yield _finding(Rule.STATUS_MISSING, seen, message)


def _settled(status: Status, seen: StatusSeen, *, runner: Runner) -> Iterator[Finding]:
    yield from _sizes(status, seen)
    if not status.status.is_final:
        message = f"{_file(seen)} still said transitioning after {seen.waited:.0f} s."
        yield _finding(Rule.STATUS_NEVER_FINAL, seen, message)
    if status.status.is_failure:
        # Without a machine the work itself can hardly succeed; how the handler tells of it still counts.
        level = Level.ERROR if runner is Runner.MACHINE else Level.WARNING
        text = status.message.message if status.message else "no message"
        yield _finding(Rule.STATUS_ERROR, seen, f"The handler reports an error: {text}", level=level)


def _sizes(status: Status, seen: StatusSeen) -> Iterator[Finding]:
    message = len(status.message.message.encode()) if status.message else 0
    if message > MESSAGE_LIMIT:
        told = f"The main message has {message} bytes; what is shown of it is {MESSAGE_LIMIT}."
        yield _finding(Rule.STATUS_SIZE, seen, told, level=Level.WARNING)
    for part in status.substatus:
        size = max(len(part.name.encode()), len(part.message.message.encode()) if part.message else 0)
        if size > SUBSTATUS_TEXT_LIMIT:
            told = f"The part '{part.name[:40]}' has a text of {size} bytes; the agent may cut it to 10 KiB."
            yield _finding(Rule.STATUS_SIZE, seen, told, level=Level.WARNING)
    whole = len((seen.text or "").encode())
    if whole > DOCUMENT_LIMIT:
        yield _finding(Rule.STATUS_SIZE, seen, f"{_file(seen)} has {whole} bytes; above 128 KiB the agent drops parts.")


def _repeats(seen: Observations) -> Iterator[Finding]:
    """A final status that a repeated enable made transitioning again (custom-script-extension-linux #70)."""
    last: dict[tuple[str, int], StatusWord | None] = {}
    for status in seen.statuses:
        key, word = (status.version, status.sequence_number), _word(status)
        before = last.get(key)
        returned = status.step in _REPEATS and status.moment is Moment.RETURNED
        if returned and word is StatusWord.TRANSITIONING and before is StatusWord.SUCCESS:
            message = "Enable with the same number replaced a final status by transitioning."
            yield _finding(Rule.STATUS_OVERWRITTEN, status, message, level=Level.WARNING)
        last[key] = word


def _word(seen: StatusSeen) -> StatusWord | None:
    try:
        return parse_status(seen.text or "", document=_file(seen)).status
    except MalformedDocument:
        return None


def _unknown_word(text: str) -> str | None:
    """Return the main status' word when it is a text that the protocol does not know."""
    try:
        first: JsonValue = parse_json(text, document="status").array()[0]
        word = first.object().object("status").string("status")
    except (MalformedDocument, IndexError):
        return None
    return None if word in {known.value for known in StatusWord} else word


def _heartbeat(seen: Observations) -> Iterator[Finding]:
    if not seen.package.reports_heartbeat or not seen.executions:
        return
    where = "heartbeat.log"
    if seen.heartbeat is None:
        message = "The manifest promises a heartbeat and there is none: the agent reports the handler NotReady."
        yield Finding(rule=Rule.HEARTBEAT, level=Level.ERROR, where=where, message=message)
        return
    try:
        parse_heartbeat(seen.heartbeat, document=where)
    except MalformedDocument as error:
        yield Finding(rule=Rule.HEARTBEAT, level=Level.ERROR, where=where, message=f"{error}.")


def _file(seen: StatusSeen) -> str:
    return f"{seen.sequence_number}.status"


def _finding(rule: Rule, seen: StatusSeen, message: str, *, level: Level = Level.ERROR) -> Finding:
    where = f"{seen.step.value}: status of {seen.version} (number {seen.sequence_number}), {seen.moment.value}"
    return Finding(rule=rule, level=level, where=where, message=message)
