"""Many ids, a statement's worth at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["parts"]

# Below every limit of either database.
_MOST = 400


def parts(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield these ids, each once and in their order, as many at a time as go into one statement."""
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), _MOST):
        yield wanted[start : start + _MOST]
