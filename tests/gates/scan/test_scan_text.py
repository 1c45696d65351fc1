"""What is found in a text, what is not, and in what time. No key in here is anybody's."""

from __future__ import annotations

import base64
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.gates.scan.engines import make_engine
from truegreen.gates.scan.found import Hit
from truegreen.gates.scan.kinds.numbers import card_issuer, is_iban, luhn
from truegreen.gates.scan.rules import load_rules
from truegreen.gates.scan.scanner import Scanner
from truegreen.gates.scan.scanner import scan_text as scan_with

# Put together here, so that no scanner (ours least of all) finds them in this file.
CARD = "4539" + "5787" + "6362" + "1486"
AMEX = "3746" + "101112" + "13140"
SSN = "536" + "-90-" + "4399"
IBAN = "GB69" + "PMNJ" + "18913943430745"


RULES = load_rules()
SCANNER = Scanner(RULES, make_engine(RULES))


def scan_text(text: str, path: str) -> tuple[Hit, ...]:
    return scan_with(text, path, SCANNER)


def noise(length: int, seed: int = 7) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(random.Random(seed).choices(letters, k=length))


def aws_noise() -> str:
    return "".join(random.Random(3).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))


def jwt(header: object = None) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header or {'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': 'abc'})}.{noise(43)}"


def kinds(text: str) -> list[str]:
    return [hit.kind for hit in scan_text(text, "file")]


def values(text: str) -> list[str]:
    return [hit.value.reveal() for hit in scan_text(text, "file")]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "write to Jo.Doe+tag@mail.corp.co.uk."),
        ("email", "<jo@corp.de>"),
        ("email", "mailto:jo@corp.de?subject=x"),
        ("email", '"jo@corp.io",'),
        ("email", "jo@corp.de.\nNext"),
        ("email", "jo_doe@xn--mller-kva.de"),
        ("card", CARD),
        ("card", f"{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]}"),
        ("card", f"{CARD[:4]}-{CARD[4:8]}-{CARD[8:12]}-{CARD[12:]}"),
        ("card", f"2024 {CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]} 123"),
        ("card", f"name,12,{CARD},x"),
        ("card", f"{AMEX[:4]} {AMEX[4:10]} {AMEX[10:]}"),
        ("ssn", f"his number is {SSN}."),
        ("ssn", "SSN: " + SSN.replace("-", "")),
        ("ssn", "social security " + SSN.replace("-", " ")),
        ("iban", IBAN),
        ("iban", IBAN.lower()),
        ("iban", " ".join(IBAN[n : n + 4] for n in range(0, len(IBAN), 4)) + " is mine"),
        ("aws-key", "AKIA" + aws_noise()),
        ("aws-secret", f'aws_secret_access_key = "{noise(40)}"'),
        ("github-token", "ghp_" + noise(36)),
        ("github-fine-grained", f"github_pat_{noise(22)}_{noise(59)}"),
        ("slack-token", f"xoxb-{noise(12)}-{noise(24)}"),
        ("stripe-key", "sk_" + "live_" + noise(24)),
        ("google-key", "AIza" + noise(35)),
        ("heroku-key", "HRKU-" + noise(60)),
        ("jwt", "Bearer " + jwt()),
        ("private-key", f"-----BEGIN RSA PRIVATE KEY-----\n{noise(64)}\n"),
        ("private-key", f"-----BEGIN PRIVATE KEY-----\\n{noise(64)}\\n"),
        ("private-key", f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{noise(64)}"),
    ],
)
def test_it_is_found_and_not_shown(kind: str, text: str) -> None:
    hits = scan_text(text, "some/file")
    assert [hit.kind for hit in hits] == [kind]
    shown = repr(hits[0]) + hits[0].masked
    assert hits[0].value.reveal() not in shown
    assert hits[0].value.reveal()[4:] not in shown
    assert hits[0].path == "some/file"


