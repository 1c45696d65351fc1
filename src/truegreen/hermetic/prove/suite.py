"""A suite in a fork server of its own: the sealed environment, pytest's arguments, a folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from truegreen.config import Config
from truegreen.hermetic.prove.client import ForkServer
from truegreen.hermetic.prove.folder import own_folder
from truegreen.hermetic.seal import Sealed, seal


@dataclass(frozen=True, slots=True)
class Prepared:
    """``options`` keep pytest inside the service; ``environ`` is what its processes begin with."""

    options: tuple[str, ...]
    environ: Mapping[str, str]


# (configuration, sealed environment, an empty folder) -> what the suite is run with, while it lasts
Prepare = Callable[[Config, Mapping[str, str], Path], AbstractContextManager[Prepared]]


@contextmanager
def open_server(
    config: Config,
    prepare: Prepare,
    environ: Mapping[str, str],
    assumed: Mapping[str, str | None],
) -> Iterator[tuple[ForkServer, Sealed]]:
    """A fork server for ``smoke.paths``, in the sealed environment plus ``assumed``; gone
    afterwards, and its folder too."""
    with own_folder() as scratch, ExitStack() as running:
        sealed = seal(
            environ,
            config.smoke.env,
            config.smoke.pass_env,
            scratch=scratch,
            database=config.smoke.scratch != "none",
        )
        prepared = running.enter_context(
            prepare(config, {**sealed.environ, "TMPDIR": str(scratch)}, scratch)
        )
        arguments = [
            *("-p", "truegreen.hermetic.plugin", "-p", "no:cacheprovider"),
            *("--capture=sys", "--continue-on-collection-errors", "--maxfail=0", "--tb=short"),
            f"--truegreen-result={scratch / 'unused.json'}",
            *_in_one_process(),
            *prepared.options,
            *config.smoke.paths,
        ]
        with ForkServer(
            config.root,
            arguments,
            prepared.environ,
            scratch=scratch,
            timeout=config.smoke.timeout,
            base=assumed,
        ) as server:
            yield server, sealed


def _in_one_process() -> list[str]:
    """A project's own ``-n auto`` would put the tests where they cannot be forked."""
    return ["-n0"] if importlib.util.find_spec("xdist") else []
