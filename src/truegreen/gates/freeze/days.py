"""Public holidays as windows of whole local days, from the package ``holidays``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

from truegreen.config.model import FreezeHolidays
from truegreen.errors import ConfigError
from truegreen.gates.freeze.clock import span
from truegreen.gates.freeze.rules import known_zone
from truegreen.gates.freeze.window import Window

_DAY = timedelta(days=1)


def windows_of(rule: FreezeHolidays, first: datetime, last: datetime) -> Iterator[Window]:
    """The holidays that touch the time from ``first`` to ``last`` (with zones).

    Raises ConfigError for a country or subdivision that is not known, and for a year for which
    the package knows no holidays at all.
    """
    from holidays import country_holidays

    zone = known_zone(rule.zone, rule.file, f"{rule.key}.zone")
    years = range(first.astimezone(zone).year, last.astimezone(zone).year + 1)
    try:
        found = country_holidays(
            rule.country, subdiv=rule.subdivision or None, years=years, expand=False,
            language="en_US",  # else the names follow the machine's locale
        )  # fmt: skip
    except NotImplementedError as error:
        key = "subdivision" if "subdivision" in str(error) else "country"
        raise ConfigError(
            rule.file,
            f"{rule.key}.{key}",
            str(error),
            fix='ISO 3166 codes, e.g. country = "DE", subdivision = "BE"',
        ) from error
    except (ValueError, TypeError) as error:
        raise ConfigError(rule.file, rule.key, str(error)) from error
    for year in years:
        if not any(day.year == year for day in found):
            raise ConfigError(
                rule.file, f"{rule.key}.country", f"no holidays of {rule.country} in {year} known"
            )
    for day, name in sorted(found.items()):
        start = datetime.combine(day, time())
        begins, ends = span(start, start + _DAY, zone, rule.kind)
        if ends >= first and begins <= last:
            yield Window(
                name=name,
                kind=rule.kind,
                start=begins,
                end=ends,
                zone=rule.zone,
                local_end=start + _DAY,
                reason=rule.reason or f"public holiday in {rule.country}",
                place=f"{Path(rule.file).name}: {rule.key}",
                scope=rule.scope,
            )
