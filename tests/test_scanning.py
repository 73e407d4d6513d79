"""What is on the code of a pack, and what could not be read of it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.contracts import Scan
from pore_plugin.scanning import read_scan

GS = "\x1d"
GTIN = "05012345678900"
TODAY = date(2026, 9, 10)
WHOLE = {"gtin": GTIN, "lot": "C1234", "expiry": "2027-03-31", "serial": "7K2"}
RAW = f"01{GTIN}1727033110C1234{GS}217K2"
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def read(text: str) -> dict[str, str]:
    return {name: value for name, value in read_scan(text, TODAY).to_document().items() if name != "problems"}


def codes(text: str) -> list[str]:
    return [problem.code.removeprefix("scan.") for problem in read_scan(text, TODAY).problems]


# -- what can be read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        RAW,
        f"]d2{RAW}",
        f"]C1{RAW}",
        f"]Q3{RAW}",
        f"]J1{RAW}",
        f"{GS}{RAW}",
        f"]d2{GS}{RAW}{GS}",
        f"{RAW}\r\n",
        f"\t{RAW}  ",
        f"01{GTIN}217K2{GS}10C1234{GS}17270331",
        f"10C1234{GS}17270331{GS}217K2{GS}01{GTIN}",
        f"01{GTIN}172703317101234567{GS}10C1234{GS}217K2",
        f"(01){GTIN}(17)270331(10)C1234(21)7K2",
        f"(01) {GTIN}  (17) 270331  (10) C1234  (21) 7K2",
        f"https://id.gs1.org/01/{GTIN}/10/C1234/21/7K2?17=270331",
        f"HTTPS://example.com/some/01/{GTIN}/10/C1234/21/7K2?17=270331&linkType=all",
    ],
)
def test_every_way_to_write_one_code_reads_the_same(text: str) -> None:
    assert (read(text), codes(text)) == (WHOLE, [])


@pytest.mark.parametrize(
    "sign", ["|", "^", "~", "^]", "<GS>", "{GS}", "[gs]", "<FNC1>", "[FNC1]", "\\x1d", "\\u001d", "\u241d"]
)
def test_a_scanner_may_write_the_separator_otherwise(sign: str) -> None:
    text = RAW.replace(GS, sign)
    assert (read(text), codes(text)) == (WHOLE, [])
    assert read(sign + text) == WHOLE


def test_a_link_spells_the_signs_of_a_lot_in_percent() -> None:
    assert read(f"https://id.gs1.org/01/{GTIN}/10/C%2F12%2B?17=270331")["lot"] == "C/12+"


@given(st.text(SET_82, min_size=1, max_size=20).filter(lambda lot: any(letter.isalnum() for letter in lot)))
def test_a_lot_is_read_with_every_sign_that_a_code_may_hold(lot: str) -> None:
    # `<GS>` and its like in a lot would be read as what they say.
    if "<GS>" in lot.upper() or "<FNC1>" in lot.upper():
        return
    assert read(f"01{GTIN}1727033110{lot}{GS}217K2") == {**WHOLE, "lot": lot}


@pytest.mark.parametrize(
    ("digits", "day"),
    [
        ("270331", "2027-03-31"),
        ("270200", "2027-02-28"),
        ("280200", "2028-02-29"),
        ("261200", "2026-12-31"),
        ("280229", "2028-02-29"),
        ("760101", "2076-01-01"),
        ("770101", "1977-01-01"),
        ("991231", "1999-12-31"),
        ("000101", "2000-01-01"),
    ],
)
def test_day_00_is_the_last_of_the_month_and_a_year_is_at_most_fifty_years_ahead(digits: str, day: str) -> None:
    assert read(f"01{GTIN}17{digits}10C1234")["expiry"] == day


@pytest.mark.parametrize(("today", "day"), [(date(2051, 1, 1), "2100-01-01"), (date(2049, 1, 1), "2000-01-01")])
def test_the_century_is_that_of_the_day_that_is_handed_in(today: date, day: str) -> None:
    assert read_scan(f"01{GTIN}1700010110C1234", today).expiry == day


# -- what cannot ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found", "problems"),
    [
        ("", {}, ["empty"]),
        (" \r\n", {}, ["empty"]),
        ("^", {}, ["empty"]),
        ("hello", {}, ["unreadable"]),
        ("]d2", {}, ["empty"]),
        ("]d2hello", {}, ["unreadable"]),
        ("https://example.com/", {}, ["unreadable"]),
        ("(01)", {}, ["unreadable"]),
        ("(99999)X", {}, ["unreadable"]),
        (f"(01){GTIN}(10)C(1234(17)270331", {}, ["unreadable"]),
        (f"(01){GTIN}(10)C1234 and more", {"gtin": GTIN, "lot": "C1234andmore"}, ["no_expiry"]),
        ("http://[", {}, ["unreadable"]),
        ("[)>\x1e06\x1d9N110375286414", {}, ["unreadable"]),
        ("1" * 2049, {}, ["too_long"]),
        (f"{RAW}\n{RAW}", {}, ["several"]),
        (RAW.replace("C1234", "\u00c71234"), {}, ["not_ascii"]),
        (RAW.replace(GS, "\u00a7"), {}, ["not_ascii"]),
        # A bar code on the box has the product alone; a digit that is wrong shows in its check digit.
        ("5012345678900", {"gtin": GTIN}, ["product_only"]),
        ("]E05012345678900", {"gtin": GTIN}, ["product_only"]),
        ("5012345678901", {}, ["gtin"]),
        (f"01{GTIN}", {"gtin": GTIN}, ["no_lot", "no_expiry"]),
        (RAW.replace(GTIN, "05012345678901"), {**WHOLE, "gtin": None}, ["gtin"]),
        (RAW.replace("270331", "270230"), {**WHOLE, "expiry": None}, ["expiry"]),
        (RAW.replace("270331", "271301"), {**WHOLE, "expiry": None}, ["expiry"]),
        (RAW.replace("270331", "000000"), {**WHOLE, "expiry": None}, ["expiry"]),
        (RAW.replace("10C1234" + GS, ""), {**WHOLE, "lot": None}, ["no_lot"]),
        (RAW.replace("C1234", "-/-"), {**WHOLE, "lot": None}, ["lot"]),
        (RAW.replace("17270331", ""), {**WHOLE, "expiry": None}, ["no_expiry"]),
        (f"10C1234{GS}17270331", {"lot": "C1234", "expiry": "2027-03-31"}, ["no_gtin"]),
        (f"01{GTIN}1727033110C1234{GS}zzz", {**WHOLE, "serial": None}, ["rest"]),
        (f"01{GTIN}10C1234{GS}10C1235{GS}17270331", {}, ["twice"]),
        # A blank or a lot of more than 20 signs: where it ended is not known, and a part of a lot is no lot.
        (f"01{GTIN}1727033110C 1234", {"gtin": GTIN, "expiry": "2027-03-31"}, ["separator", "no_lot"]),
        (f"01{GTIN}1727033110{'C' * 21}", {"gtin": GTIN, "expiry": "2027-03-31"}, ["separator", "no_lot"]),
    ],
)
def test_what_cannot_be_read_is_said(text: str, found: dict[str, str | None], problems: list[str]) -> None:
    assert (read(text), codes(text)) == ({name: value for name, value in found.items() if value}, problems)


@pytest.mark.parametrize(
    ("text", "found", "problems"),
    [
        # The serial number ran into the lot, or the expiry did, or the lot into the serial number.
        (RAW.replace(GS, ""), {"gtin": GTIN, "expiry": "2027-03-31"}, ["separator"]),
        (f"01{GTIN}10C123417270331", {"gtin": GTIN}, ["separator", "no_expiry"]),
        (f"01{GTIN}17270331217K210C1234", {"gtin": GTIN, "expiry": "2027-03-31"}, ["separator", "no_lot"]),
        # Nothing is missing that could have run into it.
        (f"01{GTIN}17270331217K2{GS}10C2134", {**WHOLE, "lot": "C2134"}, []),
        (f"01{GTIN}1727033110C2134{GS}217K2", {**WHOLE, "lot": "C2134"}, []),
        (f"(01){GTIN}(17)270331(10)C2134", {**WHOLE, "lot": "C2134", "serial": None}, []),
        (f"01{GTIN}1727033110C1234", {**WHOLE, "serial": None}, []),
        (f"01{GTIN}172703311021C34", {**WHOLE, "lot": "21C34", "serial": None}, []),
    ],
)
def test_a_lost_separator_leaves_no_false_lot(text: str, found: dict[str, str | None], problems: list[str]) -> None:
    assert (read(text), codes(text)) == ({name: value for name, value in found.items() if value}, problems)


@given(
    st.text()
    | st.text("0123456789()]d2^|\x1dC/:htps", max_size=60)
    | st.text("0123456789/?=&%[]C", max_size=60).map("https://id.gs1.org".__add__)
)
def test_no_input_makes_it_fail_and_nothing_of_it_is_in_a_problem(text: str) -> None:
    scan = read_scan(text, TODAY)
    assert Scan.from_json(scan.to_json()) == scan
    assert scan.problems or (scan.lot and scan.expiry)


@given(st.sampled_from(range(len(RAW))), st.sampled_from(SET_82 + GS))
def test_one_misread_sign_in_the_product_number_never_goes_unnoticed(at: int, sign: str) -> None:
    text = RAW[:at] + sign + RAW[at + 1 :]
    scan = read_scan(text, TODAY)
    if 2 <= at < 16 and text != RAW:
        assert scan.problems
        assert scan.gtin is None
