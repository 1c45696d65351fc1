"""The origin guard: lets in only what came through the front door.

``policy`` decides, purely; ``wsgi`` and ``flask`` apply it. Standard library only, and never a
network call.
"""

from truegreen.guard.policy import Decision, GuardError, GuardPolicy

__all__ = ["Decision", "GuardError", "GuardPolicy"]
