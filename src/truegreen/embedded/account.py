"""As whom a program runs that refuses root (Postgres does), without adding a user to the system.

Only the choice of account and how to become it; what is run lives elsewhere.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from truegreen.errors import UsageError

_NOBODY = 65534
_CAPABILITIES = {"dac_override": 1, "dac_read_search": 2}  # bits, capabilities(7)


@dataclass(frozen=True)
class Account:
    """Run ``[*prefix, *command]``, as ``uid``/``gid`` where they are given; own files to them.

    ``owner``: whom the program's data must belong to; None means ourselves.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None
    owner: tuple[int, int] | None = None

    def give(self, path: Path) -> None:
        """Make the file or folder the account's own."""
        if self.owner:
            os.chown(path, *self.owner)


def unprivileged(executables: Sequence[Path], folders: Sequence[Path]) -> Account:
    """An account that is not root and can run ``executables`` and get to ``folders``.

    Not root already: ourselves. Root: ``nobody``; where a folder on the way lets only root through
    (a clone in `mktemp -d`, or under /root), it keeps one capability to pass through. access(2)
    looks at capabilities of a non-root user only with the secure bit NO_SETUID_FIXUP, and Postgres
    asks access(2) about its own binary: so that bit is set too. Raises UsageError when the
    capability or setpriv (util-linux) is not there.
    """
    if os.geteuid() != 0:
        return Account()
    try:
        entry = pwd.getpwnam("nobody")
        uid, gid = entry.pw_uid, entry.pw_gid
    except KeyError:
        uid = gid = _NOBODY
    runnable = all(_others_may(file, stat.S_IROTH | stat.S_IXOTH) for file in executables)
    ways = {parent for path in (*executables, *folders) for parent in path.resolve().parents}
    if runnable and all(_others_may(folder, stat.S_IXOTH) for folder in ways):
        return Account(uid=uid, gid=gid, owner=(uid, gid))
    held = _permitted()
    wanted = ["dac_read_search", "dac_override"] if runnable else ["dac_override"]
    capability = next((name for name in wanted if held >> _CAPABILITIES[name] & 1), None)
    setpriv = shutil.which("setpriv")
    if capability is None or setpriv is None:
        missing = "setpriv (util-linux)" if setpriv is None else f"the capability {wanted[-1]}"
        places = ", ".join(str(path) for path in (*executables[:1], *folders))
        raise UsageError(
            f"{places}: the account {uid}, which stands in for root, cannot get there, "
            f"and {missing} is missing",
            hint="run as another user than root, or put both where others may pass (chmod o+x)",
        )
    prefix = (
        *(setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"),
        *("--securebits=+no_setuid_fixup", f"--inh-caps=+{capability}"),
        f"--ambient-caps=+{capability}",
    )
    return Account(prefix=prefix, owner=(uid, gid))


def _others_may(path: Path, bits: int) -> bool:
    return path.stat().st_mode & bits == bits


def _permitted() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0
