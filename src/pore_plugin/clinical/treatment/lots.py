"""When two lots are the same one, and when they read so alike that a person has to look. Pure.

A lot is kept as it is printed and compared by its key. What is printed differs from what is typed or scanned in case,
blanks and hyphens, and a letter O is read as a zero; none of these tells two lots of a maker apart.
"""

import re
import unicodedata
from string import ascii_lowercase, ascii_uppercase
from typing import Literal

from ...contracts import Problem, ProblemsError

__all__ = ["Nearness", "lot_key", "near_keys", "nearness", "printed_lot"]

Nearness = Literal["same", "one-character"]

_LONGEST = 40
_SPELT = str.maketrans(ascii_lowercase, ascii_uppercase.replace("O", "0"))


def printed_lot(text: str) -> str:
    """Return a typed or scanned lot as records keep it: full-width forms made plain, no blanks around it.

    Raises `ProblemsError` (`lot.unreadable`) for what no record can hold: a search for it would find nothing and look
    like an answer. A letter of another alphabet is such a thing, however much it looks like the one on the vial.
    """
    # Other white space than a blank is no part of a lot: the separator of a scanned code is one.
    plain = re.sub(" +", " ", unicodedata.normalize("NFKC", text).strip(" \t\r\n"))
    if not 0 < len(plain) <= _LONGEST or not plain.isascii() or not plain.isprintable() or not lot_key(plain):
        raise ProblemsError(
            [
                Problem(
                    code="lot.unreadable",
                    sentence="A lot has up to 40 Latin letters, digits and signs, and at least one letter or digit.",
                    next_step="Type the lot as it is printed on the vial.",
                )
            ]
        )
    return plain


def lot_key(text: str) -> str:
    """Return what two spellings of one lot have in common: upper-case letters and digits, with O as 0.

    Every separator goes, `/ . _` and the other signs as well as blanks and hyphens: makers print them to group a lot
    and people leave them out. Two lots that differ in nothing else would be taken for one, and a recall would name a
    patient too many, with the lot as it was recorded; the other way round it would miss one.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in plain if letter.isalnum()).translate(_SPELT)


def near_keys(key: str) -> tuple[str, ...]:
    """Return the key and each key with one character less, sorted and each once.

    Two keys one edit apart have at least one of these in common, so an index over them finds every near lot with one
    look-up for each; what it finds is then asked with `nearness`, since some of it is two edits away.
    """
    return tuple(sorted({key, *(key[:at] + key[at + 1 :] for at in range(len(key)))}))


def nearness(one: str, other: str) -> Nearness | None:
    """Say whether two lots, or their keys, are the same, or one character apart: `None` when they are neither.

    One character is one exchanged, one too many, one missing, or two neighbours swapped.
    """
    short, long = sorted((lot_key(one), lot_key(other)), key=len)
    if short == long:
        return "same"
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    if len(short) + 1 == len(long):
        return "one-character" if short[start:] == long[start + 1 :] else None
    if len(short) != len(long):
        return None
    swapped = short[start : start + 2] == long[start : start + 2][::-1] and short[start + 2 :] == long[start + 2 :]
    return "one-character" if swapped or short[start + 1 :] == long[start + 1 :] else None
