"""How well personal data is found: precision and recall a type, peers on the same texts.

    uv run python benchmarks/scan_quality.py                     # ours
    uv run --with presidio-analyzer --with datafog python benchmarks/scan_quality.py

The texts are presidio-research's (MIT; tests/gates/scan/data/README.md): 2,109 generated texts with
spans. A span counts as found when something of its type overlaps it; what overlaps no span of its
type counts as wrong. Peers run their patterns, without language models; one that is not installed
is named and left out.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "tests" / "gates" / "scan" / "data" / "pii-labelled.json"
TYPES = {
    "CREDIT_CARD": "card",
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
}

Span = tuple[int, int, str]  # from, to (characters), one of TYPES' values
Finder = Callable[[str], Iterable[Span]]


@dataclass
class Score:
    """Counts a type, and the texts behind what was missed and what was wrong."""

    right: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def precision(self, *kinds: str) -> float:
        right, wrong = (sum(c[k] for k in kinds) for c in (self.right, self.wrong))
        return right / (right + wrong) if right + wrong else 1.0

    def recall(self, *kinds: str) -> float:
        right, missed = (sum(c[k] for k in kinds) for c in (self.right, self.missed))
        return right / (right + missed) if right + missed else 1.0


def measure(find: Finder, texts: Iterable[Any]) -> Score:
    """``find`` on every labelled text."""
    score = Score()
    for text in texts:
        written = text["full_text"]
        found = [span for span in find(written) if span[2] in TYPES.values()]
        wanted = [
            (span["start_position"], span["end_position"], TYPES[span["entity_type"]])
            for span in text["spans"]
            if span["entity_type"] in TYPES
        ]
        used: set[Span] = set()
        for one in wanted:
            there = [span for span in found if _same(one, span)]
            used.update(there)
            (score.right if there else score.missed)[one[2]] += 1
            if not there:
                score.examples.append(f"missed {one[2]}: {written[one[0] : one[1]]!r}")
        for span in set(found) - used:
            score.wrong[span[2]] += 1
            score.examples.append(f"wrong {span[2]}: {written[max(0, span[0] - 30) : span[1]]!r}")
    return score


def _same(one: Span, other: Span) -> bool:
    return one[2] == other[2] and one[0] < other[1] and other[0] < one[1]


def ours() -> Finder:
    from truegreen.gates.scan.engines import make_engine
    from truegreen.gates.scan.rules import load_rules
    from truegreen.gates.scan.scanner import Scanner

    rules = load_rules(ip="all")  # the labelled addresses are private ones too
    scanner = Scanner(rules, make_engine(rules))

    def find(text: str) -> Iterable[Span]:
        data = text.encode()
        for match in scanner.matches(data):
            start, end = (len(data[:n].decode(errors="replace")) for n in (match.start, match.end))
            yield start, end, match.kind

    return find


def presidio() -> Finder:
    from presidio_analyzer import predefined_recognizers as known
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    recognizers = [
        known.CreditCardRecognizer(),
        known.EmailRecognizer(),
        known.IbanRecognizer(),
        known.UsSsnRecognizer(),
        PhoneRecognizer(),
        known.IpRecognizer(),
    ]

    def find(text: str) -> Iterable[Span]:
        for recognizer in recognizers:
            entities = [one for one in recognizer.supported_entities if one in TYPES]
            for found in recognizer.analyze(text, entities, None) or ():
                if found.score > 0.05:
                    yield found.start, found.end, TYPES[found.entity_type]

    return find


def datafog() -> Finder:
    from datafog.processing.text_processing.regex_annotator.regex_annotator import RegexAnnotator

    annotator = RegexAnnotator()
    names = {"EMAIL": "email", "PHONE": "phone", "SSN": "ssn", "CREDIT_CARD": "card",
             "IP_ADDRESS": "ip", "IBAN": "iban"}  # fmt: skip

    def find(text: str) -> Iterable[Span]:
        _, result = annotator.annotate_with_spans(text)
        for span in result.spans:
            if span.label in names:
                yield span.start, span.end, names[span.label]

    return find


def main() -> None:
    logging.disable(logging.CRITICAL)  # a peer's library looks for a list on the network
    texts = json.loads(DATA.read_text(encoding="utf-8"))
    rows: dict[str, Score] = {}
    for name, make in (("truegreen", ours), ("presidio", presidio), ("datafog", datafog)):
        try:
            rows[name] = measure(make(), texts)
        except ImportError as error:
            print(f"{name}: not installed ({error.name})", file=sys.stderr)
    print("| type | spans |" + "".join(f" {name} P | {name} R |" for name in rows))
    print("|---|---|" + "---|---|" * len(rows))
    for title, kinds in [
        *((kind, (kind,)) for kind in TYPES.values()),
        ("all", (*TYPES.values(),)),
    ]:
        score = rows["truegreen"]
        count = sum(score.right[kind] + score.missed[kind] for kind in kinds)
        cells = "".join(
            f" {one.precision(*kinds):.3f} | {one.recall(*kinds):.3f} |" for one in rows.values()
        )
        print(f"| {title} | {count} |{cells}")
    for example in rows["truegreen"].examples:
        print(f"truegreen {example}", file=sys.stderr)


if __name__ == "__main__":
    main()
