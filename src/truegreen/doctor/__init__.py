"""Looks at a repository as it stands and finds what will go wrong at a release.

One rule a module, each a function of the ``Tree``; ``rules`` lists them, ``examine`` runs them. No
configuration is needed, nothing of the repository is imported or run, and nothing is changed.
"""

from truegreen.doctor.examine import Examination, examine
from truegreen.doctor.finding import Finding, Level
from truegreen.doctor.rules import RULES, Rule

__all__ = ["RULES", "Examination", "Finding", "Level", "Rule", "examine"]
