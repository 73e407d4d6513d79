"""A promise gets into no catalogue: not from a file, not from the clinic, not from an extension."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Cli
from factories import clinic, content_document, doc, workflow
from pore_plugin import PoreWorkflow, ProblemsError, check_document
from pore_plugin.catalogue import compose_form
from pore_plugin.contracts import ConsentText, QuestionContribution
from pore_plugin.hooks import Contributed, hookimpl
from pore_plugin.validation import check

PROMISE = "Results guaranteed: your pores will shrink for ever with Botox."


def consent_text(**members: Any) -> dict[str, Any]:
    document = content_document("pore.consent.treatment") | {"id": "acme.consent.treatment", **members}
    document["paragraphs"][3]["text"]["en"] = PROMISE
    return document


def invitation(sentence: str) -> dict[str, Any]:
    return {
        "type": "patient-texts",
        "id": "acme.texts.invitation",
        "version": "1.0.0",
        "title": {"en": "Invitation"},
        "texts": [{"id": "invitation", "use": "invitation", "text": {"en": sentence}}],
    }


class Acme:
    PORE_CONTRACT = "0.1"
    PORE_VENDOR = "acme"

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = documents

    @hookimpl
    def pore_register_content(self) -> list[dict[str, Any]]:
        return [*self.documents]


def test_validate_refuses_a_promise_with_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "consent.json"
    path.write_text(json.dumps(consent_text(), indent=2), encoding="utf-8")
    ran = Cli(capsys, monkeypatch)("validate", path, "--format", "json")
    assert ran.code == 1
    assert {"text.promise_effect", "text.promise_permanence"} <= set(ran.codes())
    problems = json.loads(ran.err or ran.out)["problems"]
    assert {problem["pointer"] for problem in problems} == {"/paragraphs/3/text/en"}
    line = path.read_text().splitlines()[problems[0]["location"]["line"] - 1]
    assert PROMISE in line


def test_validate_knows_the_brands_of_the_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "texts.json"
    path.write_text(json.dumps(invitation("Ask us about Relfydess.")), encoding="utf-8")
    assert Cli(capsys, monkeypatch)("validate", path, "--format", "json").codes() == ["text.names_drug"]


def test_the_clinics_own_text_with_a_promise_is_refused() -> None:
    with pytest.raises(ProblemsError) as refused:
        PoreWorkflow(clinic(), content=[consent_text()], installed=False)
    assert {"text.promise_effect", "text.promise_permanence"} <= {one.code for one in refused.value.problems}
    assert {(one.plugin, one.pointer) for one in refused.value.problems} == {("clinic", "/paragraphs/3/text/en")}


def test_an_extension_with_a_promise_is_left_out_and_named() -> None:
    flow = PoreWorkflow(clinic(), plugins={"acme": Acme(consent_text())}, installed=False)
    assert flow.catalogue.find(ConsentText, "acme.consent.treatment") is None
    found = {(one.code, one.plugin, one.pointer) for one in flow.catalogue.problems}
    assert ("text.promise_effect", "acme", "/paragraphs/3/text/en") in found
    assert PROMISE not in " ".join(one.sentence for one in flow.catalogue.problems)


def test_a_brand_that_an_extension_adds_is_named_in_no_invitation() -> None:
    product = content_document("pore.product.bocouture-uk") | {"id": "acme.product.zorblax", "brand": "Zorblax"}
    acme = Acme(product, invitation("Ask us about Zorblax."))
    flow = PoreWorkflow(clinic(), plugins={"acme": acme}, installed=False)
    assert [one.code for one in flow.catalogue.problems] == ["text.names_drug"]


def test_a_question_with_a_promise_is_left_out() -> None:
    form = workflow().form()
    question = {"id": "acme.q.wish", "type": "boolean", "text": {"en": "Results guaranteed. Do you agree?"}}
    value = {"section": doc(form.model)["sections"][0]["id"], "question": question}
    contribution = Contributed("acme", QuestionContribution.model_validate_json(json.dumps(value)), value)
    composed = compose_form(form, [contribution])
    assert composed.entry is form
    assert [(one.code, one.plugin, one.pointer) for one in composed.problems] == [
        ("text.promise_effect", "acme", "/0/question/text/en")
    ]


def test_a_retired_text_still_serves_the_records_that_pin_it() -> None:
    flow = PoreWorkflow(clinic(), content=[consent_text(status="retired")], installed=False)
    assert flow.catalogue.find(ConsentText, "acme.consent.treatment") is None


def test_the_check_of_documents_is_public() -> None:
    document = check("consent-text", consent_text()).model
    assert "text.promise_effect" in {problem.code for problem in check_document(document)}
