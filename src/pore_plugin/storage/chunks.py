"""Many ids, a statement's worth at a time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

__all__ = ["parts"]

T = TypeVar("T", bound=Hashable)

# Below every limit of either database.
_MOST = 400


def parts(ids: Iterable[T], most: int = _MOST) -> Iterator[list[T]]:
    """Yield these ids, each once and in their order, as many at a time as go into one statement."""
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), most):
        yield wanted[start : start + most]