@pytest.mark.parametrize(
    "text",
    [
        "jo@example.com jo@mail.example.org jo@a.test jo@a.invalid root@localhost jo@x.localhost",
        "noreply@corp.de no-reply@corp.de 1+bot@users.noreply.github.com git@github.com:a/b.git",
        "logo@2x.png lodash@4.17.21 actions/checkout@v4 @app.route('/x') a@b user@host",
        "{name}@corp.de ${USER}@corp.de %s@corp.de",
        "postgres://user:password@db.corp.de/x https://jo@corp.de/",
        "a@b..de .@corp.de a..b@corp.de",
        "x" * 65 + "@corp.de",
        "4242424242424242 4242 4242 4242 4242 4000 0000 0000 9995 378282246310005",
        CARD[:-1] + str((int(CARD[-1]) + 1) % 10),  # Luhn is off
        "9" + CARD[1:],  # nobody issues it
        f"id_{CARD} 0.{CARD} {CARD}0000000 {CARD}a",
        "0000000000000000 4444444444444448",
        "078-05-1120 219-09-9999 000-12-3456 666-12-3456 912-12-3456 123-00-4567 123-45-0000",
        SSN.replace("-", ""),  # nine digits without a word that says what they are
        f"1-{SSN} {SSN}-1 {SSN}9",
        "GB82WEST12345698765432 DE89 3704 0044 0532 0130 00",
        IBAN[:-1] + "6",
        IBAN + "1",
        "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_" + "x" * 36,
        "sk_" + "test_" + noise(24),
        "-----BEGIN PRIVATE KEY-----",
        '"-----BEGIN RSA PRIVATE KEY-----" in text',
        "-----BEGIN PUBLIC KEY-----\n" + noise(64),
        "eyJub3QiOiJqb3NlIn0.eyJub3QiOiJqb3NlIn0." + noise(20),
    ],
)
def test_it_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_a_hit_says_where_it_stands() -> None:
    text = f"first\n\n  ssn {SSN} and\njo@corp.de"
    assert [(hit.line, hit.column) for hit in scan_text(text, "f")] == [(3, 7), (4, 1)]


def test_two_ways_to_write_one_number_are_one_value() -> None:
    spaced = " ".join(CARD[n : n + 4] for n in range(0, 16, 4))
    assert values(f"{CARD}\n{spaced}") == [CARD, CARD]
    assert values(IBAN + "\n" + IBAN.lower()) == [IBAN, IBAN]


@given(st.text(alphabet="0123456789", min_size=11, max_size=18))
def test_luhn_accepts_exactly_one_last_digit_and_catches_each_single_mistake(digits: str) -> None:
    whole = [digits + last for last in "0123456789" if luhn(digits + last)]
    assert len(whole) == 1
    for position, char in enumerate(whole[0]):
        other = str((int(char) + 1) % 10)
        assert not luhn(whole[0][:position] + other + whole[0][position + 1 :])


@given(st.integers(0, 21), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_no_single_mistake_in_an_iban_passes(position: int, char: str) -> None:
    changed = IBAN[:position] + char + IBAN[position + 1 :]
    assert is_iban(changed) == (changed == IBAN)


@pytest.mark.parametrize(
    ("digits", "issuer"),
    [
        (CARD, "visa"),
        (AMEX, "amex"),
        ("2223000048400011", "mastercard"),
        ("30569309025904", "diners"),
        ("3530111333300000", "jcb"),
        ("6011000990139424", "discover"),
        ("6200000000000005", "unionpay"),
        ("2220999999999994", None),  # one below Mastercard's range
    ],
)
def test_the_issuer_is_told_by_prefix_and_length(digits: str, issuer: str | None) -> None:
    assert card_issuer(digits) == issuer


@given(st.text(max_size=300) | st.text(alphabet="@.-_aZ09 eyJ4\\n/:'\"{}GB", max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text_is_scanned_and_positions_are_inside_it(text: str) -> None:
    lines = text.split("\n")
    for hit in scan_text(text, "f"):
        assert 1 <= hit.line <= len(lines)
        assert 1 <= hit.column <= len(lines[hit.line - 1])


LONG = 120_000
ADVERSARIAL = [
    "@",
    "a",
    "a.",
    "a@",
    "@a.",
    "a@a-",
    "1",
    "1 ",
    "4111-",
    "4111 1111 ",
    "123-45-",
    "GB82 ",
    "A1",
    "eyJ",
    "eyJa.",
    "eyJaaaaaaaaa.",
    "-",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "ghp_",
    "xoxb-",
    "secret_key=",
    "secretkey ",
    "ssn ",
    "ssn 123 45 ",
    "HRKU-",
    "//:",
    "\n",
]


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_a_text_made_to_hang_a_pattern_takes_time_in_proportion(unit: str) -> None:
    """Each of them ends; a quadratic pattern would take hours here, and the timeout says so."""
    text = (unit * (LONG // len(unit) + 1))[:LONG]
    scan_text("x" + text + "!", "f")
