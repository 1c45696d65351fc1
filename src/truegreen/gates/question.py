"""What a gate is asked: a service, an environment, a commit, a moment; and the facts about them.

A fact that costs something (what serves now, how long releases take) is read when the first gate
wants it, once, by whoever was handed in: nothing here knows the platform or the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from truegreen.config import Config, Environment
from truegreen.gates.head_tree import run_git
from truegreen.gates.rehearsed import REHEARSAL_NOT_ASKED, Rehearsed
from truegreen.gates.schema_at import SCHEMA_NOT_ASKED, SchemaAt
from truegreen.gates.serving import NOT_ASKED, Past, Serving
from truegreen.gates.wave import Wave, read_wave

_T = TypeVar("_T")
STANDARD_ERROR = 2


class Question:
    """One question to all gates. ``commit`` is what would be shipped: HEAD, or a full id.

    ``now`` (with a zone) is the moment at which it would be. ``environ`` is this process's when
    None. ``output`` is the file descriptor for what a suite prints (None: standard output).
    ``read_serving``, ``read_past`` and ``read_schema`` never raise: what cannot be read is said in
    the value, or left out.
    """

    def __init__(
        self,
        config: Config,
        environment: Environment | None = None,
        *,
        commit: str = "HEAD",
        now: datetime | None = None,
        environ: Mapping[str, str] | None = None,
        output: int | None = STANDARD_ERROR,
        read_serving: Callable[[], Serving] = lambda: NOT_ASKED,
        read_past: Callable[[], Past] = lambda: Past(),
        read_schema: Callable[[], SchemaAt] = lambda: SCHEMA_NOT_ASKED,
        read_rehearsal: Callable[[Serving], Rehearsed] = lambda _: REHEARSAL_NOT_ASKED,
    ) -> None:
        self.config = config
        self.environment = environment or config.environments[config.default_env]
        self.commit = commit
        self.now = (now or datetime.now(UTC)).astimezone(UTC)
        self.environ = os.environ if environ is None else environ
        self.output = output
        self._serving = Once(read_serving)
        self._wave = Once(lambda: read_wave(config, self.serving, commit))
        self._past = Once(read_past)
        self._schema = Once(read_schema)
        self._rehearsal = Once(lambda: read_rehearsal(self.serving))

    @property
    def full_commit(self) -> str:
        """The full id of the commit; as it was named, where git cannot say."""
        done = run_git(self.root, "rev-parse", "--verify", "--quiet", f"{self.commit}^{{commit}}")
        return done.stdout.decode().strip() or self.commit

    @property
    def app(self) -> str:
        return self.environment.app

    @property
    def root(self) -> Path:
        return self.config.root

    @property
    def serving(self) -> Serving:
        """What serves now; asks the platform the first time."""
        return self._serving()

    @property
    def wave(self) -> Wave:
        """What lies between what serves and the commit; asks the platform and git."""
        return self._wave()

    @property
    def past(self) -> Past:
        """This app's earlier runs, as the ledger has them."""
        return self._past()

    @property
    def schema(self) -> SchemaAt:
        """Where the target's database is; asks the platform the first time."""
        return self._schema()

    @property
    def rehearsal(self) -> Rehearsed:
        """The release, rehearsed; takes as long as a release the first time."""
        return self._rehearsal()


class Once(Generic[_T]):
    """Calls ``read`` when first called, whoever is first; everyone gets that value."""

    def __init__(self, read: Callable[[], _T]) -> None:
        self._read = read
        self._lock = Lock()
        self._value: list[_T] = []

    def __call__(self) -> _T:
        with self._lock:
            if not self._value:
                self._value.append(self._read())
            return self._value[0]
