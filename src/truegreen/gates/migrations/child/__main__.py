"""``python -P -m truegreen.gates.migrations.child QUESTION ANSWER``, in the service's root.

QUESTION: ``{"ini", "base": [revision…] or null, "sql": bool, "trace": bool}``. For the trace, the
database's URL is read from standard input, one line, when it is needed (``!`` and why there is
none). ANSWER: one JSON document,
``{"heads", "unknown", "pending", "sql", "trace"}`` or ``{"problem", "file", "kind"}``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from truegreen.gates.migrations.child import graph

# Nobody listens there: an env.py that connects before it is asked to fails at once.
NOWHERE = "postgresql+psycopg://offline@127.0.0.1:1/offline"


def main(question_file: str, answer_file: str) -> None:
    """Writes the answer; whatever a revision prints goes to standard error."""
    sys.stdout = sys.stderr
    root = Path.cwd()
    os.environ["DATABASE_URL"] = NOWHERE
    try:
        question = json.loads(Path(question_file).read_text(encoding="utf-8"))
        with _standard_input() as lines:
            told = ask(question, root, lines)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision may raise anything
        told = graph.problem_of(error, root).as_json()
    Path(answer_file).write_text(json.dumps(told), encoding="utf-8")


@contextmanager
def _standard_input() -> Iterator[IO[str]]:
    """Ours alone: a revision that reads from it finds its end."""
    with os.fdopen(os.dup(0), encoding="utf-8") as own, Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
        sys.stdin = nothing
        yield own


def ask(question: dict[str, Any], root: Path, lines: IO[str]) -> dict[str, Any]:
    """The answer to ``question``; ``lines`` gives the database's URL. Raises Problem, and what the
    revisions raise on loading."""
    scripts = graph.load(question["ini"], root)
    told: dict[str, Any] = {"heads": graph.heads(scripts, root), "unknown": [], "pending": []}
    if question["base"] is None:
        return told
    base = tuple(question["base"])
    told["unknown"] = graph.unknown(scripts, base)
    if told["unknown"]:
        return told
    pending = graph.pending(scripts, base, root)
    told["pending"] = [graph.describe(one, root) for one in pending]
    if not pending or len(told["heads"]) != 1:
        return told
    if question["sql"]:
        told["sql"] = {one.revision: _sql(question["ini"], scripts, one, root) for one in pending}
    if question["trace"]:
        told["trace"] = _trace(question["ini"], scripts, base, root, lines)
    return told


def _sql(ini: str, scripts: Any, revision: Any, root: Path) -> dict[str, str]:
    from alembic.config import Config

    from truegreen.gates.migrations.child.offline import sql_of

    config = Config(str(root / ini))
    config.set_main_option("sqlalchemy.url", NOWHERE)
    try:
        return {"text": sql_of(config, scripts, revision), "error": ""}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision may raise anything
        problem = graph.problem_of(error, root)
        where = f"{problem.file}: " if problem.file else ""
        return {"text": "", "error": f"{where}{problem.text}"[:500]}


def _trace(
    ini: str, scripts: Any, base: tuple[str, ...], root: Path, lines: IO[str]
) -> dict[str, Any]:
    from alembic.config import Config

    url = lines.readline().strip()
    if not url or url.startswith("!"):
        why = url[1:] or "no database was given"
        return {"revisions": [], "tables": [], "unseeded": [], "error": why, "state": ""}
    from truegreen.gates.migrations.child.trace import Trace

    os.environ["DATABASE_URL"] = url
    config = Config(str(root / ini))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return Trace(config, scripts, base, url).run(root)


if __name__ == "__main__":
    main(*sys.argv[1:3])
