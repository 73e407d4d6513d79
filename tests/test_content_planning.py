"""The shipped templates and sample protocols, planned: what they give, and what a clinic has to supply without them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

import pore_plugin
from factories import MESSAGES
from pore_plugin.clinical.planning.drafting import Numbers, resolve_numbers
from pore_plugin.contracts import ClinicProtocol, EvidenceBase, ProcedureTemplate, Product, RegionMap

CONTENT = Path(pore_plugin.__file__).parent / "content"
SAMPLES = sorted(path.name for path in (CONTENT / "protocols").glob("*.json"))
TEMPLATES = sorted(path.name for path in (CONTENT / "templates").glob("*.json"))


def read(path: str) -> bytes:
    return (CONTENT / path).read_bytes()


def by_id(folder: str, wanted: str) -> bytes:
    return next(
        data for path in (CONTENT / folder).glob("*.json") if json.loads(data := path.read_bytes())["id"] == wanted
    )


def accepted() -> set[str]:
    settings = [tomllib.loads(path.read_text(encoding="utf-8")) for path in (CONTENT / "sample").glob("clinic*.toml")]
    return {key for one in settings for key in one.get("policies", {}).get("accepted_suggestions", [])}


def resolve(template: ProcedureTemplate, product: Product | None, **more: Any) -> Numbers:
    return resolve_numbers(
        template,
        market=product.market if product else "UK",
        region_map=RegionMap.from_json(read("regions.json")),
        evidence=EvidenceBase.from_json(read("evidence.json")),
        messages=MESSAGES,
        product=product,
        **more,
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_protocol_fills_every_gap_of_its_template(name: str) -> None:
    protocol = ClinicProtocol.from_json(read(f"protocols/{name}"))
    template = ProcedureTemplate.from_json(by_id("templates", protocol.template))
    product = Product.from_json(by_id("products", protocol.product)) if protocol.product else None
    numbers = resolve(template, product, protocol=protocol, accepted=accepted())
    assert [problem.sentence for problem in numbers.problems] == []
    assert protocol.sample
    assert (numbers.supply is not None) == (template.injection is not None)


@pytest.mark.parametrize("name", TEMPLATES)
def test_without_a_protocol_every_gap_is_listed_with_a_reason(name: str) -> None:
    template = ProcedureTemplate.from_json(read(f"templates/{name}"))
    product = None
    if template.injection is not None:
        (product, *_) = (
            found
            for path in sorted((CONTENT / "products").glob("*.json"))
            if (found := Product.from_json(path.read_bytes())).inn in template.injection.inns
        )
    numbers = resolve(template, product)
    assert numbers.missing
    assert {problem.code for problem in numbers.problems} == {"plan.missing_number"}
    assert all(one.reason and one.source for one in numbers.missing)
    assert all((one.suggestion is None) == (one.accept is None) for one in numbers.missing)


def test_every_accepted_suggestion_of_the_sample_clinics_names_a_suggestion_that_exists() -> None:
    offered: set[str] = set()
    for name in TEMPLATES:
        template = ProcedureTemplate.from_json(read(f"templates/{name}"))
        for path in sorted((CONTENT / "products").glob("*.json")):
            numbers = resolve(template, Product.from_json(path.read_bytes()))
            offered |= {one.accept for one in (*numbers.missing, *numbers.not_given) if one.accept}
    assert {key for key in accepted() if key.startswith("pore.template.")} <= offered
