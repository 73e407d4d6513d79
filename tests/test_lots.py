"""Two spellings of one lot are one lot, and a lot that reads almost like another is found."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from factories import case_input
from pore_plugin import check
from pore_plugin.clinical.treatment.lots import lot_key, near_keys, nearness, printed_lot
from pore_plugin.contracts import ProblemsError, Vial

PRINTED = st.text(string.ascii_letters + string.digits + "-/._ +#", min_size=1, max_size=20)
KEYS = st.text(string.ascii_uppercase.replace("O", "") + string.digits, min_size=1, max_size=12)
LETTERS = st.sampled_from(string.ascii_uppercase.replace("O", "") + string.digits)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """A key, and the same with one edit."""
    key = draw(KEYS)
    kind = draw(st.sampled_from(["exchanged", "too many", "missing", "swapped"]))
    at = draw(st.integers(0, len(key) - 1))
    if kind == "exchanged":
        return key, key[:at] + draw(LETTERS) + key[at + 1 :]
    if kind == "missing":
        return key, key[:at] + key[at + 1 :]
    if kind == "too many":
        at = draw(st.integers(0, len(key)))
        return key, key[:at] + draw(LETTERS) + key[at:]
    return key, key[:at] + key[at : at + 2][::-1] + key[at + 2 :]


def distance(one: str, other: str) -> int:
    """Edits between two texts, by the whole table: the slow way that needs no thought."""
    table: dict[tuple[int, int], int] = {}
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            ways = [i + j] if i == 0 or j == 0 else []
            if i and j:
                ways = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (one[i - 1] != other[j - 1])]
            if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
                ways.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(ways)
    return table[len(one), len(other)]


# -- one lot, many spellings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    [
        "c1230-a",
        "C 1230 A",
        "C123OA",
        "c-123o-a",
        "C\u20111230\u2011A",
        "C\u20131230\u2013A",
        "C\u00a01230\u00a0A",
        "C1230\u200bA",
        "\uff23\uff11\uff12\uff13\uff10\uff21",
        "C/1230/A",
        "C.1230.A",
        "C_1230_A",
        "\tC1230A\r\n",
    ],
)
def test_case_blanks_hyphens_signs_and_o_for_zero_make_no_other_lot(spelling: str) -> None:
    assert lot_key(spelling) == "C1230A"
    assert nearness(spelling, "C1230A") == "same"


@given(PRINTED, st.data())
def test_a_lot_may_be_typed_with_other_case_blanks_and_hyphens(lot: str, data: st.DataObject) -> None:
    typed = ""
    for letter in lot:
        typed += data.draw(st.sampled_from(["", "-", " ", " - "]))
        typed += {"o": "0", "0": "O"}.get(letter.lower(), data.draw(st.sampled_from([letter.lower(), letter.upper()])))
    assert lot_key(typed) == lot_key(lot)


@given(st.text())
@example("\u0345\u039f")
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    assert lot_key(lot_key(text)) == lot_key(text)


@given(KEYS, KEYS)
def test_other_letters_and_digits_make_another_lot(one: str, other: str) -> None:
    assume(one != other)
    assert lot_key(one) != lot_key(other)


# -- almost the same --------------------------------------------------------------------------------------------


@given(edited())
def test_every_lot_one_edit_away_is_found_through_the_near_keys(pair: tuple[str, str]) -> None:
    key, other = pair
    assert set(near_keys(key)) & set(near_keys(other))
    assert nearness(key, other) == ("same" if key == other else "one-character")


@given(st.text("AB1", max_size=6), st.text("AB1", max_size=6))
@example("AB", "BA")
@example("ABC", "BCD")
@example("", "A")
def test_nearness_counts_edits(one: str, other: str) -> None:
    expected = {0: "same", 1: "one-character"}.get(distance(one, other))
    assert nearness(one, other) == nearness(other, one) == expected


@pytest.mark.parametrize("other", ["C1256", "C123", "C123456", "1C243", "C1", "D1235"])
def test_two_edits_are_not_near(other: str) -> None:
    assert nearness("C1234" if other != "C123" else "C12345", other) is None


@given(KEYS)
def test_a_near_key_is_the_key_or_shorter_by_one_and_stands_there_once(key: str) -> None:
    found = near_keys(key)
    assert key in found
    assert {len(one) for one in found} <= {len(key), len(key) - 1}
    assert list(found) == sorted(set(found))
    assert len(found) <= len(key) + 1


# -- as printed -------------------------------------------------------------------------------------------------


def vial(lot: str) -> dict[str, Any]:
    return {**case_input()["vials"][0], "lot": lot}


@pytest.mark.parametrize("lot", ["C 1234", "C  1234", "12/34", "#7", "7#", "A", "-1-", "(10)A [x] ~", "A" * 40])
def test_a_vial_keeps_its_lot_as_it_is_printed(lot: str) -> None:
    assert check(Vial, vial(lot)).model.lot == lot
    assert Vial.from_json(json.dumps(vial(lot))).lot == lot


@pytest.mark.parametrize("lot", ["", " ", " C1", "C1 ", "-", "./_", "C1\n", "C\t1", "\u010c1", "A" * 41])
def test_a_lot_without_letter_or_digit_or_with_what_no_vial_has_is_refused(lot: str) -> None:
    with pytest.raises(ProblemsError) as error:
        check(Vial, vial(lot))
    assert {problem.pointer for problem in error.value.problems} == {"/lot"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("C1234", "C1234"),
        ("  C 1234\n", "C 1234"),
        ("C\u00a0 1234", "C 1234"),
        ("\uff43\uff11\uff12", "c12"),
        ("a/b", "a/b"),
    ],
)
def test_a_typed_lot_is_kept_as_printed(typed: str, kept: str) -> None:
    assert printed_lot(typed) == kept
    assert check(Vial, vial(kept)).model.lot == kept


@pytest.mark.parametrize("typed", ["", "  ", "--", "\u04211234", "C12\u200b34", "A" * 41, "C12\x1d34"])
def test_a_lot_that_no_record_can_hold_is_refused_and_not_looked_for_in_vain(typed: str) -> None:
    with pytest.raises(ProblemsError) as error:
        printed_lot(typed)
    assert [problem.code for problem in error.value.problems] == ["lot.unreadable"]


@given(st.text(max_size=45))
def test_what_is_kept_of_a_typed_lot_fits_every_record(typed: str) -> None:
    try:
        kept = printed_lot(typed)
    except ProblemsError:
        return
    assert Vial.from_json(json.dumps(vial(kept))).lot == kept
    assert lot_key(kept) == lot_key(typed)
