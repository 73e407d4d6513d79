"""One hook round trip with one plug-in: through the dispatcher, with its guards, and bare through pluggy."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy
from timing import by_turns

from pore_plugin import PoreWorkflow, hookimpl
from pore_plugin.contracts import AssessmentContext, Consultation, Event, Finding, ProcedureTemplate
from pore_plugin.hooks import PROJECT, Dispatcher, discover, specs

__all__ = ["round_trips"]


class Outside:
    """A plug-in of somebody else's: hears events, and finds one thing."""

    PORE_CONTRACT = "0.1"
    PORE_VENDOR = "acme"

    def __init__(self, finding: Finding) -> None:
        self.finding = finding

    @hookimpl
    def pore_on_event(self, event: Event) -> None:
        """Hear it."""

    @hookimpl
    def pore_assess_suitability(
        self, consultation: Consultation, template: ProcedureTemplate, context: AssessmentContext
    ) -> Sequence[Finding]:
        """Find the same thing always."""
        return [self.finding]


def round_trips(
    workflow: PoreWorkflow, consultation: Consultation, context: AssessmentContext, *, turns: int
) -> dict[str, float]:
    """Return seconds of a notification and of a finding, through the dispatcher and bare."""
    finding = Finding(
        code="acme.late-sun",
        severity="inform",
        message={"en": "Came straight from the beach."},
        source="Invented for this measurement",
        mark="D",
        plugin="acme",
    )
    plugin = Outside(finding)
    found = discover(None, {"acme": plugin}, entry_points=False, environ={})
    if [one.state for one in found.report.entries] != ["active"]:
        raise RuntimeError("the plug-in of this measurement was not accepted")
    hooks = Dispatcher(found)
    bare = pluggy.PluginManager(PROJECT)
    bare.add_hookspecs(specs)
    bare.register(plugin)
    event = Event(
        id="event-1", type="benchmark.ran", clinic=workflow.clinic.id, subject="none", at="2026-01-01T00:00:00+00:00"
    )
    template = workflow.templates()[0].model
    return by_turns(
        {
            "event": lambda: hooks.on_event(event),
            "event, bare": lambda: bare.hook.pore_on_event(event=event),
            "finding": lambda: hooks.assess_suitability(consultation, template, context),
            "finding, bare": lambda: bare.hook.pore_assess_suitability(
                consultation=consultation, template=template, context=context, day_form=None
            ),
        },
        turns=turns,
    )
