"""Schema decisions and whole checks, ours beside each library alone. Inputs are the same bytes and the same schema."""

from __future__ import annotations

import json
from collections.abc import Callable

import fastjsonschema
from jsonschema import Draft202012Validator, FormatChecker
from timing import by_turns

from pore_plugin import check
from pore_plugin.contracts import Consultation
from pore_plugin.schemas import registry, schema

__all__ = ["decisions_and_checks"]


def decisions_and_checks(consultation: bytes, *, turns: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return seconds by name: of the decision on a read document, and from bytes to whatever each calls done."""
    document = json.loads(consultation)
    decide = registry().decider("consultation")
    python = Draft202012Validator(schema("consultation"), format_checker=FormatChecker(("date", "date-time")))
    compiled: Callable[[object], object] = fastjsonschema.compile(schema("consultation"))
    if not (decide(document) and python.is_valid(document) and compiled(document) is not None):
        raise RuntimeError("the engines do not all accept the example")
    decisions = by_turns(
        {
            "ours": lambda: decide(document),
            "jsonschema": lambda: python.is_valid(document),
            "fastjsonschema": lambda: compiled(document),
        },
        turns=turns,
    )
    checks = by_turns(
        {
            "ours": lambda: check(Consultation, consultation),
            "jsonschema": lambda: python.is_valid(json.loads(consultation)),
            "fastjsonschema": lambda: compiled(json.loads(consultation)),
            "pydantic": lambda: Consultation.model_validate_json(consultation),
        },
        turns=turns,
    )
    return decisions, checks
