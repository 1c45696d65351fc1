"""From an existing Flask, Django or FastAPI repository to a gated, verified deploy.

``detect`` reads what is there, ``plan`` says what would change (both are functions of values),
``apply`` is the only module that writes.
"""

from truegreen.init.detect import detect
from truegreen.init.facts import Facts
from truegreen.init.plan import Change, Left, Plan, plan

__all__ = ["Change", "Facts", "Left", "Plan", "detect", "plan"]
