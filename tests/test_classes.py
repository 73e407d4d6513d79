"""What a change means, and the version step that it asks for."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.builtin import documents
from pore_plugin.contracts import DOCUMENTS, ContentDocument, FieldChange, Model, RatedChange
from pore_plugin.library.class_table import TABLE, Weight
from pore_plugin.library.classes import bump_problem, class_of, needed_bump, rated
from pore_plugin.library.diffing import diff

CONTENT = {document["id"]: document for document in (json.loads(data) for _, data in documents())}
TEMPLATE = CONTENT["pore.template.microtoxin-pores"]
SCHEDULE = CONTENT["pore.schedule.microtoxin"]
FORM = CONTENT["pore.form.consultation"]

CLASSES = ("wording", "additive", "breaking")
BUMPS = ("none", "patch", "minor", "major")
STEP = {"id": "cool", "title": {"en": "Cool"}, "instruction": {"en": "Cool the skin."}}
PACK = {
    "id": "pack",
    "title": {"en": "Pack"},
    "quantity": {"unit": "{piece}", "source": "s", "checked_on": "2026-01-01"},
}


def models(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from models(argument)


def content_models() -> dict[str, type[Model]]:
    """Every model that a content document is or holds."""
    found: dict[str, type[Model]] = {}
    pending = [model for model in DOCUMENTS.values() if issubclass(model, ContentDocument)]
    while pending:
        model = pending.pop()
        if model.__name__ not in found:
            found[model.__name__] = model
            pending += [inside for field in model.model_fields.values() for inside in models(field.annotation)]
    return found


def classes_of(old: dict[str, Any], edit: Callable[[dict[str, Any]], object]) -> list[str]:
    new = copy.deepcopy(old)
    edit(new)
    return [change.change_class for change in rated(old["type"], diff(old, new))]


def of(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["id"] == name)


@pytest.mark.parametrize("name", sorted(content_models()))
def test_every_member_of_every_content_model_has_a_weight(name: str) -> None:
    members = {field.alias or member for member, field in content_models()[name].model_fields.items()}
    assert set(TABLE[name]) == members


def test_the_table_has_no_model_that_content_does_not_have() -> None:
    assert set(TABLE) == set(content_models())


def test_every_weight_is_known() -> None:
    assert {weight for members in TABLE.values() for weight in members.values()} == set(get_args(Weight))


WORDING: list[tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = [
    (TEMPLATE, lambda d: d["title"].update(en="Another title")),
    (TEMPLATE, lambda d: d["title"].update(de="Ein Titel")),
    (TEMPLATE, lambda d: d["steps"][0]["instruction"].update(de="Anders")),
    (TEMPLATE, lambda d: d["injection"]["spacing"].update(source="Another source of the same figure")),
    (TEMPLATE, lambda d: d["injection"]["avoid"][0]["text"].update(de="Nicht hier.")),
    (TEMPLATE, lambda d: d["alternatives"][0].update(de="Nichts tun.")),
    (TEMPLATE, lambda d: d["alternatives"][0].update(en="Other words.")),
    (TEMPLATE, lambda d: d["consumables"].reverse()),
    (TEMPLATE, lambda d: d.update({"$schema": "urn:other"})),
    (TEMPLATE, lambda d: d["steps"][0].pop("required")),
    (SCHEDULE, lambda d: d["steps"][0].update(basis="Another source")),
    (FORM, lambda d: d["sections"][0]["questions"][0]["text"].update(en="Other words?")),
    (FORM, lambda d: d["sections"].reverse()),
]
ADDITIVE: list[tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = [
    (TEMPLATE, lambda d: d["consumables"].append(PACK)),
    (TEMPLATE, lambda d: d["steps"].insert(1, {**STEP, "required": False})),
    (FORM, lambda d: d["sections"][0]["questions"].append({"id": "acme.q", "type": "boolean", "text": {"en": "?"}})),
    (FORM, lambda d: d["sections"][0].update(help={"en": "Take your time."})),
]
BREAKING: list[tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = [
    (TEMPLATE, lambda d: d["injection"]["spacing"].update(value="2", mark="T")),
    (TEMPLATE, lambda d: d["injection"]["depth"].update(unit="cm")),
    (TEMPLATE, lambda d: d["injection"].update(route="intramuscular")),
    (TEMPLATE, lambda d: d["injection"]["regions"].pop()),
    (TEMPLATE, lambda d: d["injection"]["regions"].append({**d["injection"]["regions"][0], "region": "acme.region.x"})),
    (TEMPLATE, lambda d: d["injection"]["avoid"].pop()),
    (TEMPLATE, lambda d: d["steps"].append(STEP)),
    (TEMPLATE, lambda d: d["steps"].append({**STEP, "required": True})),
    (TEMPLATE, lambda d: d["steps"].pop()),
    (TEMPLATE, lambda d: d["steps"].reverse()),
    (TEMPLATE, lambda d: d["steps"][0]["records"].append("waste")),
    (TEMPLATE, lambda d: d["steps"][0].update(required=False)),
    (TEMPLATE, lambda d: d["consumables"].pop()),
    (TEMPLATE, lambda d: d.update(schedule="acme.schedule.x")),
    (TEMPLATE, lambda d: d["consent_texts"].append("acme.consent.x")),
    (TEMPLATE, lambda d: d.pop("summary")),
    (TEMPLATE, lambda d: d.update(unheard_of=True)),
    (SCHEDULE, lambda d: d["steps"][0].update(offset="P99D")),
    (SCHEDULE, lambda d: d["steps"].append({**d["steps"][0], "id": "more", "required": True})),
    (
        FORM,
        lambda d: d["sections"][0]["questions"][0].update(required=not d["sections"][0]["questions"][0]["required"]),
    ),
    (
        FORM,
        lambda d: d["sections"].append(
            {
                "id": "acme.more",
                "title": {"en": "More"},
                "questions": [{"id": "acme.q", "type": "boolean", "text": {"en": "?"}, "required": True}],
            }
        ),
    ),
]


@pytest.mark.parametrize(
    ("document", "edit", "wanted"),
    [
        (document, edit, wanted)
        for wanted, edits in (("wording", WORDING), ("additive", ADDITIVE), ("breaking", BREAKING))
        for document, edit in edits
    ],
)
def test_a_change_has_the_class_of_what_it_takes_or_gives(
    document: dict[str, Any], edit: Callable[[dict[str, Any]], object], wanted: str
) -> None:
    found = classes_of(document, edit)
    assert found
    assert max(found, key=CLASSES.index) == wanted


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("Keep two thumbs off the rim, 2 cm.", "wording"),
        ("Keep 3 cm off the rim.", "breaking"),
        ("Keep 2.5 cm off the rim.", "breaking"),
        ("Keep off the rim.", "breaking"),
        ("Keep 2 cm off {product}.", "breaking"),
    ],
)
def test_other_figures_or_placeholders_in_a_text_are_never_mere_wording(now: str, wanted: str) -> None:
    old = copy.deepcopy(TEMPLATE)
    old["steps"][0]["instruction"]["en"] = "Keep 2 cm off the rim."
    assert classes_of(old, lambda d: d["steps"][0]["instruction"].update(en=now)) == [wanted]


def test_a_locale_less_is_breaking() -> None:
    old = copy.deepcopy(TEMPLATE)
    old["title"]["de"] = "Ein Titel"
    assert classes_of(old, lambda d: d["title"].pop("de")) == ["breaking"]


def test_every_text_of_every_document_of_ours_may_gain_a_locale_as_wording() -> None:
    def translated(value: Any) -> Any:
        if isinstance(value, dict):
            added = {"xx": "y"} if isinstance(value.get("en"), str) else {}
            return {key: translated(below) for key, below in value.items()} | added
        return [translated(item) for item in value] if isinstance(value, list) else value

    for document in CONTENT.values():
        changes = rated(document["type"], diff(document, translated(document)))
        assert changes
        assert [change.place for change in changes if change.change_class != "wording"] == []


def test_what_nothing_is_known_of_is_breaking() -> None:
    change = FieldChange(pointer="/a", place="a", change="added", now="1")
    assert class_of("unheard-of", change) == "breaking"
    assert class_of("product", change) == "breaking"


@pytest.mark.parametrize(
    ("old", "new", "needed", "code", "least"),
    [
        ("0.1.0", "0.1.1", "patch", None, ""),
        ("0.1.0", "0.2.0", "patch", None, ""),
        ("0.1.0", "0.1.1", "minor", "import.version_bump", "0.2.0"),
        ("0.1.0", "0.2.0", "major", "import.version_bump", "1.0.0"),
        ("1.2.3", "2.0.0", "major", None, ""),
        ("1.2.3", "1.2.3", "patch", "import.version_bump", "1.2.4"),
        ("1.2.3", "1.2.2", "none", "import.version_backwards", "1.2.3"),
        ("1.10.0", "1.9.0", "minor", "import.version_backwards", "1.11.0"),
        ("1.9.0", "1.10.0", "minor", None, ""),
        ("1.2.3", "1.2.3", "none", None, ""),
    ],
)
def test_a_version_step_is_as_great_as_the_changes_ask_for(
    old: str, new: str, needed: Any, code: str | None, least: str
) -> None:
    problem = bump_problem(old, new, needed)
    assert (problem.code if problem else None) == code
    if problem:
        assert f" {least} " in problem.next_step


VERSIONS = st.tuples(*[st.integers(0, 12)] * 3).map(lambda parts: ".".join(map(str, parts)))
CHANGES = st.lists(
    st.sampled_from(CLASSES).map(lambda c: RatedChange(pointer="", place="a", change="added", change_class=c))
)


@given(CHANGES, CHANGES)
def test_more_changes_never_need_less(one: list[RatedChange], other: list[RatedChange]) -> None:
    both = BUMPS.index(needed_bump([*one, *other]))
    assert both == max(BUMPS.index(needed_bump(one)), BUMPS.index(needed_bump(other)))


@given(VERSIONS, VERSIONS, st.sampled_from(BUMPS))
def test_what_may_follow_with_a_great_step_may_follow_with_a_smaller_need(old: str, new: str, needed: Any) -> None:
    if bump_problem(old, new, needed) is None:
        assert all(bump_problem(old, new, less) is None for less in BUMPS[: BUMPS.index(needed)])


@given(VERSIONS, VERSIONS, st.sampled_from(BUMPS))
def test_the_least_version_that_is_named_fits(old: str, new: str, needed: Any) -> None:
    problem = bump_problem(old, new, needed)
    if problem is not None:
        least = problem.next_step.removeprefix("Give the document the version ").removesuffix(" or a higher one.")
        assert bump_problem(old, least, needed) is None
