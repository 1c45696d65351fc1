"""The peers of ``scan.py``, each as a command over one file: how it is called, and on how much.

Secret scanners look for less than truegreen does (no personal data), the personal-data ones for
less too (no secrets); all are called with what they ship. One thread each, where they can be told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PRESIDIO = """
import logging, sys
logging.disable(logging.CRITICAL)
from presidio_analyzer import predefined_recognizers as known
recognizers = [known.CreditCardRecognizer(), known.EmailRecognizer(), known.IbanRecognizer(),
               known.UsSsnRecognizer(), known.PhoneRecognizer(), known.IpRecognizer()]
for line in open(sys.argv[1], errors="replace"):
    for recognizer in recognizers:
        recognizer.analyze(line, recognizer.supported_entities, None)
"""
DATAFOG = """
import sys
from datafog.processing.text_processing.regex_annotator.regex_annotator import RegexAnnotator
annotator = RegexAnnotator()
for line in open(sys.argv[1], errors="replace"):
    annotator.annotate_with_spans(line)
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """``command`` gets the file's name at the end, in the file's folder; ``most`` is how many bytes
    of the input it is given, so that a slow one ends."""

    name: str
    command: tuple[str, ...]
    most: int = 1 << 40


def peers(folder: Path, shapes: Path) -> list[Peer]:
    """Those that are installed, on PATH or in ``folder``; ``shapes`` has ripgrep's patterns."""
    python = str(folder / "python")
    known = [
        Peer("ripgrep", ("rg", "-j1", "--no-unicode", "-a", "-o", "-c", "-f", str(shapes))),
        Peer("kingfisher", ("kingfisher", "scan", "--jobs", "1", "--no-validate")),
        Peer("betterleaks", ("betterleaks", "-j", "1", "-l", "error"), 40_000_000),
        Peer("gitleaks", ("gitleaks", "dir", "--no-banner", "-l", "error"), 10_000_000),
        Peer(
            "gitleaks 8.16",
            ("gitleaks-8.16", "detect", "--no-git", "-l", "error", "-s"),
            10_000_000,
        ),
        Peer("credsweeper", ("credsweeper", "--jobs", "1", "--no-stdout", "--path"), 1_000_000),
        Peer("detect-secrets", ("detect-secrets", "-c", "1", "scan", "--all-files"), 1_000_000),
        Peer("datafog", (python, "-c", DATAFOG), 2_000_000),
        Peer("presidio patterns", (python, "-c", PRESIDIO), 200_000),
    ]
    found = []
    for peer in known:
        tool = shutil.which(peer.command[0], path=f"{folder}:{os.environ['PATH']}")
        if tool:
            found.append(Peer(peer.name, (tool, *peer.command[1:]), peer.most))
        else:
            print(f"{peer.name}: not installed, left out")
    return found


def seconds(command: Sequence[str], path: Path) -> float | None:
    """How long ``command`` takes on ``path``; None when it fails."""
    around = {**os.environ, "GOMAXPROCS": "1"}
    start = time.perf_counter()
    done = subprocess.run(
        [*command, path.name], cwd=path.parent, capture_output=True, env=around, check=False
    )
    took = time.perf_counter() - start
    if done.returncode not in (0, 1, 200, 205):  # found something, for some of them
        print(done.stderr.decode(errors="replace")[-300:])
        return None
    return took


def speed(peer: Peer, path: Path, folder: Path) -> float | None:
    """Bytes a second on ``path``, or on the part of it that the peer is given: what it takes for
    an empty file (starting up) does not count."""
    empty, part = folder / "empty.txt", folder / f"part{path.suffix or '.txt'}"
    empty.write_bytes(b"\n")
    data = path.read_bytes()[: peer.most]
    part.write_bytes(data)
    times = [seconds(peer.command, one) for one in (empty, part, part)]
    if any(one is None for one in times):
        return None
    start, *took = (one for one in times if one is not None)
    return len(data) / max(1e-2, min(took) - start)
