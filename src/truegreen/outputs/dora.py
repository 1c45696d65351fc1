"""DORA's measures as lines of text, as a JSON document, and as an SVG picture of the days."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from truegreen.model import stamp
from truegreen.model.dora import Day, Measures

_WIDTH, _HEIGHT, _LEFT, _TOP, _CHART = 760, 300, 44, 118, 130
_SHORTER = {
    "deployment frequency": "frequency",
    "failed deployment recovery": "recovery time",
}  # six labels stand side by side
_COLOURS = {"green": "#2da44e", "red": "#cf222e", "unverified": "#9a6700"}


def dora_document(measures: Measures) -> dict[str, Any]:
    """JSON values only; times in seconds, rates as fractions, null where there is no sample."""
    return {
        "app": measures.app,
        "since": stamp(measures.since),
        "until": stamp(measures.until),
        "deployments": measures.deployments,
        "failed": measures.failed,
        "unverified": measures.unverified,
        "deployment_frequency_per_day": round(measures.per_day, 4),
        "lead_time_seconds": measures.lead_time,
        "change_failure_rate": measures.change_failure,
        "failed_to_deploy_rate": measures.failed_to_deploy,
        "recovery_time_seconds": measures.recovery,
        "rework_rate": measures.rework,
        "open_failure_since": stamp(measures.open_failure) if measures.open_failure else None,
        "samples": dict(measures.samples),
        "days": [
            {"day": one.day.isoformat(), "green": one.green, "red": one.red,
             "unverified": one.unverified}
            for one in measures.days
        ],
    }  # fmt: skip


def dora_rows(measures: Measures) -> list[tuple[str, str, str]]:
    """Measure, value, and how many it rests on."""
    of = measures.samples
    return [
        ("deployment frequency", f"{measures.per_day:.2f} a day", f"{of['deployments']} green"),
        ("change lead time", _span(measures.lead_time), f"{of['lead_time']} with a commit's time"),
        ("change fail rate", _share(measures.change_failure), f"{of['change_failure']} deployed"),
        ("failed to deploy", _share(measures.failed_to_deploy), f"{of['failed_to_deploy']} runs"),
        ("failed deployment recovery", _span(measures.recovery), f"{of['recovery']} recoveries"),
        ("rework rate", _share(measures.rework), f"{of['rework']} green"),
    ]


def dora_lines(measures: Measures) -> Iterator[str]:
    """A table for a terminal."""
    since, until = measures.since.date(), measures.until.date()
    yield f"{measures.app}, {since} to {until}"
    for name, value, base in dora_rows(measures):
        yield f"  {name:<28}{value:>14}   ({base})"
    if measures.unverified:
        yield f"  {measures.unverified} unverified runs count in no rate"
    if measures.open_failure:
        yield f"  red since {stamp(measures.open_failure)}, and not green again yet"


def dora_svg(measures: Measures) -> str:
    """A picture of its own: the measures above, runs a day below. No script, no outside font."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' font-family="system-ui, sans-serif" aria-label="{escape(_summary(measures))}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(20, 28, f"{measures.app}: deployments", size=16, weight=600),
        _text(20, 46, f"{measures.since.date()} to {measures.until.date()}", colour="#57606a"),
    ]
    rows = dora_rows(measures)
    step = (_WIDTH - 40) / len(rows)
    for number, (name, value, _) in enumerate(rows):
        parts.append(_text(20 + number * step, 76, value, size=17, weight=600))
        label = _SHORTER.get(name, name)
        parts.append(_text(20 + number * step, 94, label, size=11, colour="#57606a"))
    parts += _chart(measures.days)
    parts.append(_legend())
    return "\n".join([*parts, "</svg>\n"])


def _chart(days: tuple[Day, ...]) -> Iterator[str]:
    most = max((one.green + one.red + one.unverified for one in days), default=0)
    bottom = _TOP + _CHART
    width = (_WIDTH - _LEFT - 20) / max(len(days), 1)
    yield f'<path d="M{_LEFT} {bottom}H{_WIDTH - 20}" stroke="#8c959f"/>'
    yield _text(_LEFT - 8, bottom + 4, "0", anchor="end", colour="#57606a")
    if most:
        yield f'<path d="M{_LEFT} {_TOP}H{_WIDTH - 20}" stroke="#d8dee4"/>'
        yield _text(_LEFT - 8, _TOP + 4, str(most), anchor="end", colour="#57606a")
    for number, one in enumerate(days):
        y = float(bottom)
        for verdict in ("green", "unverified", "red"):
            count = getattr(one, verdict)
            height = _CHART * count / most if most else 0.0
            y -= height
            if count:
                x = _LEFT + number * width + width * 0.1
                yield (
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{width * 0.8:.1f}"'
                    f' height="{height:.1f}" fill="{_COLOURS[verdict]}">'
                    f"<title>{one.day}: {count} {verdict}</title></rect>"
                )
    for number in sorted({0, len(days) // 2, len(days) - 1}):
        if 0 <= number < len(days):
            x = _LEFT + (number + 0.5) * width
            edge = {0: "start", len(days) - 1: "end"} if len(days) > 6 else {}
            anchor = edge.get(number, "middle")
            yield _text(x, bottom + 18, str(days[number].day), anchor=anchor, colour="#57606a")


def _legend() -> str:
    parts = []
    for number, (verdict, colour) in enumerate(_COLOURS.items()):
        x = _LEFT + number * 110
        parts.append(f'<rect x="{x}" y="{_HEIGHT - 24}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(x + 16, _HEIGHT - 15, verdict))
    return "".join(parts)


def _text(
    x: float, y: float, text: str, *, size: float = 11, weight: int = 400, anchor: str = "start",
    colour: str = "#1f2328",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )


def _summary(measures: Measures) -> str:
    return "; ".join(f"{name} {value}" for name, value, _ in dora_rows(measures))


def _share(value: float | None) -> str:
    return "no sample" if value is None else f"{value * 100:.0f} %"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "no sample"
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} s"
