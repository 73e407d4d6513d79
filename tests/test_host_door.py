"""A small host with a pluggy manager of its own does the whole job with nothing but documents."""

from __future__ import annotations

import json
from typing import Any

import pluggy
import pytest

from factories import CANARY, azzalure_protocol, case_input, clinic, doc, workflow
from pore_plugin import PoreWorkflow, ProblemsError, check, host_hookspecs, host_plugin
from pore_plugin.builtin import sample
from pore_plugin.contracts import AssessmentResult, PlanRequest
from pore_plugin.contracts.canonical import digest
from pore_plugin.hooks import HOST_HOOKS, hookimpl
from pore_plugin.validation import problems

Document = dict[str, Any]


class DeskSpecs:
    """The host's own hooks, which have nothing to do with us."""

    @pluggy.HookspecMarker("desk")
    def desk_sum(self, one: int, two: int) -> int:
        """Add two figures."""
        raise NotImplementedError


class Billing:
    """Another plug-in of the host."""

    @pluggy.HookimplMarker("desk")
    def desk_sum(self, one: int, two: int) -> int:
        return one + two


def manager(project: str = "desk", settings: Any = None, **more: Any) -> pluggy.PluginManager:
    pm = pluggy.PluginManager(project)
    pm.add_hookspecs(host_hookspecs(pm.project_name))
    pm.register(host_plugin(pm.project_name, settings=settings or sample("clinic.toml"), **more))
    return pm


def desk() -> pluggy.PluginManager:
    pm = manager()
    pm.add_hookspecs(DeskSpecs())
    pm.register(Billing())
    return pm


def posted(value: Any) -> Any:
    """Return what is left of a value when it went over the wire."""
    return json.loads(json.dumps(value))


def pin(document: Document) -> Document:
    """Pin a content document by what the document itself says."""
    return {key: document[key] for key in ("id", "version", "digest")}


def record_pin(record: Document, digest_of_it: str) -> Document:
    return {"id": record["id"], "digest": digest_of_it}


class Host:
    """All that this host knows of a case is what came back from the hooks."""

    def __init__(self, pm: pluggy.PluginManager) -> None:
        self.pm = pm
        self.clinic = {"clinic": "sample-clinic"}

    def call(self, hook: str, document: Document) -> Document:
        answer = posted(getattr(self.pm.hook, hook)(document=posted(document)))
        assert set(answer) != {"problems"}, answer["problems"]
        assert problems(HOST_HOOKS[hook].returns, answer) == ()
        return answer

    def consult(self, given: Document) -> None:
        form = posted(self.pm.hook.pore_consultation_form(locale="en"))
        document = {**given["consultation"], **self.clinic, "form": pin(form)}
        self.submitted = self.call("pore_submit_consultation", document)
        assert self.submitted["accepted"] is True
        self.consultation = self.submitted["consultation"]
        self.patient = {"patient": self.consultation["patient"]["id"], **self.clinic}
        context = {"stage": "consultation", "date": "2026-09-10", "patient": self.consultation["patient"]}
        request = {"context": context, "consultation": self.consultation, "at": self.consultation["recorded_at"]}
        self.assessment = self.call("pore_assess", request)["assessment"]

    def plan(self, given: Document, **members: Any) -> None:
        request = {**given["plan"], "consultation": self.consultation, **members}
        self.planned = self.call("pore_plan_procedure", request)
        self.plan_record = self.planned["plan"]

    def approvals(self) -> list[Document]:
        return [
            {
                "id": f"approval-{number}",
                **self.clinic,
                "document": document,
                "approved_by": "dr-sample",
                "approved_at": "2026-09-01T09:00:00+01:00",
            }
            for number, document in enumerate(self.planned["to_approve"])
        ]

    def case(self, given: Document) -> Document:
        treatment_text = next(sheet for sheet in self.planned["consent_sheets"] if sheet["purpose"] == "treatment")
        consent = {
            **{key: given["consent"][key] for key in given["consent"]},
            "id": "consent-1",
            **self.patient,
            "text": treatment_text["text"],
            "plan": treatment_text["plan"],
            "substance": self.plan_record["substance"],
        }
        assert consent["plan"] == record_pin(self.plan_record, self.planned["plan_digest"])
        consultation_pin = record_pin(self.consultation, self.submitted["consultation_digest"])
        return {
            "consultation": self.consultation,
            "assessment": self.planned["assessment"],
            "plan": self.plan_record,
            "day_form": {**given["day_form"], **self.clinic, "form": pin(self.planned["day_form"])},
            "consents": [consent],
            "overrides": [{**o, **self.patient, "consultation": consultation_pin} for o in given.get("overrides", [])],
            "authorisations": [{**a, **self.patient} for a in given.get("authorisations", [])],
            "approvals": self.approvals(),
            "vials": given["vials"],
        }


