"""What ``scan.py`` scans: a log, source code, a service's repository, one with a long history.
Made from a seed, so that every run has the same; nothing in it is anybody's.
"""

from __future__ import annotations

import random
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

TESTS = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}


def log(path: Path, size: int) -> None:
    """A web service's log of ``size`` bytes: one line in five thousand has an address in it."""
    drawn = random.Random(1)
    with path.open("wb") as file:
        written = number = 0
        while written < size:
            number += 1
            user = f" user=jane{number}@corp.de" if number % 5000 == 0 else ""
            line = (
                f"2026-06-21T12:{number // 60000 % 60:02d}:{number // 1000 % 60:02d}."
                f"{number % 1000:03d}Z app[web.{number % 4}]: method=GET "
                f'path="/api/orders/{drawn.randrange(10**6)}" host=raptor.example.com '
                f"request_id={drawn.getrandbits(128):032x} fwd=10.{number % 200}.3.7 "
                f"dyno=web.1 connect={number % 9}ms service={drawn.randrange(300)}ms "
                f"status=200 bytes={drawn.randrange(9999)}{user}\n"
            ).encode()
            file.write(line)
            written += len(line)


def library() -> Iterator[tuple[str, bytes]]:
    """The standard library's source, without its tests."""
    root = Path(sysconfig.get_path("stdlib"))
    for file in sorted(root.rglob("*.py")):
        inner = file.relative_to(root)
        if not TESTS & set(inner.parts):
            yield str(inner), file.read_bytes()


def source(path: Path) -> None:
    """All of it in one file."""
    path.write_bytes(b"\n".join(data for _, data in library()))


def service(root: Path, files: int) -> int:
    """A repository of one commit with ``files`` files of a service's size; gives their bytes."""
    sources = [data for _, data in library()]
    size = 0
    for number in range(files):
        whole = sources[number % len(sources)]
        start = (number // len(sources)) * 4000 % max(1, len(whole) - 8000)
        data = b"# %d\n" % number + whole[start : start + 8000]
        file = root / f"app/part{number % 40}/module{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        size += len(data)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    git(root, "repack", "-adq")
    return size


def history(root: Path, commits: int) -> None:
    """A repository whose history has ``commits`` commits, each of which changes three files."""
    drawn = random.Random(2)
    texts = {f"lib/{name}": data.split(b"\n") for name, data in list(library())[:150]}
    names = sorted(texts)
    root.mkdir()
    git(root, "init", "-q")
    with subprocess.Popen(
        ["git", "-C", str(root), "fast-import", "--quiet"], stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        for number in range(commits):
            message = f"change {number}".encode()
            process.stdin.write(
                b"commit refs/heads/main\ncommitter T <t@example.com> %d +0000\ndata %d\n%s\n"
                % (1_700_000_000 + number * 60, len(message), message)
            )
            for name in names if number == 0 else drawn.sample(names, 3):
                lines = texts[name]
                lines[drawn.randrange(len(lines))] = b"# line %d" % number
                data = b"\n".join(lines)
                process.stdin.write(b"M 100644 inline %s\n" % name.encode())
                process.stdin.write(b"data %d\n%s\n" % (len(data), data))
    git(root, "reset", "-q", "--hard", "main")
    git(root, "repack", "-adq")


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "core.hooksPath=")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True)
