"""The embedded platform's settings: what is fixed when it starts, and what can change at runtime.

Names and limits live here. How they are kept is `store`'s, how they are asked for is
`cli/platform.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from truegreen.errors import UsageError

MIB = 1024 * 1024


class OnReleaseFailure(StrEnum):
    """What happens to the code of a release whose command failed.

    ``hold``: the old release stays current (what Heroku documents). ``deploy``: it goes live all
    the same, its status stays ``failed`` (what has been reported of Heroku).
    """

    HOLD = "hold"
    DEPLOY = "deploy"


@dataclass(frozen=True)
class Limits:
    """Bounds, in bytes, files and seconds, that keep one bad input from taking the machine."""

    upload_bytes: int = 512 * MIB
    source_bytes: int = 1024 * MIB
    source_files: int = 100_000
    body_bytes: int = 1 * MIB
    stream_bytes: int = 64 * MIB
    app_log_bytes: int = 8 * MIB
    source_ttl: float = 3600.0


@dataclass(frozen=True)
class RuntimeSettings:
    """Can be changed while the platform runs: ``truegreen platform set NAME=VALUE``.

    Timeouts are seconds. ``release_timeout`` is Heroku's hour and
    ``boot_timeout`` its minute (R10) unless set. ``slug_cache`` is MiB: slugs beyond it are pruned,
    oldest first, see `slug_cache.py`.
    """

    on_release_failure: OnReleaseFailure = OnReleaseFailure.HOLD
    release_timeout: float = 3600.0
    build_timeout: float = 900.0
    boot_timeout: float = 60.0
    slug_cache: float = 4096.0

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name.replace("_", "-") for field in fields(cls))

    def with_values(self, values: Mapping[str, str]) -> RuntimeSettings:
        """A copy with ``values`` (names with dashes). Raises UsageError for what it cannot read."""
        changed: dict[str, object] = {}
        for name, text in values.items():
            parser = _PARSERS.get(name)
            if parser is None:
                raise UsageError(
                    f"the platform has no setting `{name}`",
                    hint="it has " + ", ".join(self.names()),
                )
            changed[name.replace("-", "_")] = parser(name, text)
        return replace(self, **changed)  # type: ignore[arg-type]

    def as_text(self) -> dict[str, str]:
        """Every setting by its name, as ``with_values`` reads it."""
        return {name: str(getattr(self, name.replace("-", "_"))) for name in self.names()}


def _failure_mode(name: str, text: str) -> OnReleaseFailure:
    try:
        return OnReleaseFailure(text)
    except ValueError:
        raise UsageError(
            f"{name}: {text!r} is neither hold nor deploy",
            hint="hold keeps the old release running, deploy runs the failed one",
        ) from None


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86_400:
        raise UsageError(f"{name}: {text!r} is not a number of seconds", hint="0 < N <= 86400")
    return value


def _mebibytes(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1_000_000:
        raise UsageError(f"{name}: {text!r} is not a number of MiB", hint="0 <= N <= 1000000")
    return value


_PARSERS: Mapping[str, Callable[[str, str], object]] = {
    "on-release-failure": _failure_mode,
    "release-timeout": _seconds,
    "build-timeout": _seconds,
    "boot-timeout": _seconds,
    "slug-cache": _mebibytes,
}
