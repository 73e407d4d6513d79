"""The use cases, one transaction each: the workflow's step, the records, the outbox and the audit together."""

from .desk import Desk, utc_now

__all__ = ["Desk", "utc_now"]
