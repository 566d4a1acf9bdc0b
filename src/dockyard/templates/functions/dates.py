"""Functions on moments; the present itself comes from outside (``utcNow`` is in ``special``)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dockyard.templates.errors import ExpressionError
from dockyard.templates.functions.formatting import date_text
from dockyard.templates.functions.registry import Family

FAMILY = Family()
_COMPACT = "%Y%m%dT%H%M%SZ"  # what utcNow() gives without a format


@FAMILY.define("dateTimeAdd")
def date_time_add(base: str, duration: str, pattern: str = "G") -> str:
    """Add an ISO 8601 duration, for example ``P3Y`` or ``-PT1H``, to a moment."""
    sign = -1 if duration.startswith("-") else 1
    years, months, rest = _duration(duration.removeprefix("-"))
    return date_text(_moved(_moment(base), months=sign * (12 * years + months)) + sign * rest, pattern)


@FAMILY.define("dateTimeFromEpoch")
def date_time_from_epoch(seconds: int) -> str:
    """Return the moment so many seconds after 1970."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@FAMILY.define("dateTimeToEpoch")
def date_time_to_epoch(text: str) -> int:
    """Return the seconds between 1970 and a moment."""
    return int(_moment(text).timestamp())


def _moment(text: str) -> datetime:
    for read in (datetime.fromisoformat, lambda value: datetime.strptime(value, _COMPACT).replace(tzinfo=UTC)):
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    raise ExpressionError("A date is not written as ISO 8601 has it")


def _moved(moment: datetime, *, months: int) -> datetime:
    total = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(total, 12)
    if not 1 <= year <= 9998:
        raise ExpressionError("A date lies outside the years 1 to 9998")
    last = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _duration(text: str) -> tuple[int, int, timedelta]:
    days, _, time = text.removeprefix("P").partition("T")
    date_parts = _amounts(days, "YMWD")
    time_parts = _amounts(time, "HMS")
    if not text.startswith("P") or not (date_parts or time_parts):
        raise _wrong()
    rest = timedelta(
        weeks=date_parts.get("W", 0),
        days=date_parts.get("D", 0),
        hours=time_parts.get("H", 0),
        minutes=time_parts.get("M", 0),
        seconds=time_parts.get("S", 0),
    )
    return date_parts.get("Y", 0), date_parts.get("M", 0), rest


def _amounts(text: str, units: str) -> dict[str, int]:
    found: dict[str, int] = {}
    digits = ""
    for character in text:
        if character.isdecimal():
            digits += character
        elif character in units and digits and character not in found:
            found[character], digits = int(digits), ""
        else:
            raise _wrong()
    if digits:
        raise _wrong()
    return found


def _wrong() -> ExpressionError:
    return ExpressionError("A duration is not written as ISO 8601 has it, such as P3Y or PT1H30M")
