"""One record of a run, as every format reads it: the document of the contract and where it is from.

Every file of a format takes a RunRecord and returns text; none of them reads anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RunRecord:
    """``document``: what ``ship``, ``verify``, ``retry`` and ``rollback`` print with ``--json``.

    ``kind``: that verb. ``at``: UTC, RFC 3339, when the verdict was reached. ``source``: a URI of
    who says it. ``run_url``: where the run can be looked at, or "". ``config_digest``: sha256 (hex)
    of the configuration, or "" without one. ``root``: the service's folder inside its repository.
    ``recovered``: the verdict recorded before this one was red, and this one is green.
    """

    document: Mapping[str, Any]
    kind: str
    at: str
    service: str
    environment: str
    source: str = "https://truegreen.invalid"
    run_url: str = ""
    config_digest: str = ""
    root: str = ""
    recovered: bool = False

    @property
    def verdict(self) -> str:
        return str(self.document["verdict"])

    @property
    def sentence(self) -> str:
        return str(self.document["sentence"])

    @property
    def app(self) -> str:
        return str(self.document["app"])

    @property
    def commit(self) -> str:
        """The commit, or "" when it is not known."""
        return str(self.document["commit"] or "")

    @property
    def release(self) -> str:
        """``v12``, or "" when there is none."""
        release = self.document["release"]
        return f"v{release['version']}" if release else ""

    @property
    def title(self) -> str:
        return f"{self.app} {self.release}".strip()

    def checks(self, *statuses: str) -> Iterator[Mapping[str, Any]]:
        """The checks with one of ``statuses`` (all without), in the contract's order."""
        for check in self.document["checks"]:
            if not statuses or check["status"] in statuses:
                yield check

    @property
    def smoke(self) -> Mapping[str, Any] | None:
        """The smoke phase as the release command reported it, or None."""
        for check in self.checks():
            report = check["detail"].get("report")
            if check["name"] == "release.report" and report:
                for phase in report["phases"]:
                    if phase["name"] == "smoke":
                        found: Mapping[str, Any] = phase
                        return found
        return None