def follow_up_response(host: Host, given: Document, dated: Document) -> Document:
    step = next(step for step in dated["follow_up_plan"]["steps"] if step["step"] == given["step"])
    [form] = [form for form in dated["forms"] if pin(form) == step["form"]]
    return {
        **{key: value for key, value in given.items() if key != "outcomes"},
        **host.clinic,
        "form": pin(form),
        "follow_up_plan": record_pin(dated["follow_up_plan"], dated["follow_up_plan_digest"]),
    }


# -- the whole job ----------------------------------------------------------------------------------------------


def test_the_whole_job_is_done_with_documents_alone() -> None:
    given, host = case_input(), Host(desk())
    templates = posted(host.pm.hook.pore_procedure_templates(locale="en"))
    assert given["plan"]["template"] in {template["id"] for template in templates}

    host.consult(given)
    assert host.assessment["verdict"] == "clear"
    host.plan(given)
    case = host.case(given)
    asked = {"case": case, "operator": "nurse-example", "prescriber": "dr-sample", "at": "2026-09-10T14:01:00+01:00"}
    readiness = host.call("pore_ready_to_treat", asked)["readiness"]
    assert (readiness["ready"], readiness["reasons"]) == (True, [])

    treated = host.call("pore_record_treatment", {"case": case, "report": given["treatment"]})
    treatment = treated["treatment"]
    assert (treatment["consents"], treatment["authorisation"]) == (["consent-1"], "authorisation-1")

    dated = host.call("pore_follow_up_schedule", {"treatment": treatment, "requested_steps": ["W2"]})
    reviews = []
    for item in given["follow_up"]["responses"]:
        request = {
            "treatment": treatment,
            "follow_up_plan": dated["follow_up_plan"],
            "response": follow_up_response(host, item, dated),
            "outcomes": item.get("outcomes", []),
            "at": item["recorded_at"],
        }
        reviews.append(host.call("pore_review_follow_up", request)["review"])
    assert [[flag["urgency"] for flag in review["flags"]] for review in reviews] == [["same-day"], []]
    assert reviews[1]["trends"][0]["points"][-1]["change"] == "better"
    # The host's own hooks are as they were.
    assert host.pm.hook.desk_sum(one=2, two=3) == [5]


def test_a_prescribers_override_is_handed_in_as_a_document() -> None:
    given, host = case_input("3-review"), Host(desk())
    host.consult(given)
    host.plan(given)
    codes = {finding["code"] for finding in host.planned["assessment"]["findings"] if finding["severity"] == "review"}
    given["overrides"] = [
        {
            "id": f"override-{number}",
            "finding": code,
            "prescriber": "dr-sample",
            "reason": "specialist-consulted",
            "at": given["consent"]["given_at"],
        }
        for number, code in enumerate(sorted(codes))
    ]
    case = host.case(given)
    at = given["treatment"]["started_at"]
    asked = {"case": case, "operator": given["treatment"]["operator"], "at": at}
    assert host.call("pore_ready_to_treat", asked)["readiness"]["reasons"] == []
    lifted = host.call("pore_ready_to_treat", {**asked, "case": {**case, "overrides": []}})["readiness"]["reasons"]
    assert {reason["finding"]["code"] for reason in lifted} == codes


def test_what_must_be_approved_is_named_whole() -> None:
    given, host = case_input(), Host(desk())
    host.consult(given)
    host.plan(given)
    case = host.case(given)
    asked = {"operator": "nurse-example", "at": "2026-09-10T14:01:00+01:00"}
    for number in range(len(case["approvals"])):
        left = [approval for position, approval in enumerate(case["approvals"]) if position != number]
        reasons = host.call("pore_ready_to_treat", {**asked, "case": {**case, "approvals": left}})["readiness"][
            "reasons"
        ]
        assert [reason["code"] for reason in reasons] == ["approval.missing"]


def test_with_approvals_the_plan_is_no_draft() -> None:
    given, host = case_input(), Host(desk())
    host.consult(given)
    host.plan(given)
    assert host.plan_record["draft"] is True
    host.plan(given, approvals=host.approvals())
    assert host.plan_record["draft"] is False


