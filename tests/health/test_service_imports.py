"""What lives inside a service must load fast, and with nothing else installed."""

import json
import subprocess
import sys
from pathlib import Path

import truegreen

SOURCE = Path(truegreen.__file__).parent.parent
PARTS = ", ".join(
    f"truegreen.{part}" for part in ("flags", "guard", "guard.wsgi", "guard.flask", "health")
)
ALLOWED = {"errors", "frozen", "secret", "config", "flags", "guard", "health"}


def in_bare_python(code: str) -> str:
    """Runs ``code`` where no package is installed; only our source can be found."""
    prelude = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_flags_guard_and_health_load_only_the_standard_library() -> None:
    loaded = json.loads(
        in_bare_python(f"import json, {PARTS}\nprint(json.dumps(sorted(sys.modules)))")
    )
    ours = {name.split(".")[1] for name in loaded if name.startswith("truegreen.")}
    others = {name.split(".")[0] for name in loaded} - {"truegreen", "__main__"}
    assert ours <= ALLOWED
    assert "config" not in ours
    assert others <= set(sys.stdlib_module_names) | {"_distutils_hack"}


# Each of these takes a millisecond or more; benchmarks/flags.py holds the whole to ten.
HEAVY = {"typing", "re", "dataclasses", "enum", "pathlib", "inspect", "json", "hashlib", "hmac",
         "asyncio", "logging", "datetime", "threading", "tomllib", "urllib", "functools",
         "collections"}  # fmt: skip


def test_flags_and_health_load_nothing_heavy() -> None:
    loaded = in_bare_python(
        "before = set(sys.modules)\nimport truegreen.flags, truegreen.health\n"
        "print(*(set(sys.modules) - before))"
    )
    assert not {name for name in loaded.split() if name.split(".")[0] in HEAVY}
