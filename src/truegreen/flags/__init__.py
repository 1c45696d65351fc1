"""Flags: declared variables with a type, for which *absent* is known apart from *off*.

Reads nothing by itself: whoever starts the service hands in the environment, once; from then on a
flag is constant for the process. Standard library only. No network, no provider, no reloading.
"""

from truegreen.flags.grammar import FlagError, FlagProblem
from truegreen.flags.pins import pin
from truegreen.flags.registry import Flags
from truegreen.flags.values import FlagValues, Origin

__all__ = ["FlagError", "FlagProblem", "FlagValues", "Flags", "Origin", "pin"]
