"""The hooks: declared once, discovered, dispatched. What extensions need is `hookimpl`; hosts need `host_hookspecs`."""

from ..contracts import LoadReport, PluginEntry
from .contract import CONTRACT_VERSION, PROJECT, Argument, HookContract, compatible
from .discovery import Extensions, discover
from .dispatch import Dispatcher
from .faults import ExtensionError
from .host_specs import host_hookspecs
from .inspection import BUILTIN, Loaded
from .results import Answered, Collected, Edits, Findings, Placed
from .returns import Contributed
from .specs import hookimpl, hookspec
from .table import CONTRACT, EXTENSION_HOOKS, HOST_HOOKS

__all__ = [
    "BUILTIN",
    "CONTRACT",
    "CONTRACT_VERSION",
    "EXTENSION_HOOKS",
    "HOST_HOOKS",
    "PROJECT",
    "Answered",
    "Argument",
    "Collected",
    "Contributed",
    "Dispatcher",
    "Edits",
    "ExtensionError",
    "Extensions",
    "Findings",
    "HookContract",
    "LoadReport",
    "Loaded",
    "Placed",
    "PluginEntry",
    "compatible",
    "discover",
    "hookimpl",
    "hookspec",
    "host_hookspecs",
]
