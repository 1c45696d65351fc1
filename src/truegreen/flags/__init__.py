"""Flags: declared environment variables with a type, for which *absent* is known apart from *off*.

Reads nothing by itself: whoever starts the service hands in the environment, once. Standard
library only. No network, no provider, no reloading.
"""

from truegreen.flags.grammar import FlagError, FlagProblem
from truegreen.flags.registry import Flags, FlagValues, Origin

__all__ = ["FlagError", "FlagProblem", "FlagValues", "Flags", "Origin"]
