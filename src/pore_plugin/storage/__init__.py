"""Durable memory: a document's bytes and the columns it is found by, on SQLite or PostgreSQL. Parses nothing."""

from .engine import Database
from .unit import Unit

__all__ = ["Database", "Unit"]