def test_a_host_learns_when_the_cooling_off_ends() -> None:
    given, host = case_input(), Host(desk())
    host.consult(given)
    host.plan(given)
    given["consent"]["informed_at"] = "2026-09-09T10:40:00+01:00"
    asked = {"case": host.case(given), "operator": "nurse-example", "at": "2026-09-10T14:01:00+01:00"}
    [reason] = host.call("pore_ready_to_treat", asked)["readiness"]["reasons"]
    assert reason["code"] == "consent.cooling_off"
    assert "2026-09-11T10:40:00+01:00" in reason["next_step"]


def test_digests_are_what_anybody_computes() -> None:
    given, host = case_input(), Host(desk())
    host.consult(given)
    host.plan(given)
    form = posted(host.pm.hook.pore_consultation_form(locale="en"))
    assert form["digest"] == digest(form)
    assert host.submitted["consultation_digest"] == digest(host.consultation)
    assert host.planned["plan_digest"] == digest(host.plan_record)
    for template in posted(host.pm.hook.pore_procedure_templates(locale="en")):
        assert template["digest"] == digest(template)


def test_consent_texts_come_in_the_patients_language_or_else_in_the_clinics() -> None:
    given, host = case_input(), Host(desk())
    given["consultation"]["locale"] = "de"
    host.consult(given)
    host.plan(given)
    assert {sheet["locale"] for sheet in host.planned["consent_sheets"]} == {"en"}


def test_the_door_gives_what_the_facade_gives() -> None:
    given, host = case_input(), Host(desk())
    host.consult(given)
    host.plan(given)
    flow = workflow()
    request = check(PlanRequest, {**given["plan"], "consultation": host.consultation}).model
    assert doc(flow.plan(request).plan) == host.plan_record


# -- what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", [name for name, contract in HOST_HOOKS.items() if contract.accepts])
@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": CANARY},
        {"unknown": CANARY},
        [],
        None,
        3,
        CANARY,
        b"{",
        {"consultation": {"answers": [float("nan")]}},
        {1: 2},
        {"at": object()},
        {"id": "\ud800"},
    ],
)
def test_a_bad_document_gives_a_problem_report(hook: str, document: Any) -> None:
    answer = getattr(desk_once().hook, hook)(document=document)
    assert problems("problem-report", answer) == ()
    assert answer["problems"]
    assert CANARY not in json.dumps(answer)
    assert "host.unexpected" not in {problem["code"] for problem in answer["problems"]}


def test_a_deep_document_gives_a_problem_report() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    answer = desk_once().hook.pore_assess(document=deep)
    assert [problem["code"] for problem in answer["problems"]] != ["host.unexpected"]


_ONE: list[pluggy.PluginManager] = []


def desk_once() -> pluggy.PluginManager:
    if not _ONE:
        _ONE.append(desk())
    return _ONE[0]


@pytest.mark.parametrize("locale", ["fr", "", "../en", None, 3])
@pytest.mark.parametrize("hook", ["pore_consultation_form", "pore_procedure_templates"])
def test_a_language_that_is_not_there_gives_a_problem_report(hook: str, locale: Any) -> None:
    answer = getattr(desk_once().hook, hook)(locale=locale)
    assert [problem["code"] for problem in answer["problems"]] == ["locale.missing"]
    assert "en" in answer["problems"][0]["next_step"]


def test_answers_that_do_not_fit_come_back_as_a_draft_with_every_problem() -> None:
    given, host = case_input(), Host(desk_once())
    form = posted(host.pm.hook.pore_consultation_form(locale="en"))
    document = {**given["consultation"], **host.clinic, "form": pin(form)}
    document["answers"] = [a for a in document["answers"] if a["question"] not in ("pore.q.pregnancy", "pore.q.eyes")]
    answer = host.call("pore_submit_consultation", document)
    assert (answer["accepted"], answer["consultation"]["status"]) == (False, "draft")
    assert [problem["code"] for problem in answer["problems"]] == ["answers.required"] * 2
    assert answer["consultation"]["answers"] == document["answers"]


def test_a_response_to_a_form_that_nobody_knows_is_refused_with_its_problem() -> None:
    given = case_input()["consultation"]
    form = {"id": "pore.form.consultation", "version": "0.0.9", "digest": "sha256:" + "0" * 64}
    answer = desk_once().hook.pore_submit_consultation(document={**given, "clinic": "sample-clinic", "form": form})
    assert [problem["code"] for problem in answer["problems"]] == ["catalogue.unknown_pin"]


