"""What stands in for a plug-in that failed, and what a plug-in may not do with what it was given."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from ..contracts import Finding, FollowUpPlan, FollowUpStep, Problem, StepChange
from .faults import fault
from .inspection import BUILTIN, Loaded

__all__ = ["failed_finding", "foreign", "misplaced", "mutated", "signed", "unavailable_finding"]


def mutated(label: str, hook: str) -> Problem:
    """Return the problem for an input that a plug-in wrote to."""
    sentence = f"{label} changed what {hook} was given; the change reached nobody else."
    return fault("extension.mutated_input", sentence, "Tell its author to return what it wants changed.")


def foreign(pointer: str) -> Problem:
    """Return the problem for an id outside the namespace of its plug-in."""
    return fault(
        "extension.namespace",
        "This id does not begin with the vendor of the plug-in.",
        "Begin the id with PORE_VENDOR.",
        pointer=pointer,
    )


def failed_finding(plugin: Loaded) -> Finding:
    """Return the `review` finding that stands in for a plug-in that failed to assess."""
    # English and built in on purpose, as below: this has to be said when no content can be read.
    return Finding(
        code="extension.failed",
        severity="review",
        message={"en": f"The extension {plugin.label} failed while it assessed; its own checks may be missing."},
        source="pore-plugin, failure policy of pore_assess_suitability",
        mark="D",
        plugin=plugin.name,
    )


@cache
def unavailable_finding() -> Finding:
    """Return the `block` finding that stands in for our own rules when they cannot be applied."""
    return Finding(
        code="safety.unavailable",
        severity="block",
        message={"en": "The safety rules could not be applied. Do not treat until they can be."},
        source="pore-plugin, failure policy of pore_assess_suitability",
        mark="D",
        plugin=BUILTIN,
    )


def misplaced(step: FollowUpStep, placed: FollowUpStep, plan: FollowUpPlan) -> Problem | None:
    """Say what a plug-in may not do with a step: anything but move it inside its window."""
    hook = "pore_place_follow_up_step"
    if placed.model_copy(update={"due": step.due, "changes": step.changes}) != step:
        sentence = "Nothing of the step but its `due` may differ."
        return fault("extension.invalid_return", sentence, "Return the step with another due moment.", hook=hook)
    due = datetime.fromisoformat(placed.due)
    first, last = step.earliest or plan.anchor, step.latest
    if due < datetime.fromisoformat(first) or (last is not None and due > datetime.fromisoformat(last)):
        sentence = "The step lies outside its window."
        return fault("extension.invalid_return", sentence, "Stay inside it.", hook=hook, pointer="/due")
    return None


def signed(step: FollowUpStep, placed: FollowUpStep, plugin: str) -> FollowUpStep:
    """Return the placed step with one change, signed by its true author."""
    said = [change.reason for change in placed.changes if change not in step.changes]
    reason = said[-1] if said else "Placed by an extension."
    change = "kept" if placed.due == step.due else "moved"
    made = StepChange.model_validate({"plugin": plugin, "change": change, "reason": reason})
    return placed.model_copy(update={"changes": (*step.changes, made)})
