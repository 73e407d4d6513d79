"""The use cases, one transaction each: the workflow's step, the records, the outbox and the audit together."""

from .cases import case_of
from .desk import Desk, utc_now
from .papers import amend, keep
from .reading import record_of, render
from .steps import Records

__all__ = ["Desk", "Records", "amend", "case_of", "keep", "record_of", "render", "utc_now"]
