"""Runs one proof once, in a copy of a commit, with an environment that holds no secrets.

What comes out is a value. A proof that could not be run, did not end, or changed what it proves has
proved nothing: ``unknown``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.errors import UsageError
from truegreen.incidents.actions import supervise
from truegreen.incidents.actions.checkout import Repository, check_out
from truegreen.incidents.actions.proof import Held, arguments, files, meaning
from truegreen.incidents.document import Proof

# What a process needs to start, and nothing that opens a door.
_PASSED_ON = ("LANG", "LC_ALL", "VIRTUAL_ENV", "SYSTEMROOT")
# A drill builds: it needs to find packages, and the network to get them.
_OF_A_BUILD = ("UV_CACHE_DIR", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL",
               "PIP_CONFIG_FILE", "UV_CONFIG_FILE", "SSL_CERT_FILE")  # fmt: skip
_PATIENCE = 60.0  # seconds that the supervisor may take beyond the proof's own time


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a proof came to.

    ``output`` is the end of what it printed, ``digest`` the digest of all of it; ``wrote`` are the
    paths that it changed in its copy; ``left`` the processes that it left behind, all ended;
    ``network`` is ``closed``, or ``open`` with the reason.
    """

    held: Held
    why: str
    commit: str
    state: str
    exit: int | None
    seconds: float
    output: str
    digest: str
    network: str
    wrote: tuple[str, ...] = ()
    left: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "held": str(self.held),
            "why": self.why,
            "commit": self.commit,
            "state": self.state,
            "exit": self.exit,
            "seconds": round(self.seconds, 3),
            "output": self.output[-2000:],
            "digest": self.digest,
            "network": self.network,
            "wrote": list(self.wrote),
            "left": self.left,
        }


def run_proof(
    repository: Repository,
    proof: Proof,
    *,
    commit: str,
    trusted: str,
    state: str = "",
    extra: Mapping[str, str] | None = None,
) -> Outcome:
    """Runs ``proof`` at ``commit`` (a full id), its own files taken from the commit ``trusted``.

    ``state``: a folder below the service's root, at ``trusted``, whose content is laid over the
    service first. ``extra``: variables that a live proof gets. UsageError when the proof
    is none, or git has not what it needs.
    """
    run = arguments(proof)
    with check_out(repository, commit) as copy:
        if state:
            copy.lay_over(trusted, [state])
            _lay_over(copy.root / state, copy.root)
        copy.lay_over(trusted, files(proof))
        before = copy.snapshot()
        outside = repository.fingerprint()
        open_network = bool(proof.drill) or proof.when == "live"
        told = _supervised(run, copy.root, proof, close_network=not open_network, extra=extra or {})
        wrote = copy.changed(before)
        touched = repository.touched(outside)
    held, why = _held(proof, told, wrote, touched=touched)
    return Outcome(
        held=held,
        why=why,
        commit=commit,
        state=state,
        exit=told["exit"],
        seconds=float(told["seconds"]),
        output=str(told["output"]),
        digest=str(told["digest"]),
        network=str(told["network"]),
        wrote=wrote,
        left=int(told["left"]),
    )


def _held(
    proof: Proof, told: Mapping[str, Any], wrote: tuple[str, ...], *, touched: bool
) -> tuple[Held, str]:
    if told["error"]:
        return Held.UNKNOWN, str(told["error"])
    if told["timed_out"]:
        return Held.UNKNOWN, f"it did not end within {proof.timeout:g} s, and was ended"
    if told["still"]:
        return Held.UNKNOWN, f"{told['still']} of its processes could not be ended"
    if touched:
        return Held.UNKNOWN, "the repository itself changed while it ran"
    if wrote:
        more = f" and {len(wrote) - 3} more" if len(wrote) > 3 else ""
        shown = ", ".join(wrote[:3])
        return Held.UNKNOWN, f"it changed what it proves: {shown}{more} (in its copy only)"
    held, why = meaning(proof, int(told["exit"]))
    if held is Held.RED and told["network"] == "closed" and _misses_network(told):
        return Held.UNKNOWN, "it needs the network, which is closed to a candidate's proof"
    return held, why


def _misses_network(told: Mapping[str, Any]) -> bool:
    signs = ("Network is unreachable", "Name or service not known", "ENETUNREACH", "EAI_AGAIN",
             "Temporary failure in name resolution", "Could not resolve host")  # fmt: skip
    return any(sign in told["output"] for sign in signs)


def _supervised(
    run: tuple[str, ...],
    cwd: Path,
    proof: Proof,
    *,
    close_network: bool,
    extra: Mapping[str, str],
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="truegreen-home-", ignore_cleanup_errors=True) as home:
        environment = clean_environment(Path(home), building=bool(proof.drill))
        job = {
            "arguments": [_program(run[0]), *run[1:]],
            "cwd": str(cwd),
            "env": {**environment, **extra},
            "timeout": proof.timeout,
            "close_network": close_network,
        }
        process = subprocess.Popen(
            [sys.executable, "-I", str(Path(supervise.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": environment["PATH"]},
        )
        try:
            printed, errors = process.communicate(
                json.dumps(job).encode(), proof.timeout + _PATIENCE
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError("the process around the proof did not end") from error
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(10)
    try:
        told: dict[str, Any] = json.loads(printed)
    except ValueError as error:
        said = errors.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit {process.returncode}"
        raise UsageError(f"the process around the proof broke: {why}") from error
    return told


def clean_environment(home: Path, *, building: bool = False) -> dict[str, str]:
    """The environment of a proof: a home of its own, and none of ours that could hold a secret."""
    beside = str(Path(sys.executable).parent)
    names = (*_PASSED_ON, *(_OF_A_BUILD if building else ()))
    environment = {name: os.environ[name] for name in names if name in os.environ}
    scratch = home / "tmp"
    scratch.mkdir()
    environment |= {
        "PATH": os.pathsep.join((beside, os.environ.get("PATH", os.defpath))),
        "HOME": str(home),
        "TMPDIR": str(scratch),
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    if building:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
        environment.setdefault("UV_CACHE_DIR", str(cache))
    return environment


def _program(name: str) -> str:
    """Our own Python for ``python``: the one that has what the service needs installed."""
    return sys.executable if name in ("python", "python3") else name


def _lay_over(folder: Path, root: Path) -> None:
    if not folder.is_dir():
        raise UsageError(f"the incident's state {folder.name} is no folder")
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise UsageError(f"the incident's state holds a link: {path.name}")
    shutil.copytree(folder, root, dirs_exist_ok=True)
    shutil.rmtree(folder)
