"""``flags.config``: do the app's config vars parse as the declared flags, none undeclared?

The config vars that the service declares as required must be there too. Values are never shown
unless they are those of a flag.
"""

from __future__ import annotations

from truegreen.flags import Flags
from truegreen.model import digest_of
from truegreen.verify.answer import Answer, failed, passed
from truegreen.verify.world import World

EXPECTED = "every flag parses, none undeclared, required config vars set"


def observe(world: World) -> Answer:
    variables = world.config_vars()
    declared = world.question.flags
    problems = [
        f"{one.variable}: {one.problem}" for one in Flags.from_config(declared).problems(variables)
    ]
    problems += [
        f"{name} is not set" for name in world.question.required_vars if not variables.get(name)
    ]
    flag_values = {k: v for k, v in variables.items() if k.startswith(declared.prefix)}
    more = {
        "digest": digest_of({"flags": flag_values, "names": sorted(variables)}),
        "detail": {"flags": flag_values, "problems": problems},
    }
    if problems:
        return failed("; ".join(problems), EXPECTED, "config vars", **more)
    told = ", ".join(f"{k}={v}" for k, v in sorted(flag_values.items())) or "no flag is set"
    return passed(told, EXPECTED, "config vars", **more)
