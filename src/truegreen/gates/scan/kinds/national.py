"""Tax and national ids: a form, and the check digits that the country's own rule asks for.

Formats and check digits are python-stdnum's (https://arthurdejong.org/python-stdnum/formats),
imported only when a candidate has the form. An id whose form many other numbers have (nine
digits) is looked for only behind a word that names it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from truegreen.gates.scan.found import Match
from truegreen.secret import Secret


@dataclass(frozen=True, slots=True)
class NationalId:
    """One country's id. ``words``: an alternation of what announces it (RE2 syntax, in any case,
    ``~`` for what a letter outside of ASCII may be in bytes);
    ``form``: how it is written; ``module``: of python-stdnum, whose ``is_valid`` decides.
    ``alone``: the form is rare enough to be looked for without a word."""

    country: str
    name: str
    module: str
    form: str
    words: str = ""
    alone: str = ""  # the form again, valid in RE2 too, when no word is needed

    @property
    def kind(self) -> str:
        return f"national-id-{self.country.lower()}"


IDS: tuple[NationalId, ...] = (
    NationalId("AT", "Sozialversicherung", "at.vnr", r"[0-9]{4} ?[0-9]{6}",
               r"svnr|sozialversicherung[a-z]*"),
    NationalId("AU", "TFN", "au.tfn", r"[0-9]{3} ?[0-9]{3} ?[0-9]{3}", r"tfn|tax file number"),
    NationalId("BE", "NN", "be.nn", r"[0-9]{2}\.?[0-9]{2}\.?[0-9]{2}-?[0-9]{3}\.?[0-9]{2}",
               r"rijksregister|registre national|niss|insz",
               r"\b[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}\b"),
    NationalId("BG", "EGN", "bg.egn", r"[0-9]{10}", r"egn"),
    NationalId("BR", "CPF", "br.cpf", r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}", r"cpf",
               r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b"),
    NationalId("CA", "SIN", "ca.sin", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}",
               r"sin|social insurance"),
    NationalId("CH", "AHV", "ch.ssn", r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}", r"ahv|avs|ssn",
               r"\b756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}\b"),
    NationalId("CL", "RUT", "cl.rut", r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}-[0-9Kk]", r"rut",
               r"\b[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]\b"),
    NationalId("CN", "resident id", "cn.ric", r"[0-9]{17}[0-9Xx]", r"id card|resident id|shenfen"),
    NationalId("CZ", "rodné číslo", "cz.rc", r"[0-9]{6}/?[0-9]{4}",
               r"rodn[e~]{1,2} [c~]{1,2}[i~]{1,2}slo"),
    NationalId("DE", "IdNr", "de.idnr", r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
               r"steuer-?id[a-z]*|steuerliche id[a-z]*|idnr|tax id|tin"),
    NationalId("DK", "CPR", "dk.cpr", r"[0-9]{6}-?[0-9]{4}", r"cpr"),
    NationalId("EE", "isikukood", "ee.ik", r"[0-9]{11}", r"isikukood"),
    NationalId("ES", "DNI", "es.nif", r"[0-9]{8}-?[A-Za-z]|[XYZxyz]-?[0-9]{7}-?[A-Za-z]",
               r"dni|nif|nie"),
    NationalId("FI", "HETU", "fi.hetu", r"[0-9]{6}[-+A][0-9]{3}[0-9A-Y]", r"hetu",
               r"\b[0-9]{6}[-+A][0-9]{3}[A-FHJ-NPR-Y]\b"),
    NationalId("FR", "NIR", "fr.nir", r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9AB]{2} ?[0-9]{3} ?[0-9]{3} ?"
               r"[0-9]{2}", r"nir|insee|s[e~]{1,2}curit[e~]{1,2} sociale",
               r"\b[12] [0-9]{2} [01][0-9] [0-9][0-9AB] [0-9]{3} [0-9]{3} [0-9]{2}\b"),
    NationalId("GB", "NHS", "gb.nhs", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", r"nhs"),
    NationalId("GR", "AMKA", "gr.amka", r"[0-9]{11}", r"amka"),
    NationalId("HR", "OIB", "hr.oib", r"[0-9]{11}", r"oib"),
    NationalId("IE", "PPS", "ie.pps", r"[0-9]{7}[A-Wa-w][ABWTXZabwtxz]?", r"pps"),
    NationalId("IN", "Aadhaar", "in_.aadhaar", r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}", r"aadhaar"),
    NationalId("IT", "codice fiscale", "it.codicefiscale",
               r"[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]", r"codice fiscale",
               r"\b(?i:[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-7][0-9][A-Z][0-9]{3}[A-Z])\b"),
    NationalId("KR", "RRN", "kr.rrn", r"[0-9]{6}-?[0-9]{7}", r"rrn|resident registration"),
    NationalId("LT", "asmens kodas", "lt.asmens", r"[0-9]{11}", r"asmens kodas"),
    NationalId("NL", "BSN", "nl.bsn", r"[0-9]{4}\.?[0-9]{2}\.?[0-9]{3}",
               r"bsn|burgerservicenummer"),
    NationalId("NO", "fødselsnummer", "no.fodselsnummer", r"[0-9]{6} ?[0-9]{5}",
               r"f[o~]{1,2}dselsnummer|personnummer"),
    NationalId("PL", "PESEL", "pl.pesel", r"[0-9]{11}", r"pesel"),
    NationalId("PT", "NIF", "pt.nif", r"[0-9]{9}", r"nif|contribuinte"),
    NationalId("RO", "CNP", "ro.cnp", r"[0-9]{13}", r"cnp"),
    NationalId("SE", "personnummer", "se.personnummer", r"(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}",
               r"personnummer|personnr"),
    NationalId("SI", "EMŠO", "si.emso", r"[0-9]{13}", r"emso"),
    NationalId("TR", "TC kimlik", "tr.tckimlik", r"[0-9]{11}", r"kimlik|tckn"),
    NationalId("ZA", "id", "za.idnr", r"[0-9]{6} ?[0-9]{4} ?[0-9]{3}", r"sa id|rsa id|id number"),
)  # fmt: skip

# What can be found without a word, in one alternation for the engines.
SHAPE = "|".join(one.alone for one in IDS if one.alone).encode()
WORDS = "|".join(sorted({word for one in IDS for word in one.words.split("|")})).replace(
    "~", r"\x80-\xff"
)
_REACH = 40  # bytes behind the word, the id included


@cache
def _form(index: int) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9A-Za-z])(?:{IDS[index].form})(?![0-9A-Za-z]|[.-][0-9])")


@cache
def _named(index: int) -> re.Pattern[bytes]:
    words = IDS[index].words.replace("~", r"\x80-\xff")
    return re.compile(rf"(?:{words})".encode(), re.IGNORECASE)


def classify(data: bytes, start: int, _end: int) -> Iterator[Match]:
    """The id that stands at ``start`` in a form that needs no word."""
    if start and data[start - 1 : start] in (b".", b"-", b"/"):
        return
    text = data[max(0, start - 1) : start + 32].decode("latin-1")
    for index, one in enumerate(IDS):
        if one.alone:
            match = _form(index).match(text, min(start, 1))
            if match and _is_valid(one.module, match[0]):
                yield _match(one, start, match[0])
                return


def labelled(data: bytes, word: bytes, after: int) -> Iterator[Match]:
    """The id that comes soon behind ``word``, which ends at ``after``; every country whose word
    it is, is asked."""
    text = data[after : after + _REACH].decode("latin-1").partition("\n")[0]
    for index, one in enumerate(IDS):
        if one.words and _named(index).fullmatch(word):
            match = _form(index).search(text)
            if match and len(set(match[0])) > 2 and _is_valid(one.module, match[0]):
                yield _match(one, after + match.start(), match[0])
                return


def _match(one: NationalId, start: int, written: str) -> Match:
    value = "".join(char for char in written if char.isalnum()).upper()
    return Match(start, start + len(written), one.kind, Secret(value), f"{one.country} {one.name}")


def _is_valid(module: str, written: str) -> bool:
    known: Any = importlib.import_module(f"stdnum.{module}")
    return bool(known.is_valid(written))
