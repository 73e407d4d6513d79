"""A template in which every field of the contract is filled, with the documents that go with it; invented figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from factories import MESSAGES
from pore_plugin.clinical.planning.drafting import Numbers, draft_plan, resolve_numbers
from pore_plugin.contracts import (
    ClinicProtocol,
    EvidenceBase,
    Pin,
    ProcedurePlan,
    ProcedureTemplate,
    Product,
    RecordPin,
    RegionMap,
    RegionSide,
)

__all__ = ["Case", "number", "peel_template", "product", "protocol", "template"]

SEEN = "2026-11-22"
INCO, ONA = "incobotulinumtoxinA", "onabotulinumtoxinA"
CHEEK, NOSE, FOREHEAD = "pore.region.cheek", "pore.region.nose", "pore.region.forehead"
ZEROS = "sha256:" + "0" * 64
Document = dict[str, Any]


def number(value: str | None, unit: str = "mL", mark: str | None = "V") -> Document:
    found: Document = {"unit": unit, "source": f"a study of {unit}", "checked_on": SEEN}
    return found | ({"value": value, "mark": mark} if value is not None else {})


def statement(text: str) -> Document:
    return {"text": {"en": text, "de": f"{text} (de)"}, "source": "a paper", "mark": "M", "checked_on": SEEN}


def _region(region: str, sides: Sequence[str], **more: Any) -> Document:
    return {
        "region": region,
        "sides": list(sides),
        "optional": False,
        "points": number("20", "{points}"),
        "volume_per_point": number("0.02"),
        "units": [
            {"inn": INCO, "number": number("8", "{U}")},
            {"inn": ONA, "number": number("9", "{U}")},
        ],
        "notes": [statement(f"note on {region}")],
    } | more


def _content(kind: str, name: str) -> Document:
    return {
        "$schema": f"urn:pore-plugin:schema:v0:{kind}",
        "type": kind,
        "id": name,
        "version": "1.0.0",
        "status": "draft",
        "title": {"en": f"Title of {name}"},
    }


def _common(name: str) -> Document:
    return _content("procedure-template", name) | {
        "digest": ZEROS,
        "review": {
            "reviewer": "Dr Invented",
            "register_number": "0000000",
            "reviewed_on": SEEN,
            "review_due": "2027-11-22",
        },
        "summary": {"en": "A summary."},
        "parameters": [
            {"id": "observation", "title": {"en": "Observation"}, "number": number("20", "min"), "required": True},
            {"id": "cooling", "title": {"en": "Cooling"}, "number": number(None, "Cel"), "required": False},
        ],
        "skin_preparation": [statement("Clean the skin.")],
        "anaesthetics": [
            {
                "id": name,
                "title": {"en": name},
                "local_anaesthetic": True,
                "contact_time": number("30", "min"),
                "notes": [statement(f"note on {name}")],
            }
            for name in ("cream-a", "cream-b")
        ],
        "steps": [
            {
                "id": name,
                "title": {"en": name},
                "instruction": {"en": f"Do {name}."},
                "required": True,
                "records": ["vial", "doses"],
            }
            for name in ("prepare", "inject")
        ],
        "consumables": [{"id": "gauze", "title": {"en": "Gauze"}, "quantity": number("3", "{piece}", "D")}],
        "aftercare": [
            {
                "id": name,
                "text": {"en": "Wait {value}."},
                "value": number("24", "h", "T"),
                "range_seen": "2-24 h",
                "evidence": {"en": "Habit."},
            }
            for name in ("no-rubbing", "upright")
        ],
        "evidence": ["pore.evidence.one"],
        "alternatives": [{"en": "No treatment."}],
        "consultation_form": "pore.form.consultation",
        "day_form": "pore.form.day-of-treatment",
        "schedule": "pore.schedule.microtoxin",
        "consent_texts": ["pore.consent.treatment", "pore.consent.record-photo"],
        "instruments": ["pore.instrument.pore-vas"],
    }


def template() -> Document:
    """Return an injection template: two regions planned by default, one of them paired, and an optional one."""
    return _common("pore.template.test") | {
        "off_label": {"en": "Off-label."},
        "injection": {
            "inns": [INCO, ONA],
            "route": "intradermal",
            "dilutions": [
                {
                    "inns": [INCO, "prabotulinumtoxinA"],
                    "vial_units": number("100", "{U}"),
                    "steps": [
                        {"id": "vial", "diluent": "saline", "add": number("2.5")},
                        {"id": "syringe", "diluent": "saline", "draw": number("0.5"), "add": number("0.5")},
                    ],
                },
                {
                    "inns": [ONA],
                    "vial_units": number("50", "{U}"),
                    "steps": [{"id": "vial", "diluent": "saline", "add": number("2.5")}],
                },
            ],
            "regions": [
                _region(CHEEK, ["left", "right"]),
                _region(NOSE, []),
                _region(FOREHEAD, [], optional=True),
            ],
            "spacing": number("1", "cm"),
            "depth": number("1", "mm"),
            "angle": number("12", "deg"),
            "needle_gauge": number("31", "{gauge}"),
            "needle_length": number("6", "mm"),
            "syringe_graduation": number("0.01"),
            "end_point": statement("A bleb."),
            "avoid": [statement("The levator.")],
        },
    }


def peel_template() -> Document:
    """Return a template without injection."""
    return _common("pore.template.test-peel") | {
        "regions": [{"region": CHEEK, "side": "left"}, {"region": CHEEK, "side": "right"}, {"region": NOSE}]
    }


def product(**more: Any) -> Document:
    unit = "pore.unit.bocouture"
    return (
        _content("product", "pore.product.bocouture-uk")
        | {
            "inn": INCO,
            "short_name": "INCO",
            "brand": "BRAND",
            "market": "UK",
            "label_version": "seen",
            "unit_id": unit,
            "unit_source": "label",
            "licensed": statement("Licensed."),
            "presentations": [{"units": number("100", unit)}],
            "reconstitutions": [
                {
                    "vial_units": number("100", unit),
                    "diluent": number("2.5"),
                    "stated_units": number("4", unit),
                    "stated_volume": number("0.1"),
                }
            ],
            "in_use": number("24", "h"),
            "label_doses": [
                {"area": "glabellar-lines", "units": number("20", unit)},
                {"area": "forehead-lines", "units": number("10", unit, "T")},
            ],
        }
        | more
    )


def protocol(**more: Any) -> Document:
    return (
        _content("clinic-protocol", "pore.protocol.test")
        | {"template": "pore.template.test", "product": "pore.product.bocouture-uk", "sample": True}
        | more
    )


REGION_MAP = _content("region-map", "pore.regions.face") | {
    "regions": [
        {"id": CHEEK, "title": {"en": "Cheek"}, "paired": True},
        {"id": NOSE, "title": {"en": "Nose"}, "paired": False},
        {"id": FOREHEAD, "title": {"en": "Forehead"}, "paired": False},
        {"id": "pore.region.other", "title": {"en": "Elsewhere"}, "paired": False, "treatable": False},
    ],
    "charts": [{"id": "pore.chart.frontal", "title": {"en": "Front"}, "view": "frontal"}],
}
EVIDENCE = _content("evidence-base", "pore.evidence.base") | {
    "statements": [
        {
            "id": "pore.evidence.one",
            "text": {"en": "Mixed."},
            "outcome": "pore-size",
            "certainty": "low",
            "sources": ["S10"],
            "mark": "V",
            "checked_on": SEEN,
        }
    ],
    "thresholds": [
        {
            "inn": INCO,
            "region": CHEEK,
            "per": "side",
            "units": number("20", "{U}"),
            "text": {"en": "One palsy above 20 U in one cheek."},
        }
    ],
}


class Case:
    """One planning with every document as a plain dict that a test may change before it plans."""

    def __init__(self, **documents: Any) -> None:
        self.template: Document = documents.get("template", template())
        self.product: Document | None = documents.get("product", product())
        self.protocol: Document | None = documents.get("protocol")
        self.regions: list[tuple[str, str | None]] = documents.get("regions", [])
        self.anaesthetic: str | None = documents.get("anaesthetic")
        self.accepted: tuple[str, ...] = documents.get("accepted", ())
        self.market: Any = documents.get("market", "UK")

    def at(self, pointer: str, change: Callable[[Any], Any]) -> Case:
        """Change one place of the template."""
        *path, last = (int(part) if part.isdigit() else part for part in pointer.split("/")[1:])
        place: Any = self.template
        for part in path:
            place = place[part]
        place[last] = change(place[last])
        return self

    def numbers(self) -> Numbers:
        return resolve_numbers(
            ProcedureTemplate.from_json(json.dumps(self.template)),
            market=self.market,
            region_map=RegionMap.from_json(json.dumps(REGION_MAP)),
            evidence=EvidenceBase.from_json(json.dumps(EVIDENCE)),
            messages=MESSAGES,
            product=Product.from_json(json.dumps(self.product)) if self.product else None,
            protocol=ClinicProtocol.from_json(json.dumps(self.protocol)) if self.protocol else None,
            regions=[RegionSide(region=region, side=side) for region, side in self.regions],  # type: ignore[arg-type]
            anaesthetic=self.anaesthetic,
            accepted=self.accepted,
        )

    def codes(self) -> set[str]:
        return {problem.code for problem in self.numbers().problems}

    def plan(self, **more: Any) -> ProcedurePlan:
        """Return the plan; the digests of the pins stay the same whatever the documents hold."""

        def pin(document: Document | None) -> Pin | None:
            return Pin(id=document["id"], version=document["version"], digest=ZEROS) if document else None

        record = RecordPin(id="record", digest=ZEROS)
        given: dict[str, Any] = {
            "id": "plan-1",
            "clinic": "clinic-1",
            "patient": "patient-1",
            "consultation": record,
            "assessment": record,
            "template": pin(self.template),
            "product": pin(self.product),
            "protocol": pin(self.protocol),
            "treatment_date": "2026-12-01",
            "created_at": "2026-11-22T10:00:00+00:00",
            "draft": True,
        }
        return draft_plan(self.numbers(), **(given | more))
