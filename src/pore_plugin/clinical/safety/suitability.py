"""Whether a patient is suitable: safety rules as data over answers and context, findings that only join upward."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...contracts.base import Text
from ...contracts.clinic import Market, Policies
from ...contracts.common import RegionSide, Severity
from ...contracts.products import EvidenceBase, Product, RegionMap
from ...contracts.safety import (
    AnswersPredicate,
    AssessmentContext,
    ComputedPredicate,
    Finding,
    RuleCase,
    SafetyRule,
    SafetyRules,
    Verdict,
)
from ..forms.conditions import AnswerIndex, CompiledWhen, compile_when
from .checks import CHECKS, Hit
from .situation import Situation, by_region, firing, situation
from .spans import span

__all__ = ["UNAVAILABLE", "CompiledRules", "assess", "compile_rules", "join", "switched_off", "verdict"]

UNAVAILABLE = "safety.unavailable"
"""The code of the block finding that stands for a rule of ours that could not be evaluated."""

_RANK: Mapping[Severity, int] = {"inform": 1, "review": 2, "block": 3}
_VERDICTS: tuple[Verdict, ...] = ("clear", "inform", "review", "block")


@dataclass(frozen=True, slots=True)
class _Case:
    """A case with what does not depend on the patient made beforehand."""

    case: RuleCase
    everywhere: Finding
    regional: bool
    scoped: bool
    stages: frozenset[str]
    when: CompiledWhen | None


@dataclass(frozen=True, slots=True)
class _Rule:
    rule: SafetyRule
    cases: tuple[_Case, ...]


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """A rule set prepared for many assessments."""

    rules: tuple[_Rule, ...]

    @property
    def fallback(self) -> tuple[tuple[int, str], ...]:
        """What a re-treatment limit that nobody read counts as, the latest of them: the spans of the interval rules."""
        predicates = (case.case.predicate for rule in self.rules for case in rule.cases)
        tokens = (
            token
            for predicate in predicates
            if isinstance(predicate, ComputedPredicate) and predicate.check == "interval"
            for token in predicate.parameters[1:]
        )
        return tuple(span(token) for token in dict.fromkeys(tokens))


def compile_rules(rules: SafetyRules) -> CompiledRules:
    """Prepare a rule set; the result holds for as long as the rule set, which is frozen."""
    return CompiledRules(
        tuple(_Rule(rule, tuple(_compile_case(rule, case) for case in rule.cases)) for rule in rules.rules)
    )


def _compile_case(rule: SafetyRule, case: RuleCase) -> _Case:
    when = case.predicate.when
    return _Case(
        case=case,
        everywhere=_finding(rule, case),
        regional=rule.regional,
        scoped=any((case.markets, case.products, case.except_products, case.inns)),
        stages=frozenset(case.stages),
        when=None if when is None else compile_when(when),
    )


def _finding(rule: SafetyRule, case: RuleCase) -> Finding:
    predicate = case.predicate
    questions = {condition.question for condition in predicate.when.conditions} if predicate.when else set()
    named = predicate.region_question if isinstance(predicate, AnswersPredicate) else predicate.question
    return Finding(
        code=rule.code,
        case=case.id,
        severity=case.action,
        message=case.message,
        source=case.source,
        mark=case.mark,
        unverified=case.mark in ("T", "M"),
        rests_on=tuple(sorted(questions | ({named} if named else set()))),
    )


def assess(
    rules: SafetyRules | CompiledRules,
    context: AssessmentContext,
    *,
    answers: AnswerIndex,
    day_answers: AnswerIndex | None = None,
    products: Mapping[str, Product],
    regions: RegionMap,
    evidence: EvidenceBase,
    market: Market,
    policies: Policies,
    anaesthetics: Mapping[str, bool] | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of every rule that is on, most severe first, in an order that input order cannot change.

    `answers` and `day_answers` are the counted answers of the consultation and of the day of treatment; what either
    says holds. `context.history` is the whole toxin history, reported exposures included (`history.merge`);
    `context.planned == ()` without a product says that this session has no toxin. `anaesthetics` tells whether an
    anaesthetic is a local one; others count as local.

    Never raises: a rule that cannot be evaluated becomes a block finding `safety.unavailable`, its case the rule.
    """
    try:
        compiled = rules if isinstance(rules, CompiledRules) else compile_rules(rules)
        found = situation(
            context,
            answers=answers,
            day_answers=day_answers,
            products=products,
            regions=regions,
            evidence=evidence,
            market=market,
            policies=policies,
            anaesthetics=anaesthetics or {},
        )
        off = switched_off(compiled, context, products=products, market=market, policies=policies)
    except Exception:
        return (_unavailable("rules"),)
    findings: list[Finding] = []
    for rule in compiled.rules:
        if rule.rule.code in off:
            continue
        try:
            findings.extend(_of_rule(rule, found))
        except Exception:
            # Fail closed, and say no more than which rule: the error may hold what the patient answered.
            findings.append(_unavailable(rule.rule.code))
    return join(findings)


