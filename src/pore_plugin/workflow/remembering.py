"""What was worked out of a record, for as long as somebody holds that very record."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import ReferenceType, ref

from ..contracts import Model

__all__ = ["ByIdentity"]

V = TypeVar("V")


class ByIdentity(Generic[V]):
    """Values by the identity of a frozen model; a value goes when its model goes.

    Records are handed from step to step as the same objects, and a plan's digest costs more than a consultation's
    parse. Nothing is kept alive: a host that lets go of a record leaves nothing of it here. A model is frozen and
    extensions get copies, so what was worked out of it stays true.
    """

    def __init__(self) -> None:
        self._values: dict[int, tuple[ReferenceType[Model], V]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def of(self, record: Model, work_out: Callable[[], V]) -> V:
        """Return the record's value, worked out at the first question."""
        key = id(record)
        known = self._values.get(key)
        if known is not None and known[0]() is record:
            return known[1]
        value = work_out()
        self._values[key] = (ref(record, lambda gone: self._forget(key, gone)), value)
        return value

    def _forget(self, key: int, gone: ReferenceType[Model]) -> None:
        # Another record may have the identity of the one that is gone by now.
        known = self._values.get(key)
        if known is not None and known[0] is gone:
            del self._values[key]
