"""What a proof runs, what its exit status means, and its digest. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from truegreen.errors import UsageError
from truegreen.incidents.document import Action, Proof
from truegreen.model import digest_of


class Held(StrEnum):
    """``holds``: what the action promises is so. ``red``: it is not. ``unknown``: not found out."""

    HOLDS = "holds"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Followup:
    """An action of a review. ``review`` is the review's path below the service's root; ``state``
    and ``commit`` say where its incident's state is."""

    incident: str
    review: str
    action: Action
    commit: str = ""
    state: str = ""

    @property
    def name(self) -> str:
        return f"{self.incident}/{self.action.id}"

    @property
    def proof(self) -> Proof:
        """Its proof. UsageError when it has none."""
        if self.action.proof is None:
            raise UsageError(
                f"{self.name} has no proof", hint=f"add proof: to the action in {self.review}"
            )
        return self.action.proof


def arguments(proof: Proof) -> tuple[str, ...]:
    """What is run: an argument list, read by no shell. UsageError unless the proof is one thing."""
    forms = [name for name in ("run", "test", "drill") if getattr(proof, name)]
    if len(forms) != 1:
        raise UsageError(
            f"a proof with {' and '.join(forms) or 'nothing to run'}",
            hint="exactly one of run, test and drill",
        )
    if proof.test:
        if proof.test.startswith("-"):
            raise UsageError(f"{proof.test!r} is no test's id")
        return ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", proof.test)
    if proof.drill:
        return ("python", "-m", "truegreen", "drill", "run", "--", proof.drill)
    return proof.run


def files(proof: Proof) -> tuple[str, ...]:
    """The paths, below the service's root, that belong to the proof and are frozen with it.

    UsageError for one that leads out of the service.
    """
    named = list(proof.files)
    if proof.test:
        named.insert(0, proof.test.split("::")[0])
    for name in named:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not name or name.startswith(("-", ":")):
            raise UsageError(f"{name!r} is no path below the service's root")
    return tuple(dict.fromkeys(named))


def digest(proof: Proof, contents: Mapping[str, str]) -> str:
    """The digest of the proof: of what it runs, and of its files (path → digest of the content).

    When it was seen red is no part of it.
    """
    told = {
        "arguments": list(arguments(proof)),
        "timeout": proof.timeout,
        "when": proof.when,
        "files": dict(contents),
    }
    return digest_of(told)


def meaning(proof: Proof, exit_status: int) -> tuple[Held, str]:
    """What ``exit_status`` says of the proof, and why, where it says nothing.

    pytest: 0 passed, 1 a test failed; 2 to 5 are no answer (docs.pytest.org, exit codes). A drill
    likewise. A command: 0 or not, but 126, 127 (it could not be run) and signals are no answer.
    """
    if exit_status == 0:
        return Held.HOLDS, ""
    if exit_status < 0:
        return Held.UNKNOWN, f"it was ended by signal {-exit_status}"
    run = arguments(proof)
    is_pytest = PurePosixPath(run[0]).name in ("pytest", "py.test") or "pytest" in run[1:3]
    if is_pytest and exit_status != 1:
        why = {2: "was interrupted or could not be collected", 3: "had an internal error",
               4: "was called wrongly: is the test there?", 5: "found no test"}  # fmt: skip
        return Held.UNKNOWN, f"pytest {why.get(exit_status, f'exited with {exit_status}')}"
    if proof.drill and exit_status != 1:
        return Held.UNKNOWN, f"the drill exited with {exit_status}"
    if exit_status in (126, 127):
        return Held.UNKNOWN, "the command could not be run"
    return Held.RED, ""
