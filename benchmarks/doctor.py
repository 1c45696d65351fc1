"""doctor on a service of 2,000 files in under a second, and how it grows.

    uv run python benchmarks/doctor.py

The service is this repository's own source, copied under other names until there are as many files.
There is no peer: linters of workflows (zizmor, actionlint) read workflows alone; zizmor is timed on
them for comparison. Whole processes, median of seven. Exits 1 when the claim does not hold.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLAIM = 1.0  # seconds


def service(root: Path, files: int) -> int:
    """Fills ``root`` with a service of ``files`` files; their size in bytes."""
    shutil.copytree(ROOT / ".github", root / ".github")
    shutil.copytree(ROOT / "examples" / "raptor" / "migrations", root / "migrations")
    (root / "Procfile").write_text("release: truegreen release\nweb: gunicorn app\n")
    sources = sorted((ROOT / "src").rglob("*.py"))
    size = 0
    for number in range(files):
        source = sources[number % len(sources)]
        folder = root / f"package{number // 100}"
        folder.mkdir(exist_ok=True)
        size += len(source.read_bytes())
        shutil.copy(source, folder / f"module{number}.py")
    return size


def seconds(command: list[str], runs: int = 7) -> float:
    """The median wall time of the command as a whole process."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - began)
        if "Traceback" in done.stderr:
            raise SystemExit(done.stderr)
    return statistics.median(times)


def main() -> int:
    python = sys.executable
    print(f"{'files':>7}  {'MB':>5}  {'seconds':>8}  ms a file")
    held = True
    for files in (200, 2_000, 20_000):
        with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as folder:
            root = Path(folder)
            size = service(root, files)
            runs = 7 if files <= 2_000 else 3
            took = seconds([python, "-m", "truegreen", "doctor", folder, "--quiet"], runs)
        if files == 2_000:
            held = took < CLAIM
        print(f"{files:>7}  {size / 1e6:>5.1f}  {took:>8.3f}  {took / files * 1e3:.2f}")
    start = seconds([python, "-m", "truegreen", "--help"])
    print(f"of which to start: {start:.3f} s (truegreen --help)")
    zizmor = Path(python).with_name("zizmor")
    if zizmor.exists():
        took = seconds([str(zizmor), "--offline", "--quiet", str(ROOT / ".github")])
        print(f"zizmor on the workflows alone: {took:.3f} s")
    print("holds" if held else f"MISSED: 2,000 files take more than {CLAIM} s")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
