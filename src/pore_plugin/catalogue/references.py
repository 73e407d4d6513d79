"""What a content document refers to, and what it defines for others to refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..contracts import (
    ClinicProtocol,
    ConsultationForm,
    EvidenceBase,
    FollowUpSchedule,
    Markets,
    ProcedureTemplate,
    Product,
    RegionMap,
    RegionMapQuestion,
    RuleCase,
    SafetyRules,
)

__all__ = ["Reference", "definitions", "references"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a document that names something: what kind of thing, and which."""

    pointer: str
    kind: str
    target: str


def definitions(model: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and id of what a document defines: itself by its type, and what is inside it."""
    yield model.type, model.id
    if isinstance(model, ConsultationForm):
        yield f"{model.kind} form", model.id
        yield from (("question", question.id) for section in model.sections for question in section.questions)
    elif isinstance(model, EvidenceBase):
        yield from (("evidence statement", statement.id) for statement in model.statements)
    elif isinstance(model, RegionMap):
        yield from (("region", region.id) for region in model.regions)
        yield from (("side", f"{r.id}/{side}") for r in model.regions if r.paired for side in ("left", "right"))
        yield from (("chart", chart.id) for chart in model.charts)
    elif isinstance(model, SafetyRules):
        yield from (("rule", rule.code) for rule in model.rules)
    elif isinstance(model, Markets):
        yield from (("market", market.id) for market in model.markets)


def references(model: Any) -> Iterator[Reference]:
    """Yield everything a document refers to outside itself."""
    if isinstance(model, ConsultationForm):
        yield from _of_form(model)
    elif isinstance(model, SafetyRules):
        yield from _of_rules(model)
    elif isinstance(model, ProcedureTemplate):
        yield from _of_template(model)
    elif isinstance(model, FollowUpSchedule):
        yield from _of_schedule(model)
    elif isinstance(model, ClinicProtocol):
        yield Reference("/template", "procedure-template", model.template)
        if model.product is not None:
            yield Reference("/product", "product", model.product)
        for index, region in enumerate(model.regions):
            yield from _of_region(f"/regions/{index}", region.region, region.side)
    elif isinstance(model, EvidenceBase):
        for index, statement in enumerate(model.statements):
            yield from _each(f"/statements/{index}/regions", "region", statement.regions)
        for index, threshold in enumerate(model.thresholds):
            yield Reference(f"/thresholds/{index}/region", "region", threshold.region)
    elif isinstance(model, Product):
        for index, contraindication in enumerate(model.contraindications):
            yield Reference(f"/contraindications/{index}/rule", "rule", contraindication.rule)


def _of_form(form: ConsultationForm) -> Iterator[Reference]:
    for i, section in enumerate(form.sections):
        for j, question in enumerate(section.questions):
            if isinstance(question, RegionMapQuestion):
                yield from _each(f"/sections/{i}/questions/{j}/regions", "region", question.regions)


def _of_rules(rules: SafetyRules) -> Iterator[Reference]:
    for i, rule in enumerate(rules.rules):
        for j, case in enumerate(rule.cases):
            yield from _of_case(f"/rules/{i}/cases/{j}", case)


def _of_case(at: str, case: RuleCase) -> Iterator[Reference]:
    yield from _each(f"{at}/products", "product", case.products)
    yield from _each(f"{at}/except_products", "product", case.except_products)
    predicate = case.predicate
    for member in ("question", "region_question"):
        question = getattr(predicate, member, None)
        if question is not None:
            yield Reference(f"{at}/predicate/{member}", "question", question)
    for index, condition in enumerate(predicate.when.conditions if predicate.when else ()):
        yield Reference(f"{at}/predicate/when/conditions/{index}/question", "question", condition.question)


def _of_template(template: ProcedureTemplate) -> Iterator[Reference]:
    yield Reference("/consultation_form", "consultation form", template.consultation_form)
    yield Reference("/day_form", "day-of-treatment form", template.day_form)
    yield Reference("/schedule", "follow-up-schedule", template.schedule)
    yield from _each("/consent_texts", "consent-text", template.consent_texts)
    yield from _each("/evidence", "evidence statement", template.evidence)
    yield from _each("/instruments", "instrument", template.instruments)
    for index, place in enumerate(template.regions):
        yield from _of_region(f"/regions/{index}", place.region, place.side)
    for index, region in enumerate(template.injection.regions if template.injection else ()):
        for side in region.sides or (None,):
            yield from _of_region(f"/injection/regions/{index}", region.region, side)


def _of_schedule(schedule: FollowUpSchedule) -> Iterator[Reference]:
    if schedule.watch_form is not None:
        yield Reference("/watch_form", "follow-up form", schedule.watch_form)
    for index, step in enumerate(schedule.steps):
        if step.form is not None:
            yield Reference(f"/steps/{index}/form", "follow-up form", step.form)
        yield from _each(f"/steps/{index}/instruments", "instrument", step.instruments)


def _of_region(at: str, region: str, side: str | None) -> Iterator[Reference]:
    yield Reference(f"{at}/region", "region", region)
    if side is not None:
        yield Reference(f"{at}/side" if "injection" not in at else f"{at}/sides", "side", f"{region}/{side}")


def _each(at: str, kind: str, targets: Iterable[str]) -> Iterator[Reference]:
    for index, target in enumerate(targets):
        yield Reference(f"{at}/{index}", kind, target)
