"""The heads of a folder of Alembic revisions, asked of Alembic itself; no database.

Loading revisions executes their files, so this runs in a process of its own:
``python -P -m truegreen.gates.migrations.heads ALEMBIC_INI ANSWER_FILE``, in the service's root.
The answer is one JSON document in ANSWER_FILE: ``{"heads": [[revision, file]…]}``, or
``{"problem": text, "file": name or "", "kind": "fail" | "unknown"}``.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from truegreen.release.migrate.revision_files import blame, broken, declared, relative


def main(ini: str, answer: str) -> None:
    """Writes the answer; whatever a revision prints goes to standard error."""
    sys.stdout = sys.stderr
    root = Path.cwd()
    try:
        told = _ask(ini, root)
    except ModuleNotFoundError as error:
        told = _problem(f"{error}: it is not installed here", blame(error, root), "unknown")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision may raise anything
        text = f"{type(error).__name__}: {error}"
        told = _problem(" ".join(text.split()), blame(error, root))
    Path(answer).write_text(json.dumps(told), encoding="utf-8")


def _ask(ini: str, root: Path) -> dict[str, Any]:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError

    script = ScriptDirectory.from_config(Config(ini))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            heads = script.get_heads()
            files = {one.revision: one.path for one in script.walk_revisions()}
        except (RevisionError, CommandError, KeyError) as error:
            wrong = broken(declared(Path(script.dir), root))
            if wrong is None:
                raise
            text = f"{wrong.key}: {wrong.problem} ({' '.join(str(error).split())})"
            return _problem(text, wrong.file)
    wrong = broken(declared(Path(script.dir), root))
    if wrong is not None:
        return _problem(f"{wrong.key}: {wrong.problem}", wrong.file)
    told = [str(warning.message) for warning in caught if "evision" in str(warning.message)]
    if told:
        return _problem(told[0], "")
    return {"heads": [[head, relative(Path(files[head]), root)] for head in sorted(heads)]}


def _problem(text: str, file: str, kind: str = "fail") -> dict[str, Any]:
    return {"problem": text, "file": file, "kind": kind}


if __name__ == "__main__":
    main(*sys.argv[1:3])
