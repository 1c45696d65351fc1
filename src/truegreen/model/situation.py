"""What is known of an app at the end of a verification: the values that the failure sentence,
the diagnosis and the JSON document are made from. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from truegreen.model.clusters import Cluster
from truegreen.model.evidence import Evidence, Status
from truegreen.model.verdict import Judgement, judge


class ReleaseState(NamedTuple):
    """One release as the platform lists it. ``commit`` is its slug's, None when not known."""

    version: int
    status: str
    current: bool
    commit: str | None = None
    description: str = ""

    @property
    def name(self) -> str:
        return f"v{self.version}"


class Schema(NamedTuple):
    """Where the database is, against the heads of the code that *serves*.

    ``relation``: ``at head``, ``ahead`` (the serving code does not know the revision), ``behind``,
    or ``unknown``.
    """

    current: str | None
    heads: tuple[str, ...]
    relation: str


class SmokeFailures(NamedTuple):
    """The smoke phase as the release command reported it."""

    total: int
    failed: int
    reason: str  # what most failures have in common, e.g. "403 direct_origin_blocked"
    leaks: tuple[Mapping[str, Any], ...] = ()
    clusters: tuple[Cluster, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """Output that was captured: of the build, of the release command, or of the app's log.
    ``source`` says whose, e.g. ``output of v4``."""

    kind: Literal["build", "release", "log"]
    source: str
    body: str = field(repr=False)


class Situation(NamedTuple):
    """Everything that was found out, in one value."""

    app: str
    commit: str | None
    release: ReleaseState | None
    serving: ReleaseState | None
    served_commit: str | None  # what the app itself says
    schema: Schema | None
    failed_phase: str | None  # preflight | migrate | smoke, from the report
    phase_reason: str  # one line on why that phase failed
    smoke: SmokeFailures | None
    evidence: tuple[Evidence, ...]
    required: tuple[str, ...]
    serves_nothing: bool = False  # the platform's current release has no code yet
    # Read only when there is something to explain. ``commands``: the target's process types.
    texts: tuple[Text, ...] = ()
    commands: Mapping[str, str] = MappingProxyType({})
    config_names: frozenset[str] | None = None  # of the app's config vars; never their values

    @property
    def judgement(self) -> Judgement:
        return judge(self.evidence, self.required)

    def of(self, check: str) -> Evidence | None:
        """The evidence of one check; the worst when it was asked more than once."""
        found = [item for item in self.evidence if item.check == check]
        order = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.PASS: 2}
        return min(found, key=lambda item: order[item.status], default=None)
