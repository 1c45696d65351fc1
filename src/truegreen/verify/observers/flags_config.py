"""``flags.config``: do the app's config vars parse as the declared flags, none undeclared?

The config vars that the service declares as required must be there too. Values are never shown
unless they are those of a declared flag that is no secret.
"""

from __future__ import annotations

from datetime import date

from truegreen.flags import Flags
from truegreen.flags.explain import explain
from truegreen.model import digest_of
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World

EXPECTED = "every flag parses, none undeclared, required config vars set"


def observe(world: World) -> Answer:
    if not world.question.configured:
        return unknown("no configuration declares flags", EXPECTED, "truegreen.toml")
    variables = world.config_vars()
    flags = Flags.from_config(world.question.flags)
    problems = [f"{one.variable}: {one.problem}" for one in flags.problems(variables)]
    problems += [
        f"{name} is not set" for name in world.question.required_vars if not variables.get(name)
    ]
    states = explain(flags, variables, date.min).flags
    shown = {one.name: one.raw for one in states if one.raw is not None}
    read = {name: variables[name] for name in shown}
    more = {
        "digest": digest_of({"flags": read, "names": sorted(variables)}),
        "detail": {"flags": shown, "problems": problems},
    }
    if problems:
        return failed("; ".join(problems), EXPECTED, "config vars", **more)
    told = ", ".join(f"{k}={v}" for k, v in sorted(shown.items())) or "no flag is set"
    return passed(told, EXPECTED, "config vars", **more)
