"""Read the GS1 code on a pack: product, lot, expiry and serial number. Pure; `biip` knows the code's grammar.

What could not be read is said, never guessed: a lot that is wrong is found by no recall.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from .contracts import Problem, Scan

if TYPE_CHECKING:
    from biip.gs1_element_strings import GS1ElementString

__all__ = ["read_scan"]

_GS = "\x1d"
_LONGEST = 2048
# How scanners and terminals write the separator (FNC1) of the symbol. None of the single signs may stand in a GS1
# value (GS1 General Specifications, character set 82).
_SEPARATOR = re.compile(r"<GS>|\{GS\}|\[GS\]|<FNC1>|\{FNC1\}|\[FNC1\]|\\x1d|\\u001d|\^\]|\u241d|[|^~]", re.IGNORECASE)
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_GS1_SYMBOLOGIES = frozenset({"]C1", "]d2", "]e0", "]e1", "]e2", "]Q3", "]J1"})
_PRINTED = re.compile(r"(\([0-9]{2,4}\)[^()]+)+")
_DATE = r"[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])"
_TYPE_IT = "Scan again, or type what is printed on the vial."
_READ_FROM = {"01": "gtin", "10": "lot", "17": "expiry", "21": "serial"}


class _Read(NamedTuple):
    """The values of a code by their AI, the problems so far, and whether a lost separator would go unnoticed."""

    values: dict[str, str]
    problems: list[Problem]
    unseparated: bool


def read_scan(text: str, today: date) -> Scan:
    """Return what is on a scanned or typed GS1 code, with a problem for everything that could not be read.

    Takes the raw data of a scanner, with or without symbology identifier, with the separator as it is, replaced or
    lost; the line with `(01)` that is printed beside the code; a GS1 Digital Link; a plain product number. `today`
    decides which century a year of two digits is in (GS1 General Specifications 7.12).
    """
    plain = _SEPARATOR.sub(_GS, text).strip(" \t\r\n\x00\x04")
    refused = _refused(plain)
    if refused is not None:
        return Scan(problems=(refused,))
    symbology = found.group() if (found := _SYMBOLOGY.match(plain)) else ""
    data = plain.removeprefix(symbology).strip(_GS)
    if not data:
        return Scan(problems=(_empty(),))
    if symbology not in _GS1_SYMBOLOGIES and data.isdecimal() and len(data) in (8, 12, 13, 14):
        return _product_only(data)
    read = _elements(data)
    if not read.values:
        return Scan(problems=tuple(read.problems) or (_unreadable(),))
    return _settled(read, today)


def _problem(code: str, sentence: str, next_step: str = _TYPE_IT) -> Problem:
    return Problem(code=f"scan.{code}", sentence=sentence, next_step=next_step)


def _unreadable() -> Problem:
    return _problem("unreadable", "This is no GS1 code.", "Scan the square code on the pack, or type the lot.")


def _empty() -> Problem:
    return _problem("empty", "Nothing was scanned.")


def _refused(plain: str) -> Problem | None:
    if not plain.strip(_GS):
        return _empty()
    if len(plain) > _LONGEST:
        return _problem("too_long", f"This is longer than {_LONGEST} characters, and no code of a pack.")
    if "\n" in plain or "\r" in plain:
        return _problem("several", "This is more than one line.", "Scan one code at a time.")
    if not plain.isascii():
        return _problem(
            "not_ascii",
            "There are letters in this that no GS1 code has.",
            "Set scanner and computer to the same keyboard layout and scan again, or type what is printed.",
        )
    return None


def _product_only(digits: str) -> Scan:
    from biip import ParseError
    from biip.gtin import Gtin

    try:
        Gtin.parse(digits)
    except ParseError:
        return Scan(problems=(_check_digit(),))
    only = _problem(
        "product_only",
        "This code names the product alone; it holds no lot and no expiry.",
        "Scan the square code on the pack, or type lot and expiry as they are printed.",
    )
    return Scan(gtin=digits.zfill(14), problems=(only,))


def _check_digit() -> Problem:
    return _problem("gtin", "The check digit of the product number does not fit: it was misread or mistyped.")


def _elements(data: str) -> _Read:
    """Return the values of a code. After the first that cannot be read nothing more is: its end is not known."""
    from biip import ParseConfig, ParseError
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI
    from biip.gs1_messages import GS1Message

    read = _Read({}, [], _GS not in data)
    # A date that is none is a problem of its own and leaves the rest readable.
    config = ParseConfig(gs1_element_strings_verify_date=False)
    printed = data.startswith("(")
    if not printed and data[:4].lower() != "http":
        _one_by_one(data, config, read)
        return read
    try:
        # With a bracket inside a value nobody can tell where it ends, and `biip` would read its beginning alone.
        if printed and not _PRINTED.fullmatch(data):
            raise ParseError
        parse = GS1Message.parse_hri if printed else GS1DigitalLinkURI.parse
        for element in parse(data.replace(" ", ""), config=config).element_strings:
            _keep(element, read)
    except (ParseError, ValueError):
        read.problems.append(_unreadable())
    return read._replace(unseparated=False)


def _one_by_one(data: str, config: object, read: _Read) -> None:
    from biip import ParseError
    from biip.gs1_element_strings import GS1ElementString

    rest = data
    while rest:
        try:
            element = GS1ElementString.extract(rest, config=config)  # type: ignore[arg-type]
        except ParseError:
            # A date of six digits that is none still has its length.
            if re.match(r"17[0-9]{6}", rest):
                read.problems.append(_no_date())
                rest = rest[8:].lstrip(_GS)
                continue
            read.problems.append(_unreadable() if rest == data else _rest())
            return
        rest = rest[len(element) :]
        if element.ai.separator_required and rest and not rest.startswith(_GS):
            # It was cut off at its greatest length, or at a sign that it cannot have: nobody knows where it ended.
            read.problems.append(_separator(_READ_FROM.get(element.ai.ai, "value")))
            return
        _keep(element, read)
        rest = rest.lstrip(_GS)


def _keep(element: GS1ElementString, read: _Read) -> None:
    name = element.ai.ai
    if read.values.get(name, element.value) != element.value and name in _READ_FROM:
        read.problems.append(_problem("twice", f"The code holds more than one {_READ_FROM[name]}."))
    read.values.setdefault(name, element.value)


def _rest() -> Problem:
    return _problem("rest", "A part of the code could not be read.", "Compare with what is printed, or scan again.")


def _separator(what: str) -> Problem:
    return _problem(
        "separator",
        f"The scanner may have lost the separator after the {what}: where it ends cannot be told.",
        "Type it as it is printed, and let the scanner send the separator (FNC1, group separator).",
    )


def _no_date() -> Problem:
    return _problem("expiry", "The expiry date on the code does not exist.", "Type the expiry as it is printed.")


def _settled(read: _Read, today: date) -> Scan:
    problems = list(read.problems)
    values = {name: value for name, value in read.values.items() if name in _READ_FROM}
    if any(problem.code == "scan.twice" for problem in problems):
        return Scan(problems=tuple(problems))
    lost = [name for name in ("10", "21") if read.unseparated and _swallowed(name, values)]
    for name in lost:
        problems.append(_separator(_READ_FROM[name]))
        del values[name]
    if "01" in values and not _fits(values["01"]):
        problems.append(_check_digit())
        del values["01"]
    if "10" in values and not any(letter.isalnum() for letter in values["10"]):
        problems.append(_problem("lot", "The lot on the code has no letter and no digit."))
        del values["10"]
    expiry = _day(values["17"], today) if "17" in values else None
    if "17" in values and expiry is None:
        problems.append(_no_date())
    problems += _missing(values, {problem.code for problem in problems}, lost)
    return Scan(
        gtin=values.get("01"),
        lot=values.get("10"),
        expiry=None if expiry is None else expiry.isoformat(),
        serial=values.get("21"),
        problems=tuple(problems),
    )


def _swallowed(name: str, values: dict[str, str]) -> bool:
    """Say whether a value without a separator after it may hold, at its end, another one that the code lacks."""
    value = values.get(name, "")
    others = {"01": "01[0-9]{14}", "10": "10.", "17": f"17{_DATE}", "21": "21."}
    return any(re.search(f".{sign}", value) for other, sign in others.items() if other not in values)


def _fits(gtin: str) -> bool:
    from biip import ParseError
    from biip.gtin import Gtin

    try:
        Gtin.parse(gtin)
    except ParseError:
        return False
    return True


def _missing(values: dict[str, str], said: set[str], lost: list[str]) -> Iterator[Problem]:
    if "10" not in values and "10" not in lost and not said & {"scan.lot"}:
        yield _problem("no_lot", "The code holds no lot.", "Type the lot as it is printed on the vial.")
    if "17" not in values and "scan.expiry" not in said:
        yield _problem("no_expiry", "The code holds no expiry date.", "Type the expiry as it is printed on the vial.")
    if "01" not in values and "scan.gtin" not in said:
        yield _problem("no_gtin", "The code holds no product number.", "Name the product yourself.").model_copy(
            update={"severity": "warning"}
        )


def _day(digits: str, today: date) -> date | None:
    """Return the date of six digits, `None` where it does not exist; day 00 is the last of the month."""
    short, month, day = (int(digits[at : at + 2]) for at in (0, 2, 4))
    century, now = divmod(today.year, 100)
    if short - now >= 51:
        century -= 1
    elif short - now <= -50:
        century += 1
    year = century * 100 + short
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        return None
