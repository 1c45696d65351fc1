"""Judges reviews: complete, in order, adding up, citing what is there, blaming nobody.

``finding`` is what comes out, ``surroundings`` what a review is held against; each other file is a
family of rules, pure functions of a review and its surroundings. ``run`` asks them all.
"""

from truegreen.incidents.lint.finding import Finding, Level
from truegreen.incidents.lint.run import lint, lint_service

__all__ = ["Finding", "Level", "lint", "lint_service"]
