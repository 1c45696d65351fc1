"""One observer a file: it reads the world and returns an answer, and never changes anything.

The check ``release.command`` is observed by the module ``release_command``, and so on. Those in
``SIDE_BY_SIDE`` are asked at the same time; those in ``AFTERWARDS`` one after the other when they
have answered; ``asked`` says which a question is for, and only those are imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from truegreen.verify.answer import Answer
    from truegreen.verify.question import Question
    from truegreen.verify.world import World

    Observer = Callable[[World], Answer]

SIDE_BY_SIDE = (
    "build.succeeded",
    "release.command",
    "release.current",
    "release.report",
    "code.slug",
    "code.dynos",
    "code.served",
    "health.edge",
    "health.origin_blocked",
    "schema.head",
    "flags.config",
    "ci.conclusion",
)
AFTERWARDS = ("smoke.live", "stability")


def observer(check: str) -> Observer:
    """The observer of ``check``, one of the names above."""
    module = importlib.import_module(f"{__name__}.{check.replace('.', '_')}")
    return cast("Observer", module.observe)


def asked(name: str, question: Question) -> bool:
    """Whether ``question`` asks the check ``name`` at all."""
    wanted = {
        "ci.conclusion": bool(question.ci.repository),
        "smoke.live": bool(question.live.command),
        "stability": question.stability.seconds > 0,
    }
    return wanted.get(name, True)
