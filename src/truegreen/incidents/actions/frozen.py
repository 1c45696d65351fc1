"""May this follow-up count as closed? Pure: from its versions and the trusted one's proof.

A proof is merged first, and the action closed in a later change: who could write the proof and
close the action in one step could close anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from truegreen.incidents.actions.trusted import Version


def problem(
    versions: Sequence[Version] | None, *, trusted: Version | None, now: str
) -> tuple[str, bool]:
    """What is wrong with how it was closed ("" for nothing), and whether that is known for sure.

    ``versions``: newest first, ending with the one before it was closed (None: history cut off).
    ``trusted``: how the trusted revision has it, None where that is the candidate itself. ``now``:
    the digest of the proof at the candidate.
    """
    if trusted is not None and not trusted.closed:
        if not trusted.there or not trusted.proof:
            return "it is closed in the change that brings its proof", True
        if trusted.proof != now:
            return "its proof is changed in the change that closes it", True
    if trusted is not None and trusted.closed and trusted.proof != now:
        return "the proof of a closed action is changed", True
    if versions is None:
        return "the history is cut off before the commit that closed it", False
    closing = next((index for index, one in enumerate(versions) if not one.closed), None)
    if closing is None or closing == 0:
        return "", True  # in the repository's first commit: there is no before to compare with
    before, after = versions[closing], versions[closing - 1]
    if not before.there or not before.proof:
        return f"commit {after.commit[:8]} brings its proof and closes it in one", True
    if before.proof != after.proof:
        return f"commit {after.commit[:8]} changes its proof and closes it in one", True
    return "", True
