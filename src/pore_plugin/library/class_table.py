"""How much weighs a change of which member of which content model. What is not in the table is breaking."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

__all__ = ["TABLE", "Weight"]

Weight = Literal["free", "source", "text", "optional", "duties", "sequence", "parts", "meaning"]
"""What a member is to whoever works by the document, and so what a change of it means:

* `free`: nothing (the name of the schema, what an overlay is laid over): always wording.
* `source`: where a statement comes from. Wording; losing it is breaking.
* `text`: prose. Other words or a locale more are wording, a text that was not there is additive. Breaking are a text or
  a locale less, and other figures or placeholders in the words.
* `optional`: offers. One more is additive, one less or another is breaking; their order is wording.
* `duties`: the same, but one that has to be done is breaking when it is added.
* `sequence`: duties that are done in this order, which is breaking to change.
* `parts`: nothing is added or taken away without breaking; their order is wording, and what is inside weighs by itself.
* `meaning`: every change of it is breaking, and so is another order.

A locale that any text gains is wording. What stands inside of a member weighs by the table of its own model.
"""

_DOCUMENT: dict[str, Weight] = {
    "$schema": "free",
    "id": "meaning",
    "version": "free",
    "status": "free",
    "digest": "free",
    "title": "text",
    "review": "source",
    "type": "meaning",
}
_QUESTION: dict[str, Weight] = {
    "id": "meaning",
    "type": "meaning",
    "text": "text",
    "help": "text",
    "required": "meaning",
    "answered_by": "meaning",
    "codes": "optional",
    "show_when": "meaning",
    "source": "source",
}
_SOURCED: dict[str, Weight] = {"source": "source", "mark": "meaning", "checked_on": "source"}
_LIMITS: dict[str, Weight] = {"min": "meaning", "max": "meaning"}
_CHOICES: dict[str, Weight] = {**_QUESTION, "options": "optional"}


def _all(weight: Weight, members: str) -> dict[str, Weight]:
    return dict.fromkeys(members.split(), weight)


_FORMS: dict[str, dict[str, Weight]] = {
    "ConsultationForm": {
        **_DOCUMENT,
        "kind": "meaning",
        "sections": "duties",
        "red_flags": "parts",
        "contributions": "meaning",
    },
    "Section": {
        "id": "meaning",
        "title": "text",
        "help": "text",
        "repeats": "meaning",
        "show_when": "meaning",
        "questions": "duties",
    },
    "ShowWhen": _all("meaning", "join conditions"),
    "Condition": _all("meaning", "question operator value"),
    "BooleanQuestion": _QUESTION,
    "ChoiceQuestion": _CHOICES,
    "MultiChoiceQuestion": _CHOICES,
    "IntegerQuestion": {**_QUESTION, **_LIMITS},
    "DecimalQuestion": {**_QUESTION, **_LIMITS},
    "QuantityQuestion": {**_QUESTION, **_LIMITS, "units": "optional"},
    "DateQuestion": {**_QUESTION, "past": "meaning"},
    "TextQuestion": {**_QUESTION, "max_length": "meaning"},
    "AttachmentQuestion": {**_QUESTION, "content_types": "optional", "views": "optional", "max_items": "meaning"},
    "RegionMapQuestion": {**_QUESTION, "regions": "parts", "points": "meaning"},
    "Option": {"code": "meaning", "text": "text", "exclusive": "meaning", "codes": "optional"},
    "RedFlag": {
        "code": "meaning",
        "urgency": "meaning",
        "when": "meaning",
        "sign": "text",
        "source": "source",
        "mark": "meaning",
    },
    "FormContribution": _all("meaning", "plugin questions"),
}

_PROCEDURES: dict[str, dict[str, Weight]] = {
    "ProcedureTemplate": {
        **_DOCUMENT,
        "summary": "text",
        "off_label": "text",
        "injection": "meaning",
        "parameters": "duties",
        "regions": "parts",
        "skin_preparation": "meaning",
        "anaesthetics": "optional",
        "steps": "sequence",
        "consumables": "optional",
        "aftercare": "optional",
        "evidence": "optional",
        "alternatives": "optional",
        "consultation_form": "meaning",
        "day_form": "meaning",
        "schedule": "meaning",
        "consent_texts": "parts",
        "instruments": "optional",
    },
    "Injection": {
        **_all("parts", "inns dilutions regions"),
        **_all("meaning", "route spacing depth angle needle_gauge needle_length syringe_graduation end_point avoid"),
    },
    "DilutionScheme": _all("meaning", "inns vial_units steps"),
    "DilutionStep": _all("meaning", "id diluent draw add"),
    "TemplateRegion": {**_all("meaning", "region sides optional points volume_per_point units"), "notes": "optional"},
    "ProductNumber": _all("meaning", "inn number"),
    "Parameter": {"id": "meaning", "title": "text", "number": "meaning", "required": "meaning"},
    "Anaesthetic": {
        "id": "meaning",
        "title": "text",
        "local_anaesthetic": "meaning",
        "contact_time": "meaning",
        "notes": "optional",
    },
    "Step": {
        "id": "meaning",
        "title": "text",
        "instruction": "text",
        "required": "meaning",
        # A record more is a duty more.
        "records": "parts",
    },
    "Consumable": {"id": "meaning", "title": "text", "quantity": "meaning"},
    "AftercareItem": {"id": "meaning", "text": "text", "value": "meaning", "range_seen": "source", "evidence": "text"},
    "ClinicProtocol": {
        **_DOCUMENT,
        **_all("meaning", "template product sample dilution"),
        **_all("parts", "regions parameters"),
        "responsible": "source",
    },
    "ProtocolDilution": _all("meaning", "vial_units steps"),
    "ProtocolDilutionStep": _all("meaning", "id diluent draw add"),
    "ProtocolRegion": _all("meaning", "region side points volume_per_point volume units"),
    "ProtocolParameter": _all("meaning", "key value unit"),
}

_AFTER: dict[str, dict[str, Weight]] = {
    "FollowUpSchedule": {
        **_DOCUMENT,
        "watch": "meaning",
        "watch_form": "meaning",
        "red_flag_card": "text",
        "steps": "duties",
    },
    "ScheduleStep": {
        **_all("meaning", "id kind offered required offset earliest latest form"),
        **_all("meaning", "photographs primary_outcome closes_watch stop_when mark"),
        **_all("text", "title purpose no_show"),
        "instruments": "optional",
        "basis": "source",
    },
    "Instrument": {
        **_DOCUMENT,
        **_all("meaning", "minimum maximum direction unit rater licensed range_verified mark"),
        "source": "source",
    },
}

_TEXTS: dict[str, dict[str, Weight]] = {
    "ConsentText": {
        **_DOCUMENT,
        "purpose": "meaning",
        "markets": "parts",
        "injections_only": "meaning",
        "paragraphs": "parts",
    },
    "ConsentParagraph": {"id": "meaning", "covers": "meaning", "text": "text"},
    "PatientTexts": {**_DOCUMENT, "texts": "optional"},
    "PatientText": {"id": "meaning", "use": "meaning", "text": "text"},
}

_PRODUCTS: dict[str, dict[str, Weight]] = {
    "Product": {
        **_DOCUMENT,
        **_all("meaning", "inn short_name brand market unit_id licensed in_use one_patient warnings operators"),
        **_all("meaning", "session_ceiling cumulative_ceiling age_max retreatment"),
        **_all("parts", "presentations reconstitutions label_doses excipients contraindications"),
        **_all("optional", "storage codes"),
        **_all("source", "label_version unit_source"),
    },
    "Presentation": _all("meaning", "units volume"),
    "Reconstitution": _all("meaning", "vial_units diluent stated_units stated_volume"),
    "LabelDose": _all("meaning", "area units"),
    "CumulativeCeiling": _all("meaning", "units windows"),
    "AgeLimit": _all("meaning", "years inclusive"),
    "Excipient": {"name": "meaning", "present": "meaning", "source": "source", "mark": "meaning"},
    "LabelContraindication": {"rule": "meaning", "source": "source", "mark": "meaning"},
    "OperatorLimit": {"professions": "meaning", "source": "source", "mark": "meaning"},
}

_PACKAGE: dict[str, dict[str, Weight]] = {
    "EvidenceBase": {**_DOCUMENT, "statements": "optional", "thresholds": "parts"},
    "Evidence": {
        **_all("meaning", "id outcome certainty mark"),
        "regions": "parts",
        "text": "text",
        **_all("source", "sources checked_on"),
    },
    "DoseThreshold": {**_all("meaning", "inn region per units"), "text": "text"},
    "RegionMap": {**_DOCUMENT, "regions": "parts", "charts": "optional"},
    "Region": {**_all("meaning", "id paired periocular treatable"), "title": "text"},
    "Chart": {"id": "meaning", "title": "text", "view": "meaning"},
    "SafetyRules": {**_DOCUMENT, "rules": "meaning"},
    "SafetyRule": {
        "code": "meaning",
        "title": "text",
        **_all("meaning", "always_on regional cases"),
        "checked_on": "source",
    },
    "RuleCase": {
        **_all("meaning", "id action products except_products inns markets stages toxin_only predicate mark"),
        "message": "text",
        "source": "source",
    },
    "AnswersPredicate": _all("meaning", "type when region_question"),
    "ComputedPredicate": _all("meaning", "type check question parameters limit when"),
    "RuleLimit": {"value": "meaning", "unit": "meaning", **_SOURCED},
    "Markets": {**_DOCUMENT, "markets": "parts"},
    "Market": {
        "id": "meaning",
        "countries": "parts",
        **_all("meaning", "age_min cooling_off in_person_exam operator_may_differ"),
        **_all("text", "emergency_instruction advice_instruction same_day_instruction"),
        **_all("optional", "reporting notes"),
    },
}

_SHARED: dict[str, dict[str, Weight]] = {
    "SourcedNumber": {"value": "meaning", "unit": "meaning", **_SOURCED},
    "SourcedStatement": {"text": "text", **_SOURCED},
    "SourcedFlag": {"value": "meaning", **_SOURCED},
    "Code": _all("meaning", "system code display status"),
    "RegionSide": _all("meaning", "region side"),
    "Review": _all("source", "reviewer register_number reviewed_on review_due"),
}

_OVERLAYS: dict[str, dict[str, Weight]] = {
    # What an overlay does to its base is weighed on the document that the two make.
    "Overlay": {**_DOCUMENT, "base": "free", "target": "meaning", "changes": "free"},
    "Pin": _all("free", "id version digest"),
    "SetValue": _all("free", "action place was now"),
    "RemoveValue": _all("free", "action place was"),
    "AddValue": _all("free", "action place now after first"),
    "MoveItem": _all("free", "action place after first"),
}

TABLE: Mapping[str, Mapping[str, Weight]] = MappingProxyType(
    {**_FORMS, **_PROCEDURES, **_AFTER, **_TEXTS, **_PRODUCTS, **_PACKAGE, **_SHARED, **_OVERLAYS}
)
"""Name of the model, name of the member in a document, weight."""
