"""Actions from the board: verbs of the command line, started for somebody who has a token.

``offered`` says which there are for an app and what exactly each would run (pure), ``tokens`` and
``forms`` who may and that it was meant, ``runs`` starts the verb as a process of its own and
records it, ``door`` puts them on pages. Nothing of this is there unless ``board --actions`` asks.
"""

from truegreen.board.actions.door import actions_annex
from truegreen.board.actions.tokens import Tokens

__all__ = ["Tokens", "actions_annex"]