def _of_rule(rule: _Rule, found: Situation) -> list[Finding]:
    findings = []
    for case in rule.cases:
        if case.stages and found.context.stage not in case.stages:
            continue
        if case.case.toxin_only and found.toxin == "none":
            continue
        if case.scoped and not _applies(case.case, found.context.product, found.product, found.market):
            continue
        finding = _of_case(case, found)
        if finding is not None:
            findings.append(finding)
    return findings


def _applies(case: RuleCase, product: str | None, row: Product | None, market: Market) -> bool:
    """Whether the case is about this product and market; a case for certain products needs one of them planned."""
    if case.markets and market.id not in case.markets:
        return False
    if case.products and product not in case.products:
        return False
    if case.except_products and product in case.except_products:
        return False
    return not case.inns or (row is not None and row.inn in case.inns)


def _of_case(case: _Case, found: Situation) -> Finding | None:
    answered = found.sources if case.when is None else firing(case.when, found)
    if not answered:
        return None
    predicate = case.case.predicate
    if isinstance(predicate, AnswersPredicate):
        hit = _marked(predicate, found, answered)
    else:
        hit = CHECKS[predicate.check](predicate, found, answered)
    if hit is None:
        return None
    regions = hit.regions if case.regional else ()
    unverified = hit.unverified or case.everywhere.unverified
    if not regions and unverified == case.everywhere.unverified:
        return case.everywhere
    return case.everywhere.model_copy(update={"regions": regions, "unverified": unverified})


def _marked(predicate: AnswersPredicate, found: Situation, answered: tuple[AnswerIndex, ...]) -> Hit | None:
    """Hold in the marked regions in view, and everywhere when a form that says so marks none."""
    if predicate.region_question is None:
        return Hit()
    marked: set[RegionSide] = set()
    for source in answered:
        marks = [
            RegionSide(region=mark.region, side=mark.side)
            for answer in source.get(predicate.region_question, ())
            if answer.type == "region-map"
            for mark in answer.value
        ]
        if not marks:
            return Hit()
        marked.update(marks)
    return _in_view(marked, found.view)


def _in_view(marked: set[RegionSide], view: tuple[RegionSide, ...]) -> Hit | None:
    if not view:
        return Hit(by_region((mark.region, mark.side) for mark in marked))
    touched = tuple(
        place
        for place in view
        if any(
            mark.region == place.region and (mark.side is None or place.side in (mark.side, None)) for mark in marked
        )
    )
    return Hit(touched) if touched else None


def switched_off(
    rules: SafetyRules | CompiledRules,
    context: AssessmentContext,
    *,
    products: Mapping[str, Product],
    market: Market,
    policies: Policies,
) -> tuple[str, ...]:
    """Return the codes of the rules that the clinic's policy really switches off here, sorted.

    A rule that is always on stays on, and so does one with a case that blocks for the planned product and market.
    """
    wanted = set(policies.switched_off_rules)
    if not wanted:
        return ()
    product = context.product
    row = None if product is None else products.get(product)
    every = rules.rules if isinstance(rules, SafetyRules) else tuple(rule.rule for rule in rules.rules)
    return tuple(
        sorted(
            rule.code
            for rule in every
            if rule.code in wanted
            and not rule.always_on
            and not any(case.action == "block" and _applies(case, product, row, market) for case in rule.cases)
        )
    )


def join(*groups: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of all groups, equal ones once, most severe first, then by code, case, regions, plug-in."""
    unique = {_order(finding): finding for group in groups for finding in group}
    return tuple(unique[key] for key in sorted(unique))


def _order(finding: Finding) -> tuple[object, ...]:
    regions = tuple((place.region, place.side or "") for place in finding.regions)
    rank = -_RANK[finding.severity]
    return (rank, finding.code, finding.case or "", regions, finding.plugin, finding.to_json())


def verdict(findings: Iterable[Finding]) -> Verdict:
    """Return the most severe of the findings, `clear` without any. More findings never make it less severe."""
    return _VERDICTS[max((_RANK[finding.severity] for finding in findings), default=0)]


def _unavailable(case: str) -> Finding:
    message: Text = {
        "en": "A safety rule could not be evaluated. Do not treat until it can be; tell whoever runs this software."
    }
    # English and built in on purpose: this has to be said when the content cannot be read.
    return Finding(
        code=UNAVAILABLE,
        case=case,
        severity="block",
        message=message,
        source="pore-plugin: what cannot be checked is stopped.",
        mark="D",
    )
