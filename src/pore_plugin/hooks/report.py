"""The load report: every plug-in that was found, what became of it, and why."""

from ..contracts import LoadReport, PluginEntry
from ..contracts import PluginState as State

__all__ = ["LoadReport", "PluginEntry", "State"]
