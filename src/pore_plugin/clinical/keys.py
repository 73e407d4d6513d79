"""The keys of everything that is made once: the same record and step always give the same key."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid5

__all__ = ["keys_of", "record_key"]

_ROOT = UUID("04acf9b0-728e-5bce-8d48-55ac0d92557a")
"""UUIDv5 of the URL `urn:pore-plugin:record-key`. Changing it would make every planned step exist twice."""


def record_key(clinic: str, record: str, step: str) -> str:
    """Return UUIDv5(clinic, record id, step id) as a lower-case record id.

    The clinic's id is the namespace, so equal record ids of two clinics never meet. A record id holds no slash
    (`RecordId`), so no two pairs of record and step read alike.
    """
    return keys_of(clinic, record)(step)


def keys_of(clinic: str, record: str) -> Callable[[str], str]:
    """Return `record_key` for the steps of one record."""
    namespace = uuid5(_ROOT, clinic)
    return lambda step: str(uuid5(namespace, f"{record}/{step}"))
