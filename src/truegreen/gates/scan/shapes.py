"""The table of shapes: what the engines look for as patterns, and who judges what they find.

A pattern is written in what RE2 and Python's ``re`` understand alike and read in the same way
(leftmost, first alternative, greedy): no look-around, no back-reference, ASCII only, and no
bounded repetition of a class in front of what is rare, which would blow up a lazy automaton.
Everything that needs context is the classifier's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from truegreen.gates.scan.found import Match
from truegreen.gates.scan.kinds import (
    addresses,
    assignments,
    cards,
    emails,
    labels,
    national,
    phones,
)

Classifier = Callable[[bytes, int, int], Iterator[Match]]


@dataclass(frozen=True, slots=True)
class Shape:
    """``pattern`` finds candidates, ``classify(data, start, end)`` makes matches of them.
    ``caseless``: all of the pattern takes capitals and small letters for the same."""

    name: str
    pattern: bytes
    classify: Classifier
    caseless: bool = False


def shapes(ip: str = "off") -> tuple[Shape, ...]:
    """The shapes for a policy; ``ip`` is ``off``, ``public`` or ``all``. The order is the order
    of preference where two begin at one place."""
    addressed = (Shape("ip", addresses.SHAPE, addresses.classifier(ip)),) if ip != "off" else ()
    return (
        Shape("email", emails.SHAPE, emails.classify),
        Shape("labelled", labels.SHAPE, labels.classify, caseless=True),
        Shape("url_password", assignments.URL_SHAPE, assignments.classify_url),
        Shape("card", cards.CARD_SHAPE, cards.classify_card),
        Shape("ssn", cards.SSN_SHAPE, cards.classify_ssn),
        Shape("iban", cards.IBAN_SHAPE, cards.classify_iban, caseless=True),
        Shape("national", national.SHAPE, national.classify),
        *addressed,
        Shape("phone", phones.NATIONAL_SHAPE, phones.classify_national),
        Shape("phone_plus", phones.INTERNATIONAL_SHAPE, phones.classify_international),
        Shape("phone_followed", phones.FOLLOWED_SHAPE, phones.classify_followed),
    )
