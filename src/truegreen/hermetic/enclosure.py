"""The seal and the recording around this very process: begun, ended, and everything put back.

The edge of ``seal``, ``recorder`` and ``network``: these change ``os.environ``, ``socket`` and what
is imported. Knows nothing of pytest's hooks.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from truegreen.config.smoke import Smoke
from truegreen.hermetic.after_import import AfterImport
from truegreen.hermetic.network import NetworkSeal
from truegreen.hermetic.origin import Stack
from truegreen.hermetic.pins import PinHooks
from truegreen.hermetic.reads import KEYS_KEPT, Recording
from truegreen.hermetic.recorder import Watch
from truegreen.hermetic.result import TESTS_KEPT, BlockedConnection
from truegreen.hermetic.scratch_copy import is_server, own_copy
from truegreen.hermetic.seal import CWD_NAME, HOME_NAME, SCRATCH_NAME, seal

# A SQLite file to begin with, instead of an empty one: the release phase's, at the schema's head;
# or the address at which copies of a Postgres database are had.
SCRATCH_VARIABLE = "TRUEGREEN_SCRATCH_DATABASE"
_BLOCKED_KEPT = 200


class Enclosure:
    """One process, sealed (unless ``smoke.seal`` is false) and watched.

    ``recording`` has what was read, ``removed`` the names that were taken away, ``unseen`` what
    could not be watched, in sentences.
    """

    def __init__(self, root: Path, smoke: Smoke) -> None:
        self._root = root
        self._smoke = smoke
        self._stack = Stack(root)
        self._environ = os.environ
        self._before = dict(os.environ)
        self._scratch = tempfile.TemporaryDirectory(
            prefix="truegreen-seal-", ignore_cleanup_errors=True
        )
        self._sealed = seal(
            self._before,
            smoke.env,
            smoke.pass_env,
            scratch=Path(self._scratch.name),
            sealed=smoke.seal,
            database=smoke.scratch != "none",
        )
        self.removed = self._sealed.removed
        self.recording = Recording(self._stack, self._settled)
        self.unseen: list[str] = []
        self._moved = False
        self._watch = Watch(self.recording)
        self._pin_hooks = PinHooks(self.recording)
        self._network = NetworkSeal(smoke.allow_hosts, self._refused)
        self._sockets = AfterImport({"socket": self._network.close})
        self._blocked: dict[tuple[str, int, str, int], dict[str, int]] = {}

    def begin(self) -> None:
        """Seals and watches. What the user's code did before is said in ``unseen``."""
        early = [
            name
            for name, module in list(sys.modules.items())
            if name != "__main__" and self._stack.is_user(getattr(module, "__file__", None))
        ]
        if early:
            self.unseen.append(
                f"{', '.join(sorted(early)[:5])} imported before the seal could act, so what it "
                "read there is the machine's and was not seen: run pytest with "
                "-p truegreen.hermetic.plugin"
            )
        _become({**self._sealed.environ, **self._furnish(Path(self._scratch.name))})
        self._watch.start()
        self._pin_hooks.install()
        if self._smoke.seal:
            self._sockets.install()

    def tests_begin(self) -> None:
        """With ``cwd = "temporary"``, relative paths lead to an empty folder from here on. Not
        before: the imports and the collection of a suite may rest on where it stands."""
        if self._smoke.seal and self._smoke.cwd == "temporary":
            sys.path[:] = [os.path.abspath(one) for one in sys.path]  # noqa: PTH100  # "" too
            folder = Path(self._scratch.name) / CWD_NAME
            folder.mkdir(exist_ok=True)
            os.chdir(folder)
            self._moved = True

    def end(self) -> None:
        """Puts everything back as it was before ``begin``."""
        if self._moved:
            os.chdir(self._root)
        self._sockets.remove()
        self._network.open()
        self._pin_hooks.remove()
        self._watch.stop()
        _become(self._before)
        self._scratch.cleanup()

    def still_watched(self, during: str) -> None:
        """Says so, once, when somebody has replaced ``os.environ`` for good."""
        if os.environ is self._environ:
            return
        if not any("replaced os.environ" in one for one in self.unseen):
            self.unseen.append(
                f"{during} replaced os.environ and did not put it back: what was read after that "
                "was not seen (patch its items, with monkeypatch or patch.dict)"
            )

    def told(self) -> tuple[str, ...]:
        """``unseen``, and that the recording's bound was reached."""
        dropped = self.recording.dropped
        more = f"{dropped} reads were not kept: more than {KEYS_KEPT} different ones"
        return (*self.unseen, *((more,) if dropped else ()))

    def blocked(self) -> tuple[BlockedConnection, ...]:
        return tuple(
            BlockedConnection(
                *key, sum(tests.values()), tuple(test for test in tests if test)[:TESTS_KEPT]
            )
            for key, tests in sorted(self._blocked.items())
        )

    def _settled(self, name: str) -> str:
        pinned = self._sealed.pinned
        if name in pinned:
            return "pinned"
        if name in self._sealed.passes:
            return "passed"
        if len(name) > 1 and name.endswith("*"):
            return "pinned" if any(pin.startswith(name[:-1]) for pin in pinned) else ""
        return ""

    def _furnish(self, scratch: Path) -> dict[str, str]:
        """What the seal promises is made; with variables that only now have a value."""
        (scratch / HOME_NAME).mkdir(exist_ok=True)
        given = self._before.get(SCRATCH_VARIABLE)
        if not given or not self._smoke.seal:
            return {}
        if is_server(given):
            return {"DATABASE_URL": own_copy(given)}
        shutil.copyfile(given, scratch / SCRATCH_NAME)
        return {}

    def _refused(self, host: str, port: int, frame: FrameType) -> None:
        found = self._stack.place(frame)
        where = found[:2] if found else ("", 0)
        key = (host, port, *where)
        if key in self._blocked or len(self._blocked) < _BLOCKED_KEPT:
            tests = self._blocked.setdefault(key, {})
            tests[self.recording.test] = tests.get(self.recording.test, 0) + 1


def _become(wanted: Mapping[str, str]) -> None:
    """Makes this process's environment ``wanted``, for C and for children too."""
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    time.tzset()
