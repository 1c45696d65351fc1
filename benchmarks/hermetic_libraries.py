"""The suites of well-known Flask and Django libraries, unchanged, without the seal and under it.

Downloads each library's source distribution from PyPI, installs it beside pytest and this checkout
into an environment of its own, and runs its suite twice: as it is, and with the plugin (policy
record). A suite that comes out the same is not disturbed; what leaks is listed with its line.
Everything happens in a temporary folder. Needs PyPI.

    uv run --group bench python benchmarks/hermetic_libraries.py [NAME…]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from truegreen.hermetic.result import SessionResult, read_result

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Library:
    name: str
    version: str
    needs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


LIBRARIES = (
    Library("flask", "3.1.2", ("asgiref", "python-dotenv")),
    Library("flask-sqlalchemy", "3.1.1", ("sqlalchemy<2.0.40",)),
    Library("flask-wtf", "1.2.2", ("flask-babel", "flask-reuploaded", "email-validator")),
    Library("django-environ", "0.12.0", ("django", "setuptools")),
)
PYTEST = "pytest<9"  # these suites were written for it
RESULT = "truegreen-result.json"


def run(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)


def must(*argv: str, cwd: Path) -> None:
    done = run(*argv, cwd=cwd)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} exited {done.returncode}: {done.stderr[-2000:]}")


def fetched(library: Library, folder: Path) -> tuple[Path, Path]:
    """(the unpacked source distribution, the Python that has it installed)."""
    uv = "uv"
    must(uv, "venv", "--seed", "-q", "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    exact = f"{library.name}=={library.version}"
    must(
        str(python), "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:",
        "-d", "sdist", exact, cwd=folder,
    )  # fmt: skip
    with tarfile.open(next((folder / "sdist").glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "source", filter="data")
    source = next((folder / "source").iterdir())
    must(
        uv, "pip", "install", "-q", "--python", str(python), PYTEST, str(source),
        str(CHECKOUT), *library.needs, cwd=folder,
    )  # fmt: skip
    return source, python


def counted(output: str) -> str:
    last = [line.strip("= ") for line in output.splitlines() if line.strip()]
    return last[-1].rpartition(" in ")[0] if last else "no output"


def row(library: Library, folder: Path) -> tuple[str, str, str, SessionResult | None, str]:
    source, python = fetched(library, folder)
    pytest = (str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *library.options)
    plain = run(*pytest, cwd=source)
    (source / "truegreen.toml").write_text('[smoke]\nleaks = "record"\n', encoding="utf-8")
    result = folder / RESULT
    sealed = run(
        *pytest, "-p", "truegreen.hermetic.plugin", f"--truegreen-result={result}", cwd=source
    )
    name = f"{library.name} {library.version}"
    return name, counted(plain.stdout), counted(sealed.stdout), read_result(result), sealed.stdout


def main() -> None:
    wanted = sys.argv[1:]
    os.environ.pop("VIRTUAL_ENV", None)
    worst = 0
    print("| library | plain pytest | sealed | leaks | refused connections |")
    print("|---|---|---|---|---|")
    details: list[str] = []
    for library in LIBRARIES:
        if wanted and library.name not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="truegreen-libraries-") as folder:
            try:
                name, plain, sealed, result, output = row(library, Path(folder))
            except RuntimeError as error:
                print(f"| {library.name} {library.version} | could not be run | | | |")
                details.append(str(error))
                worst = 3
                continue
        if result is None:
            print(f"| {name} | {plain} | no result | | |")
            details.append(output[-2000:])
            worst = 3
            continue
        variables = sorted({leak.variable for leak in result.leaks})
        told = f"{len(variables)}: {', '.join(variables)}" if variables else "0"
        print(f"| {name} | {plain} | {sealed} | {told} | {len(result.blocked)} |", flush=True)
        details += [f"{name}: {one.variable} {one.file}:{one.line}" for one in result.leaks]
        details += [f"{name}: {sentence}" for sentence in result.unseen]
        if plain != sealed:
            details += [f"{name}: {one.test}: {one.message}" for one in result.failures]
            worst = max(worst, 1)
    print("\n" + "\n".join(details))
    sys.exit(worst)


if __name__ == "__main__":
    main()
