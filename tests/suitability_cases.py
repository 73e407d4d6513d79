"""A healthy adult, and the shipped content, for the tests of suitability."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from pydantic import TypeAdapter

from pore_plugin.clinical.forms.conditions import AnswerIndex, index
from pore_plugin.clinical.safety.suitability import CompiledRules, assess, compile_rules
from pore_plugin.contracts import (
    Answer,
    AssessmentContext,
    EvidenceBase,
    Finding,
    Market,
    Markets,
    Policies,
    Product,
    RegionMap,
    SafetyRules,
)

CONTENT = resources.files("pore_plugin") / "content"
ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
DAY = "2026-06-15"

CLEAN: Mapping[str, tuple[str, Any]] = {
    "pregnancy": ("multi-choice", ["none"]),
    "allergies": ("multi-choice", ["none"]),
    "objections": ("multi-choice", ["none"]),
    "nerve-muscle": ("multi-choice", ["none"]),
    "swallowing-breathing": ("multi-choice", ["none"]),
    "health-conditions": ("multi-choice", ["none"]),
    "face-nerve": ("multi-choice", ["none"]),
    "eyes": ("multi-choice", ["none"]),
    "fainting": ("boolean", False),
    "skin-at-site": ("multi-choice", ["none"]),
    "medicines": ("multi-choice", ["none"]),
    "isotretinoin": ("choice", "never"),
    "operation-planned": ("choice", "no"),
    "toxin-ever": ("boolean", False),
    "event-planned": ("boolean", False),
    "voluntary": ("boolean", True),
    "exam-face": ("multi-choice", ["none"]),
    "bdd-result": ("choice", "negative"),
    "capacity-concerns": ("multi-choice", ["none"]),
}
CLEAN_DAY: Mapping[str, tuple[str, Any]] = {
    **{
        name: CLEAN[name]
        for name in (
            "pregnancy",
            "skin-at-site",
            "medicines",
            "isotretinoin",
            "operation-planned",
            "voluntary",
            "capacity-concerns",
        )
    },
    "toxin-other-since": ("boolean", False),
    "still-consents": ("boolean", True),
}


def given(answers: Mapping[str, tuple[str, Any]]) -> AnswerIndex:
    return index(
        ANSWER.validate_json(json.dumps({"question": f"pore.q.{name}", "type": kind, "value": value}))
        for name, (kind, value) in answers.items()
    )


def clean(**changed: tuple[str, Any]) -> AnswerIndex:
    """The healthy adult's answers, with some changed: `clean(fainting=("boolean", True))`."""
    return given({**CLEAN, **{name.replace("_", "-"): value for name, value in changed.items()}})


def clean_day(**changed: tuple[str, Any]) -> AnswerIndex:
    return given({**CLEAN_DAY, **{name.replace("_", "-"): value for name, value in changed.items()}})


@cache
def rules() -> SafetyRules:
    return SafetyRules.from_json((CONTENT / "rules.json").read_bytes())


@cache
def compiled() -> CompiledRules:
    return compile_rules(rules())


@cache
def products() -> dict[str, Product]:
    found = [Product.from_json(path.read_bytes()) for path in (CONTENT / "products").iterdir()]
    return {product.id: product for product in found}


@cache
def regions() -> RegionMap:
    return RegionMap.from_json((CONTENT / "regions.json").read_bytes())


@cache
def evidence() -> EvidenceBase:
    return EvidenceBase.from_json((CONTENT / "evidence.json").read_bytes())


@cache
def market(name: str) -> Market:
    markets = Markets.from_json((CONTENT / "markets.json").read_bytes())
    return next(market for market in markets.markets if market.id == name)


def context(product: str | None = "bocouture-uk", doses: Iterable[str] | None = ("nose 4",), **more: Any) -> Any:
    """A context of a 36-year-old: short product id, doses such as `cheek right 22`, other members as documents."""
    document: dict[str, Any] = {
        "stage": "plan",
        "date": DAY,
        "patient": {"host": "memory", "id": "p1", "birth_date": "1990-01-01"},
    }
    if product is not None:
        document["product"] = f"pore.product.{product}"
    if doses is not None:
        document["planned"] = [dose(text) for text in doses]
    return AssessmentContext.from_json(json.dumps(document | more))


def place(text: str) -> dict[str, Any]:
    name, _, side = text.partition(" ")
    return {"region": f"pore.region.{name}"} | ({"side": side} if side else {})


def dose(text: str) -> dict[str, Any]:
    where, _, units = text.rpartition(" ")
    return place(where) | {"units": units}


def past(product: str | None, date: str | None, units: str | None, *where: str, **more: Any) -> dict[str, Any]:
    """An exposure document: product by short id or INN; `given` is elsewhere unless said."""
    document: dict[str, Any] = {"given": "elsewhere", "regions": [place(text) for text in where]} | more
    if product is not None:
        known = {"inn": product} if product.endswith("toxinA") else {"product": f"pore.product.{product}"}
        document |= known
    return document | ({"date": date} if date else {}) | ({"units": units} if units else {})


def policies(**members: Any) -> Policies:
    return Policies.from_json(json.dumps(members))


def findings(about: AssessmentContext, in_market: str = "UK", **more: Any) -> tuple[Finding, ...]:
    """Assess the healthy adult by the shipped rules; `more` replaces any argument of `assess`."""
    return assess(
        **{
            "rules": compiled(),
            "context": about,
            "answers": clean(),
            "products": products(),
            "regions": regions(),
            "evidence": evidence(),
            "market": market(in_market),
            "policies": Policies(),
            **more,
        }
    )


def codes(found: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(finding.code, finding.severity) for finding in found}


def cases(found: Iterable[Finding]) -> set[str]:
    return {f"{finding.code}/{finding.case}" for finding in found}


def scopes(found: Iterable[Finding]) -> dict[str, list[str]]:
    """Case to the regions it holds in, as short texts."""
    return {
        f"{finding.code}/{finding.case}": [
            " ".join(filter(None, (spot.region.removeprefix("pore.region."), spot.side))) for spot in finding.regions
        ]
        for finding in found
    }