def test_a_treatment_without_the_deviations_is_refused_and_accepted_with_them() -> None:
    given, host = case_input(), Host(desk_once())
    host.consult(given)
    host.plan(given)
    case = {**host.case(given), "consents": []}
    request = {"case": case, "report": given["treatment"]}
    answer = host.pm.hook.pore_record_treatment(document=posted(request))
    assert [problem["code"] for problem in answer["problems"]] == ["deviation.missing"]
    deviation = {
        "code": "consent.missing",
        "reason": "The paper was mislaid.",
        "person": "dr-sample",
        "at": "2026-09-10T15:10:00+01:00",
    }
    request["report"] = {**given["treatment"], "deviations": [deviation]}
    assert host.call("pore_record_treatment", request)["treatment"]["readiness"]["ready"] is False


class Broken:
    """An extension that falls over in the middle of a hook of the host's door."""

    PORE_CONTRACT = "0.1"
    PORE_VENDOR = "acme"

    @hookimpl
    def pore_assess_suitability(self, context: Any) -> Any:
        raise SystemExit(CANARY)


def test_an_extension_that_ends_the_program_does_not_end_the_host() -> None:
    host = Host(manager(plugins={"acme": Broken()}))
    host.consult(case_input())
    assert [finding["code"] for finding in host.assessment["findings"]] == ["extension.failed"]
    assert CANARY not in json.dumps(host.assessment)


def test_nothing_leaves_that_is_not_the_published_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    def built_without_checks(self: Any, request: Any) -> Any:
        return AssessmentResult.model_construct(assessment=None, events=())

    monkeypatch.setattr(PoreWorkflow, "assess", built_without_checks)
    given = case_input()["consultation"]
    context = {"stage": "booking", "date": "2026-09-10", "patient": given["patient"]}
    answer = desk_once().hook.pore_assess(document={"context": context, "at": given["recorded_at"]})
    assert set(answer) == {"problems"}


def test_a_surprise_inside_is_a_problem_that_names_the_hook_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, request: Any) -> Any:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(PoreWorkflow, "assess", fail)
    given = case_input()["consultation"]
    context = {"stage": "booking", "date": "2026-09-10", "patient": given["patient"]}
    answer = desk_once().hook.pore_assess(document={"context": context, "at": given["recorded_at"]})
    [problem] = answer["problems"]
    assert (problem["code"], problem["hook"]) == ("host.unexpected", "pore_assess")
    assert CANARY not in json.dumps(answer)


# -- embedding --------------------------------------------------------------------------------------------------


def test_two_hosts_in_one_process_do_not_touch_each_other() -> None:
    one = manager("desk")
    two = manager("other_system", sample("clinic-us.toml"))
    patient = case_input()["consultation"]["patient"]
    request = {
        "context": {"stage": "booking", "date": "2026-09-10", "patient": patient},
        "at": "2026-09-07T10:00:00+01:00",
    }
    clinics = [pm.hook.pore_assess(document=request)["assessment"]["clinic"] for pm in (one, two, one)]
    assert clinics == ["sample-clinic", "sample-clinic-us", "sample-clinic"]


def test_a_plugin_made_for_another_project_is_not_taken() -> None:
    pm = pluggy.PluginManager("desk")
    pm.add_hookspecs(host_hookspecs("desk"))
    pm.register(host_plugin("other_system", settings=sample("clinic.toml")))
    assert pm.hook.pore_consultation_form(locale="en") is None


def test_the_host_gets_one_document_and_not_a_list_of_answers() -> None:
    assert isinstance(desk_once().hook.pore_consultation_form(locale="en"), dict)


@pytest.mark.parametrize("settings", [sample("clinic.toml"), doc(clinic()), clinic()])
def test_settings_are_toml_a_document_or_a_model(settings: Any) -> None:
    assert manager(settings=settings).hook.pore_consultation_form(locale="en")["type"] == "consultation-form"


def test_a_host_whose_settings_name_no_market_does_not_start() -> None:
    without = {key: value for key, value in doc(clinic()).items() if key != "market"}
    with pytest.raises(ProblemsError) as caught:
        host_plugin("desk", settings=without)
    assert [problem.code for problem in caught.value.problems] == ["schema.required"]


def test_the_clinics_own_content_is_handed_in_as_documents() -> None:
    suggestions = clinic("clinic-us.toml").policies.accepted_suggestions
    settings = clinic(policies={"accepted_suggestions": suggestions})
    host = Host(manager(settings=settings, content=[json.dumps(azzalure_protocol("UK")).encode()]))
    given = case_input()
    host.consult(given)
    wanted = {"template": "pore.template.microtoxin-forehead-sebum", "product": "pore.product.azzalure-uk"}
    del given["plan"]["protocol"]
    host.plan(given, **wanted)
    assert host.plan_record["protocol"]["id"] == "clinic.protocol.forehead"
    assert "clinic.protocol.forehead" in {item["id"] for item in host.planned["to_approve"]}
