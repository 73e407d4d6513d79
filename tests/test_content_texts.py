"""Every text that ships passes the text check, and the check sees every text that ships."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

import pore_plugin
from pore_plugin.clinical.wording.texts import check_document
from pore_plugin.contracts import ContentDocument, PatientTexts
from pore_plugin.contracts.extension import ContentItem

ITEM: TypeAdapter[ContentDocument] = TypeAdapter(ContentItem)
CONTENT = Path(pore_plugin.__file__).parent / "content"
FILES = {
    str(path.relative_to(CONTENT)): json.loads(path.read_bytes())
    for path in sorted(CONTENT.rglob("*.json"))
    if "sample" not in path.relative_to(CONTENT).parts
}
NAMES = {
    name
    for document in FILES.values()
    if document["type"] == "product"
    for name in (document["brand"], document["inn"])
}


def parsed(document: dict[str, Any]) -> ContentDocument:
    return ITEM.validate_json(json.dumps(document))


def texts(place: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every localised text of a plain document: an object with an `en` member."""
    if isinstance(place, dict) and isinstance(place.get("en"), str):
        yield pointer, place
    elif isinstance(place, dict | list):
        for key, value in place.items() if isinstance(place, dict) else enumerate(place):
            yield from texts(value, f"{pointer}/{key}")


def test_there_is_content_to_check() -> None:
    assert len(FILES) > 40
    assert {"BOTOX Cosmetic", "onabotulinumtoxinA"} <= NAMES


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_document_passes(name: str) -> None:
    assert [(one.pointer, one.code, one.sentence) for one in check_document(parsed(FILES[name]), names=NAMES)] == []


@pytest.mark.parametrize("name", FILES)
def test_a_promise_is_found_wherever_it_stands(name: str) -> None:
    document = json.loads(json.dumps(FILES[name]))
    wanted = set()
    for pointer, text in texts(document):
        text["en"] = "Results guaranteed."
        wanted.add(f"{pointer}/en")
    found = {one.pointer for one in check_document(parsed(document)) if one.code == "text.promise_effect"}
    assert found == wanted


def test_every_drug_name_of_the_catalogue_is_refused_before_the_consultation() -> None:
    document = FILES["texts.json"]
    before = {"promotional", "invitation", "information"}
    for name in sorted(NAMES):
        changed = json.loads(json.dumps(document))
        for one in changed["texts"]:
            one["text"]["en"] += f" Ask for {name}."
        model = parsed(changed)
        assert isinstance(model, PatientTexts)
        named = {
            int(one.pointer.split("/")[2])
            for one in check_document(model, names=NAMES)
            if one.code == "text.names_drug"
        }
        assert named == {index for index, one in enumerate(model.texts) if one.use in before}


def test_consent_aftercare_and_card_that_lose_their_names_are_refused() -> None:
    lost = {}
    for name, document in FILES.items():
        bare = json.dumps(document).replace("{product}", "it").replace("{lot}", "it")
        codes = {one.code for one in check_document(parsed(json.loads(bare)), names=NAMES)}
        if codes:
            lost[name] = codes
    assert {"consent/treatment.json", "schedules/microtoxin.json", "texts.json"} <= set(lost)
    assert set.union(*lost.values()) == {"text.product_missing", "text.lot_missing"}
