"""The tables of what is asked beyond the platform and the app: ``[ci]``, ``[live]``,
``[stability]``. A check whose table is absent is not asked at all."""

from __future__ import annotations

from typing import NamedTuple

from truegreen.config.table import Table


class Ci(NamedTuple):
    """Whose word counts for ``ci.conclusion``. ``repository`` empty: the check is not asked."""

    repository: str = ""  # owner/name
    workflows: tuple[str, ...] = ()  # file names; empty: every workflow that ran on the commit
    jobs: tuple[str, ...] = ()  # jobs that must have run, and succeeded
    token: str = ""  # reference; empty: GITHUB_TOKEN when it is set
    api: str = "https://api.github.com"


class Live(NamedTuple):
    """The suite of ``smoke.live``. ``command`` empty: the check is not asked."""

    command: tuple[str, ...] = ()  # an argument list, run in the service's root
    timeout: float = 120.0  # seconds
    pass_env: tuple[str, ...] = ()  # variables let through to it


class Stability(NamedTuple):
    """How long ``stability`` looks on. 0 seconds: the check is not asked."""

    seconds: float = 0.0
    every: float = 5.0  # seconds between two looks


def parse_ci(table: Table) -> Ci:
    """``[ci]``. Raises ConfigError."""
    base = Ci()
    ci = Ci(
        repository=table.text("repository"),
        workflows=table.texts("workflows"),
        jobs=table.texts("jobs"),
        token=table.text("token"),
        api=table.text("api", base.api),
    )
    if ci.repository.count("/") != 1 and ci.repository:
        raise table.error("repository", f"{ci.repository!r} is none", fix="write it as owner/name")
    if not ci.repository and (ci.workflows or ci.jobs or ci.token):
        raise table.error("repository", "is missing", fix='add repository = "owner/name"')
    if ci.token and not ci.token.startswith(("env:", "file:", "vault:")):
        raise table.error("token", "is not a reference", fix="write env:NAME or file:PATH")
    if not ci.api.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise table.error("api", f"{ci.api!r} is not an https:// address")
    table.done()
    return ci


def parse_live(table: Table) -> Live:
    """``[live]``. Raises ConfigError."""
    base = Live()
    live = Live(
        command=table.texts("command"),
        timeout=table.seconds("timeout", base.timeout),
        pass_env=table.texts("pass_env"),
    )
    table.done()
    return live


def parse_stability(table: Table) -> Stability:
    """``[stability]``. Raises ConfigError."""
    base = Stability()
    stability = Stability(
        seconds=table.seconds("seconds", base.seconds), every=table.seconds("every", base.every)
    )
    if stability.seconds and not 0.1 <= stability.every <= stability.seconds:
        raise table.error("every", "must lie between 0.1 and stability.seconds")
    table.done()
    return stability
