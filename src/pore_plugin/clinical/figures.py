"""Whether a sourced figure may serve, and on whose word: the one place that this is asked."""

from collections.abc import Collection
from typing import Literal

from ..contracts.common import SourcedNumber

__all__ = ["Standing", "usable"]

Standing = Literal["default", "accepted"]
"""As a default, by its source alone; or because the clinic accepted the suggestion."""


def usable(number: SourcedNumber, key: str, accepted: Collection[str]) -> Standing | None:
    """Return on whose word a figure may serve, `None` where it may not: it is empty, or nobody accepted it.

    What is verified, or our own design choice, serves by itself; every other mark is a suggestion that serves once
    its `key` is among the suggestions that the clinic accepts (`Policies.accepted_suggestions`).
    """
    if number.value is None:
        return None
    if number.mark in ("V", "D"):
        return "default"
    return "accepted" if key in accepted else None
