"""The use cases, one transaction each: the workflow's step, the records, the outbox and the audit together."""

from .cases import case_of
from .desk import Desk, utc_now
from .steps import Records

__all__ = ["Desk", "Records", "case_of", "utc_now"]
