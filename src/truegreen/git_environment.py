"""The environment of a git that is asked about a repository which is here: what it says must be
true of the commit that it names, whoever called us and however the repository is set up.

Standard library only. What git is asked, and with what patience, is the caller's.
"""

from __future__ import annotations

import os

# A hook's git tells its children where the repository is; asked about a folder, that misleads.
_OF_ANOTHER_CALL = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
# Replacements and grafts are of one clone: with them, a commit's content and its ancestors are
# others than the ones that its id stands for. https://git-scm.com/docs/git-replace
# Attributes of the machine are nobody's commit either.
_AS_COMMITTED = {
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
    "GIT_ATTR_NOSYSTEM": "1",
}


def git_environment(*, fetch: bool = False) -> dict[str, str]:
    """Ours, without what another call of git left in it, with objects as they were committed.

    ``fetch``: an object that is not here (a partial clone) may be fetched; else it is missing.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_CALL}
    local = {} if fetch else {"GIT_NO_LAZY_FETCH": "1"}
    return {**kept, **_AS_COMMITTED, **local, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
