"""The seal: what a test session's environment holds. A pure function of environment and settings.

Does not touch ``os.environ``; ``plugin`` applies it in a process, ``release.smoke`` to a child.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

# What a Python process needs to start, and what names no service: let through without asking.
# The platform's runtime metadata (HEROKU_…, DYNO, PORT) is not in it: a test must not see where
# it runs. PYTEST_ADDOPTS is not either: it would let the machine choose the tests.
DEFAULT_PASS = (
    "PATH",
    "USER",
    "LOGNAME",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "TMPDIR",
    "TMP",
    "TEMP",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    # set by pytest and its workers in their own processes
    "PYTEST_CURRENT_TEST",
    "PYTEST_VERSION",
    "PYTEST_XDIST_*",
    # set by the release phase for the plugin in its child
    "TRUEGREEN_SCRATCH_DATABASE",
)

SCRATCH_NAME = "scratch.sqlite3"
HOME_NAME = "home"
CWD_NAME = "cwd"
LOCALE = "C.UTF-8"


class Passes:
    """Which variables are let through: exact names, or a beginning that ends in ``*``."""

    __slots__ = ("patterns",)

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns

    def __repr__(self) -> str:
        return f"Passes({self.patterns!r})"

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return _is_the_interpreters(name) or any(
            name.startswith(one[:-1]) if one.endswith("*") else name == one for one in self.patterns
        )


def _is_the_interpreters(name: str) -> bool:
    """PYTHONPATH to PYTHONWARNINGS; PYTHON_ENV is an application's."""
    rest = name.removeprefix("PYTHON")
    return rest != name and rest.isalnum() and rest.isascii() and rest == rest.upper()


class Sealed(NamedTuple):
    """``environ`` is what the session may see; ``pinned`` and ``removed`` are names only."""

    environ: Mapping[str, str]
    pinned: frozenset[str]
    removed: tuple[str, ...]
    passes: Passes


def passes(pass_env: Iterable[str] = ()) -> Passes:
    """DEFAULT_PASS with the service's own ``smoke.pass_env`` after it."""
    return Passes((*DEFAULT_PASS, *pass_env))


def seal(
    environ: Mapping[str, str],
    pins: Mapping[str, str],
    pass_env: Iterable[str] = (),
    *,
    scratch: Path,
    sealed: bool = True,
    database: bool = True,
) -> Sealed:
    """What is left of ``environ`` under the seal.

    Only pins and what is let through stay; a pin wins over what the machine says. Unless they are
    pinned or named in ``pass_env``, TZ is pinned to UTC, LANG and LC_ALL to C.UTF-8, HOME to a
    folder below ``scratch`` (nothing is created here), and DATABASE_URL to a SQLite file in it, so
    that no test can reach the machine's database or somebody's files.
    Without ``database``, DATABASE_URL is not set.
    With ``sealed=False`` nothing is removed and only ``pins`` are set.
    """
    named = Passes(tuple(pass_env))
    let_through = passes(pass_env)
    if not sealed:
        return Sealed(MappingProxyType({**environ, **pins}), frozenset(pins), (), let_through)
    own = {
        "TZ": "UTC",
        "LANG": LOCALE,
        "LC_ALL": LOCALE,
        "HOME": str(scratch.absolute() / HOME_NAME),
        "DATABASE_URL": f"sqlite:///{scratch.absolute() / SCRATCH_NAME}",
    }
    if not database:
        del own["DATABASE_URL"]
    kept = {name: value for name, value in environ.items() if name in let_through}
    if environ.get("HOME") and "HOME" not in named and "HOME" not in pins:
        # What is installed for this user only (pip install --user) is found through HOME.
        kept.setdefault("PYTHONUSERBASE", str(Path(environ["HOME"]) / ".local"))
    all_pins = {name: value for name, value in own.items() if name not in named} | dict(pins)
    removed = tuple(sorted(set(environ) - set(kept) - set(all_pins)))
    return Sealed(MappingProxyType(kept | all_pins), frozenset(all_pins), removed, let_through)
