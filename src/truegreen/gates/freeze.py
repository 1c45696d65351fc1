"""The freeze gate: may anything be shipped at this moment? Pure: values in, an answer out.

Windows are written as local wall-clock time in an IANA zone and compared as UTC instants, because
same-zone datetimes that differ only in ``fold`` compare equal. Where the clock is turned, one
wall-clock time has two readings (PEP 495): it comes twice in autumn, and in spring, when it does
not exist, it is the reading with the offset before or after the change. A deny window begins at
the earlier and ends at the later reading, an allow window the other way round: when in doubt, shut.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from truegreen.config import Freeze, FreezeWindow
from truegreen.errors import ConfigError
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status, stamp

NAME = "freeze"
# Files in a machine's zone folder whose meaning is that machine's own, or none at all.
_NOT_ZONES = frozenset({"localtime", "posixrules", "Factory"})


@dataclass(frozen=True, slots=True)
class Span:
    """A window as UTC instants, ``start`` within it, ``end`` not. Empty when end <= start."""

    window: FreezeWindow
    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def decide(freeze: Freeze, now: datetime, *, file: str = "truegreen.toml") -> GateResult:
    """Whether ``now`` (with a zone) lies outside every deny window and, when there are allow
    windows, inside one of those. Deny wins. ``file`` names the configuration in errors.

    Raises ConfigError for a zone that is not known or a time out of range, ValueError for a naive
    ``now``.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a zone cannot be compared")
    moment = now.astimezone(UTC)
    spans = [_span(window, index, file) for index, window in enumerate(freeze.windows)]
    denying = [s for s in spans if s.window.kind == "deny" and s.holds(moment)]
    if denying:
        last = max(denying, key=lambda span: span.end)
        return _shut(
            f"the freeze {_told(last.window)} holds until {_ends(last)}", denying, spans, moment
        )
    allows = [span for span in spans if span.window.kind == "allow"]
    if allows and not any(span.holds(moment) for span in allows):
        return _shut(f"{stamp(moment)} lies in none of the allow windows", allows, spans, moment)
    inside = next((span for span in allows if span.holds(moment)), None)
    if inside is not None:
        reason = f"the allow window {_told(inside.window)} is open until {_ends(inside)}"
    elif freeze.windows:
        reason = f"{stamp(moment)} lies in none of the {len(spans)} freeze windows"
    else:
        reason = "no freeze windows are configured"
    return GateResult(NAME, Status.PASS, reason, moment, source=file)


def _shut(text: str, why: list[Span], spans: list[Span], moment: datetime) -> GateResult:
    opens = next_open(spans, moment)
    if opens is None:
        clears = "nothing opens it by itself: change freeze.window in the configuration"
    else:
        clears = f"wait until {stamp(opens)}, or change freeze.window in the configuration"
    findings = tuple(
        Finding(
            span.window.kind,
            span.window.name,
            f"{stamp(span.start)} to {stamp(span.end)}: {span.window.reason or 'no reason given'}",
        )
        for span in why
    )
    return GateResult(NAME, Status.FAIL, text, moment, clears, findings)


def next_open(spans: list[Span], moment: datetime) -> datetime | None:
    """The first instant from ``moment`` on at which nothing is in the way; None when there is
    none."""
    edges = sorted({moment, *(edge for s in spans for edge in (s.start, s.end) if edge > moment)})
    return next((edge for edge in edges if _is_open(spans, edge)), None)


def _is_open(spans: list[Span], moment: datetime) -> bool:
    if any(s.holds(moment) for s in spans if s.window.kind == "deny"):
        return False
    allows = [span for span in spans if span.window.kind == "allow"]
    return not allows or any(span.holds(moment) for span in allows)


def _span(window: FreezeWindow, index: int, file: str) -> Span:
    key = f"freeze.window[{index}]"
    try:
        if window.zone in _NOT_ZONES:
            raise ZoneInfoNotFoundError(window.zone)
        zone = ZoneInfo(window.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            file,
            f"{key}.zone",
            f"{window.zone!r} is not a known time zone",
            fix="an IANA name such as Europe/Berlin, America/New_York or UTC",
        ) from error
    deny = window.kind == "deny"
    try:
        starts = _readings(window.start, zone)
        ends = _readings(window.end, zone)
    except OverflowError as error:
        raise ConfigError(
            file, key, f"{window.start} to {window.end} is out of range", fix="years 2 to 9998"
        ) from error
    return Span(
        window,
        min(starts) if deny else max(starts),
        max(ends) if deny else min(ends),
    )


def _readings(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both PEP 495 readings of a wall-clock time, in UTC; the same twice almost always."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


def _told(window: FreezeWindow) -> str:
    return f"{window.name!r} ({window.reason})" if window.reason else repr(window.name)


def _ends(span: Span) -> str:
    wall = span.window.end.isoformat(sep=" ", timespec="minutes")
    return f"{wall} {span.window.zone} ({stamp(span.end)})"
