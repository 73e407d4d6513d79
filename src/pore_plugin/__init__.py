"""Pore-treatment consultation form, procedure template and follow-up schedule for practice-management systems.

Everything here is imported when it is first used, so that a host that merely has this package installed pays
nothing for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clinical.wording.texts import check_document, check_text
    from .contracts import ProblemsError
    from .hooks import hookimpl
    from .host import host_hookspecs, host_plugin
    from .validation import check, check_toml
    from .workflow import PoreWorkflow

__all__ = [
    "PoreWorkflow",
    "ProblemsError",
    "check",
    "check_document",
    "check_text",
    "check_toml",
    "hookimpl",
    "host_hookspecs",
    "host_plugin",
]

_HOMES = {
    "PoreWorkflow": "workflow",
    "ProblemsError": "contracts",
    "check": "validation",
    "check_document": "clinical.wording.texts",
    "check_text": "clinical.wording.texts",
    "check_toml": "validation",
    "hookimpl": "hooks",
    "host_hookspecs": "host",
    "host_plugin": "host",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
