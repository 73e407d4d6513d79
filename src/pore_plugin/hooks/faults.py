"""What goes wrong with plug-ins, said as problems that name plug-in, version and hook and never a value."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from ..contracts import Problem, ProblemsError

__all__ = ["LOG", "ExtensionError", "fault", "nearest", "raised"]

LOG = logging.getLogger("pore_plugin.hooks")


class ExtensionError(ProblemsError):
    """What strict mode raises where it would otherwise quarantine; its cause is the plug-in's own exception."""


def fault(
    code: str,
    sentence: str,
    next_step: str,
    *,
    plugin: str | None = None,
    hook: str | None = None,
    pointer: str = "",
    warning: bool = False,
) -> Problem:
    """Return a problem with a plug-in. `sentence` and `next_step` hold names of code only, no values."""
    return Problem(
        code=code,
        sentence=sentence,
        next_step=next_step,
        pointer=pointer,
        severity="warning" if warning else "error",
        plugin=plugin,
        hook=hook,
    )


def raised(error: BaseException, label: str, *, plugin: str, hook: str) -> Problem:
    """Return the problem for an exception that left a plug-in. Its message may hold patient data and is left out."""
    kind = type(error).__name__
    what = "tried to end the program" if isinstance(error, SystemExit) else f"raised {kind}"
    return fault(
        "extension.failed",
        f"{label} {what} in {hook}.",
        "Tell its author: with PORE_PLUGIN_STRICT=1, Python code that starts it gets the error itself.",
        plugin=plugin,
        hook=hook,
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean X?` for the nearest known spelling, or nothing."""
    found: list[Any] = get_close_matches(word, list(known), n=1)
    return f" Did you mean {found[0]}?" if found else ""
