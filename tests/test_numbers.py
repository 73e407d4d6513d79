"""Exact numbers keep their value, have one spelling, and never pass through a float."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pore_plugin.clinical.numbers import exact, figure, rounded, spell
from pore_plugin.contracts.base import DecimalString

CONTRACT = TypeAdapter(DecimalString)
SHORT_DECIMALS = st.builds(
    lambda digits, places: Fraction(digits, 10**places), st.integers(-(10**15), 10**15), st.integers(0, 14)
)


@given(SHORT_DECIMALS)
def test_a_decimal_comes_back_unchanged_in_the_spelling_of_the_contracts(value: Fraction) -> None:
    text = spell(value)
    assert CONTRACT.validate_python(text) == text
    assert exact(text) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
def test_decimals_and_fractions_are_spelt_alike(value: Decimal) -> None:
    assert spell(value) == spell(Fraction(value))


@given(st.text(alphabet="0123456789.-+eE_ \n٣", max_size=8))
def test_exactly_the_spellings_of_the_contracts_are_read(text: str) -> None:
    try:
        CONTRACT.validate_python(text)
    except ValueError:
        with pytest.raises(ValueError, match="one spelling"):
            exact(text)
    else:
        assert exact(text) == Fraction(text)


@pytest.mark.parametrize("text", ["", "0.50", ".5", "5.", "-0", "+1", "1e3", "1_0", "٣", "1\n", " 1", "1/3", "1" * 33])
def test_other_spellings_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a decimal in its one spelling$"):
        exact(text)


@pytest.mark.parametrize(
    "value",
    [Fraction(1, 3), Fraction(1, 2**40), Fraction(10) ** 40, Decimal("1E+999999999"), Decimal("NaN"), Decimal("Inf")],
)
def test_what_does_not_end_within_32_characters_is_refused(value: Fraction | Decimal) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        spell(value)


def test_the_longest_decimal_is_still_spelt() -> None:
    assert spell(Fraction(10**32 - 1)) == "9" * 32
    with pytest.raises(ValueError, match="32 characters"):
        spell(-Fraction(10**32 - 1))


@pytest.mark.parametrize("value", [0.5, True, "1", None])
def test_floats_booleans_and_text_are_no_exact_numbers(value: object) -> None:
    with pytest.raises(TypeError):
        spell(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected", "nominal"),
    [
        (Fraction(992, 5), "198.4", False),
        (Fraction(250, 3), "83.3333", True),
        (Fraction(1, 120), "0.0083", True),
        (Fraction(1, 10**12), "0.000000000001", False),
        (Fraction(1, 30000), "0.00003", True),
        (Fraction(0), "0", False),
        (Fraction(10**20) + Fraction(1, 10**12), "1" + "0" * 20, True),
    ],
)
def test_a_figure_is_exact_or_says_that_it_is_nominal(value: Fraction, expected: str, nominal: bool) -> None:
    shown = figure(value, "mL")
    assert (shown.value, shown.unit, shown.nominal) == (expected, "mL", nominal)


@given(st.fractions(max_denominator=10**9).filter(lambda value: abs(value) < 10**12))
def test_a_figure_is_its_value_or_within_half_of_the_last_place(value: Fraction) -> None:
    shown = figure(value, "mL")
    difference = abs(exact(shown.value) - value)
    assert difference <= Fraction(1, 20000)
    assert shown.nominal == (difference != 0)
    assert (exact(shown.value) == 0) == (value == 0)


@pytest.mark.parametrize(("value", "expected"), [("0.00005", "0.0000"), ("0.00015", "0.0002"), ("0.00025", "0.0002")])
def test_halves_go_to_the_even_neighbour(value: str, expected: str) -> None:
    result = rounded(Fraction(value) + 1, 4)
    assert result == Fraction(expected) + 1
