"""The deploy workflow of a service: the template, with what was found put in. Pure."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from truegreen.init.configuration import environments
from truegreen.init.facts import Facts

_MARK = re.compile(r"@@([A-Z]+)@@")
_BLOCK = re.compile(r"^# @@if smoke\n(.*?)^# @@end\n", re.MULTILINE | re.DOTALL)
_PYTHON = "3.13"  # where the repository names none


def workflow_name(facts: Facts) -> str:
    """``deploy-heroku``, and the service's name where a repository may hold several."""
    return f"deploy-heroku-{facts.name}" if facts.prefix else "deploy-heroku"


def deploy_workflow(facts: Facts, requirement: str) -> str:
    """The text of the workflow. ``requirement``: what pip installs as TrueGreen.

    The smoke gate is a job of it only where there is a suite.
    """
    names = list(environments(facts))
    where = f"{facts.prefix}/" if facts.prefix else ""
    # The values are quoted as YAML (a JSON text is YAML), and never stand inside of a script.
    values = {
        "NAME": facts.name,
        "WORKFLOW": workflow_name(facts),
        "ENVIRONMENTS": ", ".join(map(json.dumps, names)),
        "DEFAULT": json.dumps(names[-1]),  # the least important one
        "REQUIREMENT": json.dumps(requirement),
        "SERVICE": json.dumps(facts.prefix or ".", ensure_ascii=False),
        "PYTHON": f"python-version-file: {json.dumps(where + facts.python, ensure_ascii=False)}"
        if facts.python
        else f'python-version: "{_PYTHON}"',
        "REQUIREMENTS": _requirements(facts),
        # The migrations gate runs Alembic's env.py, which imports the service.
        "MIGRATED": _requirements(facts) if facts.alembic_ini else "",
        "AND": " and the service" if facts.alembic_ini and facts.requirements else "",
        "GATES": "freeze, pii-scan, smoke" if facts.smoke else "freeze, pii-scan",
    }
    template = (files("truegreen.init") / "templates" / "deploy-heroku.yml").read_text("utf-8")
    text = _BLOCK.sub(r"\1" if facts.smoke else "", template)
    return _MARK.sub(lambda match: values[match[1]], text)


def _requirements(facts: Facts) -> str:
    if facts.requirements == "requirements.txt":
        return " -r requirements.txt"
    return " ." if facts.requirements else ""
