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


def test_they_add_less_than_ten_milliseconds_to_a_web_process() -> None:
    # What any web framework has loaded by then is not theirs.
    code = (
        "import typing, pathlib, hmac, threading, time\n"
        f"begin = time.perf_counter()\nimport {PARTS}\n"
        "print(time.perf_counter() - begin)"
    )
    assert min(float(in_bare_python(code)) for _ in range(5)) < 0.010
