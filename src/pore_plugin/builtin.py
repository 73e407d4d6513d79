"""Our own content and rules, as a plug-in through the same door as everybody's. It is always there and always first.

The content files are package data: every `*.json` under `content/` with a `type` is one content document; what
stands under `content/sample/` is input for the demo.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from .contracts import (
    AssessmentContext,
    Calendar,
    Consultation,
    Finding,
    FollowUpPlan,
    FollowUpStep,
    Markets,
    ProcedureTemplate,
)
from .hooks import BUILTIN, CONTRACT_VERSION, hookimpl
from .validation import Checked, check

__all__ = ["Assess", "Builtin", "content", "documents", "markets", "sample", "sample_names"]

Assess = Callable[
    [Consultation | None, ProcedureTemplate | None, AssessmentContext, Consultation | None], Iterable[Finding]
]
"""Our rules over consultation, template, context and the day's answers, bound to a catalogue and a clinic."""

_SAMPLE = "sample"


class Builtin:
    """The built-in plug-in. `assess` is our rules for one clinic; without it every assessment is a block."""

    PORE_CONTRACT = CONTRACT_VERSION
    PORE_VENDOR = BUILTIN

    def __init__(self, assess: Assess | None = None, version: str | None = None) -> None:
        """`version` is that of the package, for the load report."""
        self._assess = assess
        self.__version__ = version

    @hookimpl
    def pore_register_content(self) -> Iterable[Checked[Any]]:
        """Return the content of the package."""
        return content()

    @hookimpl
    def pore_assess_suitability(
        self,
        consultation: Consultation | None,
        template: ProcedureTemplate | None,
        context: AssessmentContext,
        day_form: Consultation | None,
    ) -> Iterable[Finding] | None:
        """Return the findings of our rules, `None` when there are no rules to ask, which blocks."""
        return None if self._assess is None else self._assess(consultation, template, context, day_form)

    @hookimpl
    def pore_place_follow_up_step(
        self, step: FollowUpStep, follow_up_plan: FollowUpPlan, calendar: Calendar
    ) -> FollowUpStep:
        """Place the step at the opening nearest to its offset."""
        # Imported here: a host that only shows forms never places a step.
        from .clinical.follow_up.slots import place_step

        return place_step(step, follow_up_plan, calendar)


@cache
def content() -> tuple[Checked[Any], ...]:
    """Return the checked content documents of the package, by path. Raises `ProblemsError` naming the file."""
    checked = []
    for path, data in documents():
        # The file is ours and known to be JSON with a type; `check` reads it as strictly as anybody's.
        checked.append(check(json.loads(data)["type"], data, file=path))
    return tuple(checked)


@cache
def markets() -> Markets:
    """Return the markets that the content of the package knows; no other is accepted."""
    # Read alone: whoever has settings needs it, and most of them none of the other documents.
    return check(Markets, (_folder() / "markets.json").read_bytes(), file="markets.json").model


def documents() -> tuple[tuple[str, bytes], ...]:
    """Return path (`forms/consultation.json`) and bytes of every content document of the package, by path."""
    return tuple(
        (path, data) for path, data in _files(_folder(), "") if not path.startswith(f"{_SAMPLE}/") and _has_type(data)
    )


def sample_names() -> tuple[str, ...]:
    """Return the names of the sample files, such as `clinic.toml`, sorted."""
    folder = _folder() / _SAMPLE
    return tuple(path for path, _ in _files(folder, "", suffix="")) if folder.is_dir() else ()


def sample(name: str) -> bytes:
    """Return the bytes of a sample file. Raises `LookupError` for an unknown name."""
    if name not in sample_names():
        raise LookupError(f"no sample is called {name!r}; there are: {', '.join(sample_names())}")
    return _folder().joinpath(_SAMPLE, *name.split("/")).read_bytes()


def _folder() -> Traversable:
    return resources.files(__package__) / "content"


def _files(folder: Traversable, prefix: str, suffix: str = ".json") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{prefix}{entry.name}/", suffix)
        elif entry.name.endswith(suffix):
            yield prefix + entry.name, entry.read_bytes()


def _has_type(data: bytes) -> bool:
    document = json.loads(data)
    return isinstance(document, dict) and "type" in document
