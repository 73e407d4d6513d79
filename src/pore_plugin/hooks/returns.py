"""Checking what comes back from a plug-in: one returned item at a time, against the type the hook promises."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from ..contracts import (
    AddStep,
    ConsultationForm,
    ContentDocument,
    ContentItem,
    EvidenceBase,
    Model,
    Problem,
    ProblemsError,
    QuestionContribution,
    RegionMap,
)
from ..validation import Checked, check
from ..validation.jsonscan import shown_pointer
from ..validation.jsontext import read_json
from ..validation.jsonvalues import read_mapping
from .contract import HookContract
from .faults import fault
from .table import EXTENSION_HOOKS

__all__ = ["Contributed", "foreign_ids", "items_of", "read_item"]

T = TypeVar("T")
MAX_ITEMS = 2000
"""An endless generator must end somewhere."""


@dataclass(frozen=True, slots=True)
class Contributed(Generic[T]):
    """One checked item with its author. `document` is the plain document as given, empty where a model was."""

    plugin: str
    value: T
    document: Mapping[str, Any] = field(repr=False)


def items_of(hook: str, returned: Any) -> Iterator[Any]:
    """Yield the items of what a collecting hook returned. Raises `ProblemsError` when it is no list of items."""
    iterable = hasattr(returned, "__iter__") and not isinstance(returned, str | bytes | Mapping | Model)
    if not iterable:
        if hasattr(returned, "close"):
            # A coroutine that nobody awaits would warn long after the plug-in is named.
            returned.close()
        raise ProblemsError(
            [_invalid(hook, "It is not a list of items.", next_step="Return a list, also of one item.")]
        )
    for index, item in enumerate(returned):
        if index >= MAX_ITEMS:
            raise ProblemsError([_invalid(hook, f"It has more than {MAX_ITEMS} items.")])
        yield item


def read_item(hook: str, item: Any, *, trusted: bool = False) -> tuple[Any, Mapping[str, Any]]:
    """Return a returned item as a checked model, with its document. Raises `ProblemsError`, pointers from the item.

    A model is checked again by its document, since it can be built without checks; our own (`trusted`) is not.
    """
    if trusted:
        # Our own rules build many findings, and nothing of ours reads their documents: none is made.
        return (item.model, item.document) if isinstance(item, Checked) else (item, {})
    if isinstance(item, Checked):
        item = item.document
    if EXTENSION_HOOKS[hook].returns is ContentItem:
        return _read_content(hook, item)
    if isinstance(item, Model):
        return _validated(hook, _bytes_of(hook, item)), {}
    if not isinstance(item, Mapping):
        raise ProblemsError([_invalid(hook, f"It is a {_kind(item)}.", next_step=_wanted(EXTENSION_HOOKS[hook]))])
    document, raw, problems = read_mapping(item)
    if problems:
        raise ProblemsError(problems)
    return _validated(hook, raw), document


def foreign_ids(value: Any, vendor: str) -> Iterator[str]:
    """Yield the JSON pointer of every id that a contributed item defines outside the namespace of its vendor.

    A form may ask a question of ours again, under our id, so that our rules read the answer.
    """
    if isinstance(value, QuestionContribution):
        if not _of(vendor, value.question.id):
            yield "/question/id"
        if not _of(vendor, value.section) and value.section_title is not None:
            yield "/section"
    elif isinstance(value, AddStep):
        if not value.step.id.startswith((f"{vendor}.", f"{vendor}-", f"{vendor}_")):
            yield "/step/id"
    elif isinstance(value, ContentDocument):
        if not _of(vendor, value.id):
            yield "/id"
        for pointer, inner in _inner_ids(value):
            if not _of(vendor, inner) and not (isinstance(value, ConsultationForm) and _of("pore", inner)):
                yield pointer


def _inner_ids(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, ConsultationForm):
        for i, section in enumerate(value.sections):
            yield f"/sections/{i}/id", section.id
            for j, question in enumerate(section.questions):
                yield f"/sections/{i}/questions/{j}/id", question.id
    elif isinstance(value, EvidenceBase):
        yield from ((f"/statements/{i}/id", statement.id) for i, statement in enumerate(value.statements))
    elif isinstance(value, RegionMap):
        yield from ((f"/regions/{i}/id", region.id) for i, region in enumerate(value.regions))
        yield from ((f"/charts/{i}/id", chart.id) for i, chart in enumerate(value.charts))


def _of(vendor: str, identifier: str) -> bool:
    return identifier.partition(".")[0] == vendor


def _read_content(hook: str, item: Any) -> tuple[Any, Mapping[str, Any]]:
    if isinstance(item, bytes):
        item = read_json(item)
    if isinstance(item, Model):
        item = _document_of(hook, item)
    if not isinstance(item, Mapping):
        raise ProblemsError([_invalid(hook, f"It is a {_kind(item)}.", next_step=_wanted(EXTENSION_HOOKS[hook]))])
    if item.get("type") not in _content_types():
        sentence = "Its `type` is not one of the content documents."
        next_step = f"Use one of: {', '.join(sorted(_content_types()))}."
        raise ProblemsError([_invalid(hook, sentence, pointer="/type", next_step=next_step)])
    checked = check(item["type"], item)
    return checked.model, checked.document


def _document_of(hook: str, model: Model) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_bytes_of(hook, model))
    return document


def _bytes_of(hook: str, model: Model) -> bytes:
    try:
        return model.__pydantic_serializer__.to_json(
            model, by_alias=True, exclude_unset=True, exclude_none=True, warnings=False
        )
    except Exception:  # whatever a model built without checks holds
        raise ProblemsError([_invalid(hook, f"This {_kind(model)} was built without checks.")]) from None


def _validated(hook: str, raw: bytes) -> Any:
    try:
        return _adapter(hook).validate_json(raw)
    except ValidationError as error:
        document = json.loads(raw)
        details = error.errors(include_url=False, include_input=False)
        raise ProblemsError([_from_model(hook, document, detail) for detail in details]) from None


def _from_model(hook: str, document: Any, detail: Mapping[str, Any]) -> Problem:
    path: list[str | int] = []
    here = document
    for part in detail["loc"]:
        # pydantic also names the branch of a union that it chose, which is no place in the document.
        if part in here if isinstance(here, dict) else isinstance(here, list) and isinstance(part, int):
            path.append(part)
            here = here[part] if isinstance(here, dict) or part < len(here) else None
        elif detail["type"] == "missing" and part == detail["loc"][-1]:
            path.append(part)
    pointer = shown_pointer(path)
    code = str(detail["type"])
    # Only our own sentences are passed on: pydantic's may quote the value.
    said = str(detail["msg"]) if "." in code else f"Here: {code.replace('_', ' ')}."
    pointer += str(detail.get("ctx", {}).get("at", ""))
    return _invalid(hook, said, pointer=pointer, next_step=_wanted(EXTENSION_HOOKS[hook]))


def _invalid(hook: str, sentence: str, *, pointer: str = "", next_step: str = "Tell its author.") -> Problem:
    return fault("extension.invalid_return", sentence, next_step, hook=hook, pointer=pointer)


def _wanted(contract: HookContract) -> str:
    return f"The hook is: {contract.signature}"


def _kind(item: Any) -> str:
    return type(item).__name__[:64]


@cache
def _adapter(hook: str) -> TypeAdapter[Any]:
    return TypeAdapter(EXTENSION_HOOKS[hook].returns)


@cache
def _content_types() -> frozenset[str]:
    models = get_args(get_args(ContentItem)[0])
    return frozenset(get_args(model.__annotations__["type"])[0] for model in models)
