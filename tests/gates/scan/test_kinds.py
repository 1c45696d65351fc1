"""What each kind is and is not. No number in here is anybody's."""

from __future__ import annotations

import pytest

from truegreen.gates.scan.scanner import Scanner

KEY = "aB3dE6gH9j" + "K2mN5pQ8rS"


def found(scanner: Scanner, text: str) -> list[tuple[str, str]]:
    return [(match.kind, match.value.reveal()) for match in scanner.matches(text.encode())]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("Phone: 0160 1234987", "01601234987"),
        ("phone_number = '+4930901820'", "4930901820"),
        ("tel. 030/901820-11", "03090182011"),
        ("fax 785 8949", "7858949"),
        ("You can call 73 448 266", "73448266"),
        ("089 72 63 41 office", "089726341"),
        ("751-954-9268-Fax", "7519549268"),
        ("(212) 736-5000", "2127365000"),
        ("212.736.5000", "2127365000"),
        ("write to +49 30 901820", "4930901820"),
        ("+44 20 7219 4272 since 2020", "442072194272"),
        ("mobile: 833.719.3994x1887", "8337193994"),
        ("téléphone : 01 45 67 89 12", "0145678912"),
    ],
)
def test_a_phone_number(fast: Scanner, text: str, digits: str) -> None:
    assert found(fast, text) == [("phone", digits)]


@pytest.mark.parametrize(
    "text",
    [
        "+4930901820",  # bare E.164 without a word could be anything
        "0160 1234987",
        "212-555-0123 (212) 555-0199 +1 212 555 0142",  # for fiction
        "phone: 555-0134",
        "+44 20 7946 0321",  # Ofcom's, for drama
        "phone: 123-456-7890",
        "phone: 2026-06-21 12:00",
        "call 1999-2005 a success",
        "phone_id: 81234987",
        "phone width 1200 px",
        "call 81234987",  # a weak word and no groups
        "tel 10.12.13.14 x",
        "123-456-7890 or 012-345-6789",  # no such area code
        "112-736-5000",
        "x212-736-5000 212-736-50001 1.212-736-5000",
        "automatically 12 345 678",
    ],
)
def test_no_phone_number(fast: Scanner, text: str) -> None:
    assert [kind for kind, _ in found(fast, text) if kind == "phone"] == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("born 1987-03-02", "1987-03-02"),
        ('"date_of_birth": "1987-03-02"', "1987-03-02"),
        ("DOB: 03/25/1987", "1987-03-25"),
        ("geb. 25.03.1987", "1987-03-25"),
        ("birthday: 2 March 1987", "1987-03-02"),
        ("dob=19870302", "1987-03-02"),
    ],
)
def test_a_date_of_birth(fast: Scanner, text: str, day: str) -> None:
    assert found(fast, text) == [("birth-date", day)]


@pytest.mark.parametrize(
    "text",
    ["1987-03-02", "born 1809-02-12", "born 1987-02-30", "dob: 1970-01-01", "born in 1987"],
)
def test_no_date_of_birth(fast: Scanner, text: str) -> None:
    assert found(fast, text) == []


# python-stdnum's own documented examples, and the same with a digit changed.
@pytest.mark.parametrize(
    ("country", "text", "wrong"),
    [
        ("at", "SVNR: 1237 010180", "SVNR: 1238 010180"),
        ("au", "TFN 123 456 782", "TFN 123 456 783"),
        ("be", "85.07.30-033.28", "85.07.30-033.29"),
        ("bg", "EGN 7523169263", "EGN 7523169264"),
        ("br", "390.533.447-05", "390.533.447-06"),
        ("br", "cpf=39053344705", "cpf=39053344706"),
        ("ca", "SIN: 123-456-782", "SIN: 123-456-783"),
        ("ch", "756.9217.0769.85", "756.9217.0769.86"),
        ("cl", "12.531.909-2", "12.531.909-3"),
        ("cz", "rodné číslo 710319/2745", "rodné číslo 710319/2746"),
        ("de", "Steuer-ID: 36 574 261 809", "Steuer-ID: 36 574 261 808"),
        ("dk", "CPR 211062-5629", "CPR 311362-5629"),
        ("ee", "isikukood 36805280109", "isikukood 36805280108"),
        ("es", "DNI: 54362315K", "DNI: 54362315Z"),
        ("fi", "131052-308T", "131052-308U"),
        ("fr", "2 95 10 99 126 111 93", "2 95 10 99 126 111 94"),
        ("gb", "NHS 943 476 5870", "NHS 943 476 5871"),
        ("hr", "OIB 33392005961", "OIB 33392005962"),
        ("ie", "PPS: 6433435F", "PPS: 6433435E"),
        ("in", "Aadhaar 2341 2341 2346", "Aadhaar 2341 2341 2347"),
        ("it", "RCCMNL83S18D969H", "RCCMNL83S18D969G"),
        ("nl", "BSN 111222333", "BSN 111222334"),
        ("no", "fødselsnummer 151086 95088", "fødselsnummer 151086 95089"),
        ("pl", "PESEL 44051401359", "PESEL 44051401358"),
        ("ro", "CNP 1630615123457", "CNP 1630615123458"),
        ("se", "personnummer 880320-0016", "personnummer 880320-0018"),
        ("tr", "kimlik no 17291716060", "kimlik no 17291716050"),
        ("za", "ID number 7503305044089", "ID number 7503305044088"),
    ],
)
def test_a_national_id_needs_its_check_digit(
    fast: Scanner, country: str, text: str, wrong: str
) -> None:
    assert [kind for kind, _ in found(fast, text)] == [f"national-id-{country}"]
    assert found(fast, wrong) == []


