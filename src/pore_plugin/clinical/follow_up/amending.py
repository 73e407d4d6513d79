"""What plug-ins change about a follow-up schedule before its steps are dated, and what they may not change."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...contracts import (
    AddStep,
    FollowUpEdit,
    RemoveStep,
    ReplaceStep,
    ScheduleStep,
    SetOffset,
    StepChange,
)

__all__ = ["AmendedStep", "amend"]

_KEPT_BY_REQUIRED = ("required", "earliest", "latest", "offered", "closes_watch", "primary_outcome")
"""What a replacement of a required step has in common with it."""


@dataclass(frozen=True, slots=True)
class AmendedStep:
    """A step of the schedule with what was done to it; a removed one is kept for its reason."""

    step: ScheduleStep
    changes: tuple[StepChange, ...] = ()
    removed: bool = False


def amend(
    steps: Sequence[ScheduleStep],
    edits: Iterable[tuple[str, FollowUpEdit]],
    *,
    fits: Callable[[ScheduleStep], bool],
    forms: Container[str],
) -> tuple[tuple[AmendedStep, ...], tuple[str, ...]]:
    """Return the steps after the edits, each given with its plug-in, and a sentence for each edit that was dropped.

    `fits` says whether a step's offset lies inside its own window; `forms` holds the ids of the forms that exist.
    The order of the edits does not matter, and an edit given twice is one edit. Edits of one step by several
    plug-ins, or several of one plug-in, are all dropped.
    """
    result = {step.id: AmendedStep(step) for step in steps}
    dropped: list[str] = []
    for target, wanted in sorted(_by_target(edits).items()):
        authors = sorted({plugin for plugin, _ in wanted})
        if len(wanted) > 1:
            dropped.append(f"Edits of step {target} contradict each other and were dropped: {', '.join(authors)}.")
            continue
        plugin, edit = wanted[0]
        fault = _fault(edit, result, fits, forms)
        if fault:
            dropped.append(f"An edit of step {target} by {plugin} was dropped: {fault}.")
        else:
            result[target] = _apply(plugin, edit, result.get(target))
    return tuple(result.values()), tuple(dropped)


def _by_target(edits: Iterable[tuple[str, FollowUpEdit]]) -> dict[str, list[tuple[str, FollowUpEdit]]]:
    targets: dict[str, list[tuple[str, FollowUpEdit]]] = {}
    for plugin, edit in edits:
        wanted = targets.setdefault(edit.step.id if isinstance(edit, AddStep) else edit.step, [])
        if (plugin, edit) not in wanted:
            wanted.append((plugin, edit))
    return targets


def _fault(
    edit: FollowUpEdit,
    steps: Mapping[str, AmendedStep],
    fits: Callable[[ScheduleStep], bool],
    forms: Container[str],
) -> str | None:
    """Say why an edit cannot be made, `None` when it can."""
    if isinstance(edit, AddStep):
        if edit.step.id in steps:
            return "the schedule has a step with this id"
        return _step_fault(edit.step, steps, fits, forms)
    present = steps.get(edit.step)
    if present is None:
        return "the schedule has no such step"
    old = present.step
    if isinstance(edit, RemoveStep):
        return "a required step cannot be removed" if old.required else None
    if isinstance(edit, SetOffset):
        return None if fits(_moved(old, edit.offset)) else "the offset lies outside the window of the step"
    new = edit.with_step
    if new.id != old.id:
        return "a replacement keeps the id of the step"
    if old.required and any(getattr(new, name) != getattr(old, name) for name in _KEPT_BY_REQUIRED):
        return "a required step stays required and keeps its window and its role"
    if not fits(_moved(old, new.offset) if old.required else new):
        return "the offset lies outside the window of the step"
    return _step_fault(new, steps, fits, forms)


def _step_fault(
    step: ScheduleStep,
    steps: Mapping[str, AmendedStep],
    fits: Callable[[ScheduleStep], bool],
    forms: Container[str],
) -> str | None:
    if not fits(step):
        return "the offset lies outside the window of the step"
    if step.form is not None and step.form not in forms:
        return "its form does not exist"
    if step.primary_outcome and any(other.step.primary_outcome for other in steps.values() if other.step.id != step.id):
        return "another step is the primary outcome visit"
    return None


def _offset(step: ScheduleStep, offset: str) -> ScheduleStep:
    return step.model_copy(update={"offset": offset})


def _moved(step: ScheduleStep, offset: str) -> ScheduleStep:
    """Return the step at another offset, as its window is judged.

    A required step with an open window does not move to the open side: years later would be as good as never.
    """
    if not step.required:
        return _offset(step, offset)
    bounds = {"earliest": step.earliest or step.offset, "latest": step.latest or step.offset}
    return step.model_copy(update={"offset": offset, **bounds})


def _apply(plugin: str, edit: FollowUpEdit, present: AmendedStep | None) -> AmendedStep:
    match edit:
        case AddStep():
            return AmendedStep(edit.step, (StepChange(plugin=plugin, change="added", reason=edit.step.basis),))
        case ReplaceStep():
            return AmendedStep(edit.with_step, (StepChange(plugin=plugin, change="replaced", reason=edit.reason),))
        case SetOffset() | RemoveStep() if present is None:
            raise LookupError("an edit of a step that the schedule does not have")
        case SetOffset():
            change = StepChange(plugin=plugin, change="moved", reason=edit.reason)
            return AmendedStep(_offset(present.step, edit.offset), (change,))
        case RemoveStep():
            change = StepChange(plugin=plugin, change="removed", reason=edit.reason)
            return replace(present, changes=(change,), removed=True)
