"""One observer a file: it reads the world and returns an answer, and never changes anything.

``OBSERVERS`` maps each check's name to its observer; they are asked side by side. ``AFTERWARDS``
are asked one after the other when those have answered; ``asked`` says which a question is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from truegreen.verify.answer import Answer
from truegreen.verify.observers import (
    build_succeeded,
    ci_conclusion,
    code_dynos,
    code_served,
    code_slug,
    flags_config,
    health_edge,
    health_origin_blocked,
    release_command,
    release_current,
    release_report,
    schema_head,
    smoke_live,
    stability,
)
from truegreen.verify.question import Question
from truegreen.verify.world import World

Observer = Callable[[World], Answer]

OBSERVERS: Mapping[str, Observer] = MappingProxyType(
    {
        "build.succeeded": build_succeeded.observe,
        "release.command": release_command.observe,
        "release.current": release_current.observe,
        "release.report": release_report.observe,
        "code.slug": code_slug.observe,
        "code.dynos": code_dynos.observe,
        "code.served": code_served.observe,
        "health.edge": health_edge.observe,
        "health.origin_blocked": health_origin_blocked.observe,
        "schema.head": schema_head.observe,
        "flags.config": flags_config.observe,
        "ci.conclusion": ci_conclusion.observe,
    }
)
AFTERWARDS: Mapping[str, Observer] = MappingProxyType(
    {"smoke.live": smoke_live.observe, "stability": stability.observe}
)


def asked(name: str, question: Question) -> bool:
    """Whether ``question`` asks the check ``name`` at all."""
    wanted = {
        "ci.conclusion": bool(question.ci.repository),
        "smoke.live": bool(question.live.command),
        "stability": question.stability.seconds > 0,
    }
    return wanted.get(name, True)
