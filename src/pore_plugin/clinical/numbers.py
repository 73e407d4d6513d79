"""Exact numbers: the one spelling of a decimal as a `Fraction` and back. No float comes in or goes out."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from ..contracts.common import Figure

__all__ = ["exact", "figure", "rounded", "spell"]

LONGEST = 32
"""The most characters a decimal string may have, as the contracts limit it."""
EXACT_PLACES = 12
"""The most decimal places a figure is shown with as exact; what is longer is rounded and nominal."""

_SPELLABLE = 10 ** (LONGEST - EXACT_PLACES - 2)
_CANONICAL = re.compile(r"(?:0|-?(?:0\.[0-9]*[1-9]|[1-9][0-9]*(?:\.[0-9]*[1-9])?))")


def exact(text: str) -> Fraction:
    """Return the value of a decimal in its one spelling (`0.5`, never `0.50`, `.5`, `5e-1`).

    Raises `ValueError`, which does not repeat the text, for everything else.
    """
    if len(text) > LONGEST or _CANONICAL.fullmatch(text) is None:
        raise ValueError("not a decimal in its one spelling")
    # Checked above, so read as two integers: `Fraction` would look at the text a second time.
    whole, _, part = text.partition(".")
    return Fraction(int(whole + part), 10 ** len(part)) if part else Fraction(int(whole))


def spell(value: Fraction | Decimal | int) -> str:
    """Return the one spelling of an exact decimal; `exact(spell(value)) == value`.

    Raises `ValueError` when the value does not terminate within 32 characters, `TypeError` for a float or bool.
    """
    number = _fraction(value)
    places = _places(number.denominator)
    if places is None or places > LONGEST or number.numerator.bit_length() > 4 * LONGEST:
        raise ValueError("not a decimal of at most 32 characters")
    sign = "-" if number < 0 else ""
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    text = f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
    if len(text) > LONGEST:
        raise ValueError("not a decimal of at most 32 characters")
    return text


def rounded(value: Fraction, places: int) -> Fraction:
    """Return the value rounded half-even to `places` decimals, with more where it would otherwise be shown as zero."""
    result = Fraction(round(value * 10**places), 10**places)
    while value and not result and places < LONGEST:
        places += 1
        result = Fraction(round(value * 10**places), 10**places)
    return result


def figure(value: Fraction, unit: str, places: int = 4) -> Figure:
    """Return the value as a figure of the plan: exact when it terminates within 12 places and 32 characters.

    Otherwise it is rounded half-even to `places` and nominal: for display, never summed or compared. A positive
    value is never shown as zero. Raises `ValueError` when even the rounded value is too long.
    """
    ends = _places(value.denominator)
    if ends is not None and ends <= EXACT_PLACES and abs(value) < _SPELLABLE:
        return Figure(value=spell(value), unit=unit)
    return Figure(value=spell(rounded(value, places)), unit=unit, nominal=True)


def _fraction(value: Fraction | Decimal | int) -> Fraction:
    if type(value) is Fraction:
        return value
    if isinstance(value, bool) or not isinstance(value, Fraction | Decimal | int):
        raise TypeError("an exact number is a Fraction, a Decimal or an int")
    if isinstance(value, Decimal):
        # Checked on the exponent: the Fraction of 1E+999999999 alone would fill the memory.
        if not value.is_finite() or (value and abs(value.adjusted()) > LONGEST):
            raise ValueError("not a decimal of at most 32 characters")
        return Fraction(value) if value else Fraction(0)
    return Fraction(value)


def _places(denominator: int) -> int | None:
    """Return how many decimal places 1/denominator has, `None` when it does not terminate."""
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    return max(twos, fives) if rest == 1 else None
