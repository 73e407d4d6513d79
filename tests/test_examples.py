"""The example documents: one for every contract, fresh, valid, and shown in the published schemas."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pore_plugin.contracts import DOCUMENTS
from pore_plugin.schemas import schema
from pore_plugin.validation import check

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import example_documents  # noqa: E402

PLACE = ROOT / "examples" / "documents"


def test_the_examples_are_what_a_run_of_the_demo_gives_run_make_schemas() -> None:
    written = {path.stem: json.loads(path.read_bytes()) for path in PLACE.glob("*.json")}
    assert written == example_documents.examples(), "stale: run `make schemas`"


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_contract_has_a_valid_example_in_its_schema(name: str) -> None:
    data = (PLACE / f"{name}.json").read_bytes()
    checked = check(name, data)
    assert checked.model.to_document() == json.loads(data), "what was read is written again as it was"
    assert schema(name)["examples"] == [json.loads(data)]
