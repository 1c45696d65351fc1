"""The wave: what goes out with a release, between what serves and the candidate.

``history`` reads git, ``requests`` recognises pull requests in commit messages, ``wave`` holds the
values. It refuses nothing; policies may.
"""

from truegreen.gates.wave.history import read_wave
from truegreen.gates.wave.wave import Commit, FlagChange, PullRequest, Wave

__all__ = ["Commit", "FlagChange", "PullRequest", "Wave", "read_wave"]
