"""How well it finds: the labelled texts, and a large body of source where nothing is to be found.
The same measure, with peers beside it, is ``benchmarks/scan_quality.py``.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import sysconfig
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from truegreen.gates.scan.scanner import Scanner

TESTS = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}


@pytest.fixture(scope="module")
def quality(request: pytest.FixtureRequest) -> ModuleType:
    path = request.config.rootpath / "benchmarks" / "scan_quality.py"
    spec = importlib.util.spec_from_file_location("scan_quality", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "scan_quality", module)
        spec.loader.exec_module(module)
        return module


def test_precision_and_recall_on_labelled_texts(quality: ModuleType) -> None:
    score = quality.measure(quality.ours(), json.loads(quality.DATA.read_text(encoding="utf-8")))
    kinds = tuple(quality.TYPES.values())
    assert score.precision(*kinds) >= 0.97
    assert score.recall(*kinds) >= 0.90
    poor = [kind for kind in kinds if score.precision(kind) < 0.95 or score.recall(kind) < 0.90]
    assert poor == []


def test_the_measure_itself_counts_what_is_wrong_and_missed(quality: ModuleType) -> None:
    texts = [
        {
            "full_text": "a b c",
            "spans": [
                {"entity_type": "US_SSN", "start_position": 0, "end_position": 1},
                {"entity_type": "US_SSN", "start_position": 2, "end_position": 3},
            ],
        }
    ]
    score = quality.measure(lambda _: [(0, 1, "ssn"), (4, 5, "ssn"), (4, 5, "other")], texts)
    assert (score.precision("ssn"), score.recall("ssn")) == (0.5, 0.5)


def test_the_standard_library_has_next_to_nothing() -> None:
    """docs/scan.md lists what is left; each was looked at."""
    from truegreen.gates.scan.engines import make_engine
    from truegreen.gates.scan.rules import load_rules

    rules = load_rules()
    scanner = Scanner(rules, make_engine(rules))
    library = Path(sysconfig.get_path("stdlib"))
    found: Counter[str] = Counter()
    files = 0
    for file in library.rglob("*.py"):
        if not TESTS & set(file.relative_to(library).parts):
            files += 1
            found.update(hit.kind for hit in scanner.hits([file.read_bytes()]))
    assert files > 400
    assert found.total() < 15
    assert set(found) <= {"email"}