def test_a_number_that_only_a_word_explains_is_nothing_without_it(fast: Scanner) -> None:
    assert found(fast, "111222333 36574261809 44051401359 7523169263") == []


@pytest.mark.parametrize("text", ["86.231.85.193", "d80:e4b5:79da:6cf6:71f3:51f7:9161:c319"])
def test_an_address_is_found_where_the_policy_asks(fast: Scanner, text: str) -> None:
    assert [kind for kind, _ in found(fast, text)] == ["ip"]


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.7 198.51.100.1 203.0.113.9 2001:db8::1 127.0.0.1 ::1 8.8.8.8",
        "1.2.3.4.5 v86.231.85.193.2 86.231.85.256",
        "12:00:00 aa:bb:cc:dd:ee:ff 2026-06-21T12:00:00",
    ],
)
def test_no_address(fast: Scanner, text: str) -> None:
    assert found(fast, text) == []


@pytest.mark.parametrize(
    "text",
    [
        f'api_token = "{KEY}"',
        f"DB_PASSWORD={KEY}",
        f"'client_secret': '{KEY}'",
        f"password: {KEY}\n",
    ],
)
def test_a_random_value_given_to_a_secrets_name(fast: Scanner, text: str) -> None:
    assert found(fast, text) == [("secret", KEY)]


@pytest.mark.parametrize(
    "text",
    [
        'token = "{KEY}"',
        "token = self.make_token_from_parts(x)",
        'password = "correct-horse-battery-staple"',
        'secret = "my-service-2024-secret-name"',
        "token = settings.SECRETS_V1.key2_of3.x",
        'password = "xxxxxxxxxxxxxxxxxxxxxxxx"',
        f'name = "{KEY}"',
        "token_limit = 1234567890123456789",
    ],
)
def test_what_was_written_and_not_drawn_is_no_secret(fast: Scanner, text: str) -> None:
    assert found(fast, text) == []


def test_a_password_in_a_url(fast: Scanner) -> None:
    password = "s3cr3t" + "Pa55w"
    assert found(fast, f"postgres://app:{password}@db.corp.de/x") == [("url-password", password)]
    for text in (
        "postgres://user:password@db.corp.de/x",
        "postgres://app:${DB_PASSWORD1}@db.corp.de/x",
        "https://host:8080/a@b",
        f"redis://:{password}@localhost:6379",
    ):
        assert found(fast, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "# Author: Jo Doe <jo@corp.de>",
        "__author__ = 'Jo Doe <jo@corp.de>'",
        "__author__ = ('A B <a.b@corp.de>',\n    'Jo Doe <jo@corp.de>')",
        "# Copyright (c) 2020 by Jo Doe.\n#\n# jo@corp.de\n",
        "# Written by Jo Doe (jo@corp.de).",
        "parser, by Jo Doe <jo@corp.de>",
        "Signed-off-by: Jo Doe <jo@corp.de>",
        'authors = [\n  "Jo Doe <jo@corp.de>",\n',
    ],
)
def test_a_signature_under_a_piece_of_work_is_no_finding(fast: Scanner, text: str) -> None:
    assert found(fast, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "author,mail\nJo,jo@corp.de",
        "# the customer jo@corp.de complained",
        "Copyright 2020\n\nx = 'jo@corp.de'",
        "by jo@corp.de",
    ],
)
def test_an_address_that_nobody_signed_with_is_one(fast: Scanner, text: str) -> None:
    assert found(fast, text) == [("email", "jo@corp.de")]


def test_an_escape_before_an_address_is_not_part_of_it(fast: Scanner) -> None:
    assert found(fast, r'"x\njo@corp.de"') == [("email", "jo@corp.de")]


def test_of_two_readings_of_one_place_the_surer_stays(fast: Scanner) -> None:
    token = "ghp_" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA2bC5"
    assert found(fast, f'token = "{token}"') == [("github-token", token)]
