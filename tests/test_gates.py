"""One test per gate: what speaks against treating, and that nothing else is said then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import pytest

from factories import (
    DAY_FORM,
    FOREHEAD,
    Made,
    azzalure,
    case_input,
    changed,
    clinic,
    consultation,
    content_document,
    day_form,
    doc,
    forehead,
    made,
    make,
    peel,
    plan_request,
    with_answers,
    workflow,
    workflow_of,
)
from hook_plugins import plugin
from pore_plugin import ProblemsError, check
from pore_plugin.clinical.durations import to_utc
from pore_plugin.clinical.treatment.vials import vial_reasons
from pore_plugin.contracts import (
    Consent,
    ConsentRequest,
    ConsentWithdrawal,
    LabelPolicy,
    Override,
    Product,
    ReadinessRequest,
    ToxinExposure,
    TreatmentRequest,
)

OTHER = "sha256:" + "0" * 64
OTHER_PATIENT = {"host": "sample-host", "id": "patient-9", "birth_date": "1990-05-17"}
FOREHEAD_REGION = {"region": "pore.region.forehead"}


def other_bytes(pin: Any) -> dict[str, Any]:
    return {**doc(pin), "digest": OTHER}


def under_policies(case: Made, **policies: Any) -> Made:
    """Return the same case in a clinic with other policies."""
    settings = clinic(policies=policies)
    return make(workflow_of(settings))


# -- nothing speaks against it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [made, peel, forehead, azzalure])
def test_a_whole_case_is_ready(case: Any) -> None:
    assert case().codes() == []


def test_asking_twice_says_the_same_and_changes_nothing() -> None:
    case = made()
    before = case.case.to_json()
    first, second = case.ready(day_form=None), case.ready(day_form=None)
    assert first.to_json() == second.to_json()
    assert case.case.to_json() == before


def test_the_answer_names_the_plan_that_it_is_about() -> None:
    readiness = made().ready()
    assert (readiness.plan, readiness.at) == (made().plan_pin, made().at)


# -- whose records these are ------------------------------------------------------------------------------------


def test_records_of_another_patient_are_refused() -> None:
    assert made().codes(day_form=day_form(patient=OTHER_PATIENT)) == ["case.patient"]


def test_a_day_form_of_another_clinic_is_refused() -> None:
    assert made().codes(day_form=changed(day_form(), clinic="clinic-2")) == ["case.clinic"]


def test_records_of_another_clinic_are_refused() -> None:
    elsewhere = workflow_of(clinic(id="clinic-2"))
    assert made().codes(flow=elsewhere) == [*["approval.missing"] * 5, "authorisation.patient", "case.clinic"]


# -- consultation and assessment --------------------------------------------------------------------------------


def test_a_draft_is_refused() -> None:
    assert made().codes(consultation=changed(made().consultation, status="draft")) == ["consultation.draft"]


def test_a_changed_answer_is_refused() -> None:
    answers = with_answers(doc(made().consultation.answers), goals="Something else.")
    assert made().codes(consultation=changed(made().consultation, answers=answers)) == ["consultation.changed"]


def test_answers_that_were_never_complete_are_refused_although_they_say_completed() -> None:
    flow = workflow()
    response = consultation(flow)
    incomplete = changed(response, answers=[a for a in doc(response.answers) if a["question"] != "pore.q.pregnancy"])
    with pytest.raises(ProblemsError) as caught:
        flow.plan(plan_request(flow, incomplete, approvals=made().case.approvals))
    assert [(p.code, p.pointer) for p in caught.value.problems] == [("answers.required", "/consultation/answers")]
    assert made().codes(consultation=incomplete) == ["consultation.changed", "consultation.invalid"]


def test_a_consultation_expires_after_the_clinics_policy() -> None:
    assert under_policies(made(), consultation_expiry="P3D").codes() == ["consultation.expired"]
    assert under_policies(made(), consultation_expiry="P4D").codes() == []


def test_a_consultation_of_the_future_is_refused() -> None:
    later = {"occurred_at": "2026-09-10T14:01:01+01:00", "recorded_at": "2026-09-10T14:30:00+01:00"}
    moved = changed(made().consultation, **later)
    assert made().codes(consultation=moved) == ["consultation.changed", "consultation.not_yet"]


def test_another_assessment_than_the_plans_is_refused() -> None:
    assert made().codes(assessment=changed(made().assessment, id="assessment-9")) == ["assessment.changed"]


# -- the form of the day ----------------------------------------------------------------------------------------


def no_form() -> Any:
    return None


def form_of_yesterday() -> Any:
    return day_form(occurred_at="2026-09-09T23:59:59+01:00")


def form_of_later_today() -> Any:
    return day_form(occurred_at="2026-09-10T14:01:01+01:00", recorded_at="2026-09-10T14:30:00+01:00")


def form_as_a_draft() -> Any:
    return day_form(status="draft")


def another_form() -> Any:
    return consultation(occurred_at="2026-09-10T13:58:00+01:00", recorded_at="2026-09-10T13:59:00+01:00")


@pytest.mark.parametrize("form", [no_form, form_of_yesterday, form_of_later_today, form_as_a_draft, another_form])
def test_the_form_of_the_day_is_needed(form: Any) -> None:
    assert made().codes(day_form=form()) == ["day_form.missing"]


def test_today_is_the_day_in_the_clinics_zone() -> None:
    # 23:30 UTC the evening before is half past midnight in London in September.
    assert made().codes(day_form=day_form(occurred_at="2026-09-09T23:30:00+00:00")) == []


def test_an_incomplete_form_of_the_day_is_no_healthy_one() -> None:
    assert made().codes(day_form=changed(day_form(), answers=[])) == ["day_form.invalid"]


# -- findings ---------------------------------------------------------------------------------------------------


NOTED = {"capacity_note": {"type": "text", "value": "As seen today."}}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"pregnancy": ["pregnant"]}, "finding.preg"),
        ({"still_consents": False}, "finding.capacity"),
        ({"voluntary": False}, "finding.capacity"),
        ({"capacity_concerns": ["coerced"], **NOTED}, "finding.capacity"),
        ({"capacity_concerns": ["intoxicated"], **NOTED}, "finding.capacity"),
        ({"capacity_concerns": ["cannot-consent"], **NOTED}, "finding.capacity"),
    ],
)
def test_an_answer_of_the_day_blocks(answers: Mapping[str, Any], code: str) -> None:
    readiness = made().ready(day_form=day_form(answers=answers))
    assert {reason.code for reason in readiness.reasons} == {code}
    assert not any(reason.overridable for reason in readiness.reasons)


LEFT, RIGHT = ({"region": "pore.region.cheek", "side": side} for side in ("left", "right"))


@pytest.mark.parametrize(
    ("planned", "marked", "blocked"),
    [
        ([], [LEFT], [("cheek", "left")]),
        ([], [{"region": "pore.region.cheek"}], [("cheek", "left"), ("cheek", "right")]),
        ([LEFT], [LEFT], [("cheek", "left")]),
        ([RIGHT], [LEFT], []),
        ([RIGHT], [{"region": "pore.region.cheek"}], [("cheek", "right")]),
        ([FOREHEAD_REGION], [LEFT], []),
        # A side on a region that has none is read as the region.
        ([FOREHEAD_REGION], [{**FOREHEAD_REGION, "side": "left"}], [("forehead", None)]),
    ],
)
def test_an_infection_marked_on_one_side_blocks_what_is_planned_there(
    planned: list[Any], marked: list[Any], blocked: list[Any]
) -> None:
    where = {"type": "region-map", "value": marked}
    form = day_form(answers={"skin_at_site": ["infection"], "skin_at_site_regions": where})
    readiness = make(regions=planned).ready(day_form=form)
    assert [reason.code for reason in readiness.reasons] == ["finding.inf"] * bool(blocked)
    found = [(r.region.removeprefix("pore.region."), r.side) for reason in readiness.reasons for r in reason.regions]
    assert found == blocked


def test_a_block_is_not_overridden() -> None:
    form = day_form(answers={"pregnancy": ["pregnant"]})
    assert made().codes(day_form=form, overrides=[override(made(), finding="PREG")]) == ["finding.preg"]


def override(of: Made, **members: Any) -> dict[str, Any]:
    whole = {
        "id": "override-1",
        "clinic": of.flow.clinic.id,
        "patient": of.plan.patient,
        "consultation": doc(of.consultation_pin),
        "finding": "CVD",
        "prescriber": "dr-sample",
        "reason": "specialist-consulted",
        "at": "2026-09-10T13:00:00+01:00",
        **doc(members),
    }
    return doc(check(Override, {key: value for key, value in whole.items() if value is not None}).model)


@cache
def with_review() -> Made:
    """A case with one review finding, on the whole session."""
    return make(answers={"health_conditions": ["cardiovascular-disease"]})


@cache
def with_regional_review() -> Made:
    """A case with one review finding on forehead and nose: the clinic's own dose figures."""
    figures = [
        {
            "product": "pore.product.bocouture-uk",
            "region": f"pore.region.{region}",
            "units": "1",
            "reason": "House rule",
        }
        for region in ("forehead", "nose")
    ]
    return make(workflow_of(clinic(policies={"dose_figures": figures})))


def test_a_review_waits_for_an_override() -> None:
    readiness = with_review().ready()
    assert [(reason.code, reason.overridable) for reason in readiness.reasons] == [("finding.cvd", True)]


def test_a_prescribers_override_lifts_a_review() -> None:
    assert with_review().codes(overrides=[override(with_review())]) == []


@pytest.mark.parametrize(
    "members",
    [
        {"prescriber": "nurse-example"},
        {"prescriber": "nobody"},
        {"consultation": {"id": "consultation-1", "digest": OTHER}},
        {"consultation": {"id": "consultation-0", "digest": OTHER}},
        {"patient": "patient-9"},
        {"clinic": "clinic-2"},
        {"finding": "DYS"},
        {"case": "another"},
        {"plugin": "acme"},
        {"regions": [FOREHEAD_REGION]},
        {"at": "2026-09-10T14:01:01+01:00"},
        # Before this plan was assessed nobody had seen its doses.
        {"at": "2026-09-07T10:35:59+01:00"},
    ],
)
def test_an_override_of_something_else_lifts_nothing(members: Mapping[str, Any]) -> None:
    assert with_review().codes(overrides=[override(with_review(), **members)]) == ["finding.cvd"]


def test_an_override_lifts_no_finding_that_goes_beyond_its_regions() -> None:
    case = with_regional_review()
    nose = {"region": "pore.region.nose"}
    assert case.codes() == ["finding.region_dose"]
    assert case.codes(overrides=[override(case, finding="REGION_DOSE", regions=[FOREHEAD_REGION])]) == case.codes()
    assert case.codes(overrides=[override(case, finding="REGION_DOSE", regions=[nose, FOREHEAD_REGION])]) == []
    assert case.codes(overrides=[override(case, finding="REGION_DOSE")]) == []


# -- consent ----------------------------------------------------------------------------------------------------


def consent_of(case: Made, **members: Any) -> Consent:
    return changed(case.consent, **members)


def test_there_must_be_a_consent() -> None:
    assert made().codes(consents=()) == ["consent.missing"]


def test_a_consent_for_another_purpose_is_none() -> None:
    photo = made().flow.consent(
        check(ConsentRequest, {**case_input()["consent"], "purpose": "record-photo", "plan": doc(made().plan)}).model
    )
    assert made().codes(consents=[photo.consent]) == ["consent.missing"]


def test_a_withdrawn_consent_holds_no_longer() -> None:
    taken_back = ConsentWithdrawal(
        id="withdrawal-1",
        clinic="sample-clinic",
        consent=made().consent.id,
        withdrawn_at="2026-09-10T14:01:00+01:00",
        recorded_by="dr-sample",
    )
    assert made().codes(withdrawals=[taken_back]) == ["consent.withdrawn"]
    later = changed(taken_back, withdrawn_at="2026-09-10T14:01:01+01:00")
    assert made().codes(withdrawals=[later]) == []


def test_a_changed_plan_invalidates_the_consent() -> None:
    other = changed(made().consent.plan, digest=OTHER)
    # The text is then not among those that this plan's approvals must cover.
    assert made().codes(consents=[consent_of(made(), plan=other)]) == ["consent.other_plan"]


def test_a_consent_on_another_text_does_not_hold() -> None:
    expected = ["approval.missing", "consent.other_text"]
    assert made().codes(consents=[consent_of(made(), text=other_bytes(made().consent.text))]) == expected


def test_a_consent_of_another_patient_does_not_hold() -> None:
    assert made().codes(consents=[consent_of(made(), patient="patient-9")]) == ["consent.other_patient"]


def test_a_consent_dated_later_does_not_hold_yet() -> None:
    later = consent_of(made(), given_at="2026-09-10T14:01:01+01:00")
    assert made().codes(consents=[later]) == ["consent.not_yet"]


def consent_informed(case: Made, informed_at: str, *earlier: Consent) -> Consent:
    wanted = {**case_input()["consent"], "informed_at": informed_at, "plan": doc(case.plan), "earlier": doc(earlier)}
    return case.flow.consent(check(ConsentRequest, wanted).model).consent


def test_the_time_to_reflect_must_be_over() -> None:
    running = consent_informed(made(), "2026-09-08T14:01:01+01:00")
    over = consent_informed(made(), "2026-09-08T14:01:00+01:00")
    assert running.cooling_off_ends == "2026-09-10T14:01:01+01:00"
    assert made().codes(consents=[running]) == ["consent.cooling_off"]
    assert made().codes(consents=[over]) == []


@pytest.mark.parametrize("claimed", ["2026-09-09T00:00:00+01:00", None])
def test_a_consent_cannot_claim_an_earlier_end_of_its_cooling_off(claimed: str | None) -> None:
    running = changed(consent_informed(made(), "2026-09-09T18:00:00+01:00"), cooling_off_ends=claimed)
    assert made().codes(consents=[running]) == ["consent.cooling_off"]


def test_a_later_end_written_on_the_consent_holds() -> None:
    longer = consent_of(made(), cooling_off_ends="2026-09-11T00:00:00+01:00")
    assert made().codes(consents=[longer]) == ["consent.cooling_off"]


def test_a_clinic_may_ask_for_more_time_and_never_for_less() -> None:
    assert under_policies(made(), cooling_off="P7D").codes() == ["consent.cooling_off"]
    soon = under_policies(made(), cooling_off="PT1H")
    informed = consent_informed(soon, "2026-09-09T18:00:00+01:00")
    assert soon.codes(consents=[informed]) == ["consent.cooling_off"]


@cache
def earlier_session() -> Made:
    """The same clinical plan, made and consented to some minutes earlier."""
    return make(at="2026-09-07T10:35:30+01:00")


def test_an_unchanged_repeat_needs_no_new_cooling_off() -> None:
    before, now = earlier_session(), made()
    assert before.plan.substance == now.plan.substance
    assert before.plan.id != now.plan.id
    first = changed(before.consent, given_at="2026-09-09T16:00:00+01:00")
    short = consent_informed(now, "2026-09-10T13:30:00+01:00", first)
    assert short.cooling_off_ends is None
    assert now.codes(consents=[short, first]) == []
    assert now.codes(consents=[short]) == ["consent.cooling_off"]


def test_a_consent_that_was_taken_back_spares_no_cooling_off() -> None:
    now = made()
    first = changed(earlier_session().consent, given_at="2026-09-09T16:00:00+01:00")
    short = consent_informed(now, "2026-09-10T13:30:00+01:00", first)
    withdrawal = {
        "id": "withdrawal-1",
        "clinic": "sample-clinic",
        "consent": first.id,
        "withdrawn_at": "2026-09-10T09:00:00+01:00",
        "recorded_by": "dr-sample",
    }
    assert now.codes(consents=[short, first], withdrawals=[withdrawal]) == ["consent.cooling_off"]


def test_a_changed_plan_needs_a_new_cooling_off() -> None:
    smaller = make(regions=[{"region": "pore.region.chin"}], at="2026-09-07T10:35:30+01:00")
    first = changed(smaller.consent, given_at="2026-09-09T16:00:00+01:00")
    assert first.substance != made().plan.substance
    short = consent_informed(made(), "2026-09-10T13:30:00+01:00", first)
    assert made().codes(consents=[short, first]) == ["consent.cooling_off"]


def test_a_consent_from_before_the_plan_is_no_consent_to_it() -> None:
    early = consent_of(made(), informed_at="2026-09-07T10:30:00+01:00", given_at="2026-09-07T10:35:59+01:00")
    assert made().codes(consents=[early]) == ["consent.before_plan"]


# -- operator and authorisation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", ["nobody", "admin-placeholder"])
def test_only_an_operator_of_this_clinic_treats(operator: str) -> None:
    assert made().codes(operator=operator) == ["operator.unknown"]


def test_a_prescriber_treats_without_authorisation() -> None:
    assert made().codes(operator="dr-sample", authorisations=()) == []


DENTIST = {
    "id": "dentist-example",
    "name": "Dan Example (invented)",
    "profession": "dentist",
    "roles": ["prescriber", "operator"],
    "register_entry": {"body": "Sample Dental Register", "number": "SAMPLE-0003"},
}


def test_the_label_limits_who_gives_the_product() -> None:
    case = azzalure("EU", more_people=[DENTIST])
    assert case.codes(operator="dentist-example") == ["operator.label"]
    assert case.codes(operator="dr-sample") == []


def test_a_market_may_ask_that_the_prescriber_treats() -> None:
    surgeon = {**DENTIST, "id": "doctor-two", "profession": "doctor", "roles": ["operator"]}
    case = azzalure("EU", more_people=[surgeon])
    allowed = authorisation_of(case)
    assert case.codes(operator="doctor-two", authorisations=[allowed]) == ["operator.market"]


def authorisation_of(case: Made, **members: Any) -> dict[str, Any]:
    injection = case.plan.injection
    assert injection is not None
    return {
        **case_input()["authorisations"][0],
        "clinic": case.flow.clinic.id,
        "patient": case.plan.patient,
        "template": case.plan.template.id,
        "product": case.plan.product_id,
        "operators": [],
        "maximum": [
            {"region": r.region, **({"side": r.side} if r.side else {}), "units": r.units.value}
            for r in injection.regions
        ],
        **members,
    }


def test_a_nurse_needs_an_authorisation() -> None:
    assert made().codes(authorisations=()) == ["authorisation.missing"]


def test_a_prescriber_needs_one_for_another_prescribers_treatment() -> None:
    case = make(workflow_of(clinic(people=[*doc(clinic().people), DENTIST])))
    request = {"case": doc(case.case_with(authorisations=())), "operator": "dentist-example", "at": case.at}
    own = case.flow.ready(check(ReadinessRequest, request).model)
    others = case.flow.ready(check(ReadinessRequest, {**request, "prescriber": "dr-sample"}).model)
    assert [reason.code for reason in own.reasons] == []
    assert [reason.code for reason in others.reasons] == ["authorisation.missing"]


def doses(**units: str) -> list[dict[str, str]]:
    """Return the planned doses by region, `cheek_left` for a side, with others."""
    planned = {"forehead": "16", "nose": "6", "cheek_left": "18", "cheek_right": "18", "chin": "8", **units}
    parts = [(*name.partition("_"), value) for name, value in planned.items()]
    return [
        {"region": f"pore.region.{region}", **({"side": side} if side else {}), "units": value}
        for region, _, side, value in parts
    ]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"patient": "patient-9"}, "authorisation.patient"),
        ({"clinic": "clinic-2"}, "authorisation.patient"),
        ({"prescriber": "nurse-example"}, "authorisation.prescriber"),
        ({"prescriber": "nobody"}, "authorisation.prescriber"),
        ({"product": "pore.product.botox-uk"}, "authorisation.product"),
        ({"template": FOREHEAD}, "authorisation.product"),
        ({"operators": ["nurse-other"]}, "authorisation.operator"),
        ({"issued_at": "2026-09-10T14:01:01+01:00"}, "authorisation.not_yet"),
        ({"revoked_at": "2026-09-10T14:01:00+01:00"}, "authorisation.revoked"),
        ({"valid_until": "2026-09-09"}, "authorisation.expired"),
        ({"examined_in_person": False}, "authorisation.exam"),
        ({"same_episode": False}, "authorisation.episode"),
        ({"examined_on": "2026-09-11"}, "authorisation.exam"),
        ({"maximum": doses(forehead="15.999")}, "authorisation.exceeded"),
        ({"maximum": doses(cheek_left="17")}, "authorisation.exceeded"),
        ({"maximum": []}, "authorisation.exceeded"),
    ],
)
def test_an_authorisation_must_cover_this_treatment(members: Mapping[str, Any], code: str) -> None:
    assert made().codes(authorisations=[changed(made().authorisation, **members)]) == [code]


def test_an_authorisation_holds_up_to_its_limits() -> None:
    exact = changed(
        made().authorisation,
        maximum=doses(),
        valid_until="2026-09-10",
        examined_on="2026-09-10",
        issued_at=made().at,
        revoked_at="2026-09-10T14:01:01+01:00",
    )
    assert made().codes(authorisations=[exact]) == []


def test_one_authorisation_that_covers_is_enough() -> None:
    expired = changed(made().authorisation, id="authorisation-0", valid_until="2026-09-01")
    assert made().codes(authorisations=[expired, made().authorisation]) == []


def test_several_that_do_not_cover_say_why_each() -> None:
    expired = changed(made().authorisation, id="authorisation-0", valid_until="2026-09-01")
    other = changed(made().authorisation, id="authorisation-2", patient="patient-9")
    assert made().codes(authorisations=[expired, other]) == ["authorisation.expired", "authorisation.patient"]


# -- vials ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "codes"),
    [
        ({"product": "pore.product.botox-uk"}, ["vial.product"]),
        ({"expiry": "2026-09-09"}, ["vial.expired"]),
        ({"expiry": "2026-09-10"}, []),
        ({"units": "50"}, ["vial.insufficient", "vial.size"]),
        ({"diluent_volume": "2.5"}, ["vial.dilution"]),
        ({"diluent": "lidocaine-2"}, ["vial.dilution"]),
        ({"discard_by": "2026-09-10T14:00:59+01:00"}, ["vial.discarded"]),
        ({"discard_by": "2026-09-10T14:01:00+01:00"}, []),
        ({"reconstituted_at": "2026-09-10T14:01:01+01:00"}, ["vial.future"]),
        ({"used_for": ["patient-9"]}, ["vial.second_patient"]),
        ({"used_for": ["patient-1"]}, []),
        # No in-use time of this product has been read: without a discard time nobody knows how long it keeps.
        ({"discard_by": None}, ["vial.in_use_unknown"]),
    ],
)
def test_a_vial_must_be_the_planned_one_and_good(members: Mapping[str, Any], codes: list[str]) -> None:
    assert made().codes(vials=[changed(made().vial, **members)]) == codes


def test_there_must_be_a_vial() -> None:
    assert made().codes(vials=()) == ["vial.missing"]


def test_one_vial_handed_in_twice_is_one_vial() -> None:
    case = azzalure()
    half = changed(case.vial, units="20")
    assert case.codes(vials=[half, half]) == ["vial.insufficient", "vial.size"]


def test_every_vial_is_looked_at() -> None:
    expired = changed(made().vial, id="vial-2", expiry="2026-01-01")
    assert made().codes(vials=[made().vial, expired]) == ["vial.expired"]


def test_a_vial_is_used_within_the_hours_of_its_label() -> None:
    case = azzalure()
    in_time = changed(case.vial, reconstituted_at="2026-09-09T14:01:00+01:00")
    too_old = changed(case.vial, reconstituted_at="2026-09-09T14:00:59+01:00")
    assert case.codes(vials=[in_time]) == []
    assert case.codes(vials=[too_old]) == ["vial.in_use_hours"]


def test_without_the_row_of_the_product_nobody_knows_how_long_a_vial_keeps() -> None:
    case = azzalure()
    now, policies = to_utc(case.at), case.flow.clinic.policies
    vial = changed(case.vial, discard_by=None)

    def codes(product: Product | None) -> list[str]:
        return [one.code for one in vial_reasons([vial], case.plan, product, policies, now, date(2026, 9, 10))]

    assert case.plan.product is not None
    assert codes(check(Product, content_document(case.plan.product.id)).model) == []
    assert codes(None) == ["vial.in_use_unknown"]


def label_policy(lifts: str, **members: Any) -> dict[str, Any]:
    return doc(
        LabelPolicy.model_validate(
            {
                "lifts": lifts,
                "text": f"House policy on {lifts}, signed.",
                "signed_by": "dr-sample",
                "signed_on": "2026-09-10",
                **members,
            }
        )
    )


@pytest.mark.parametrize(
    ("policy", "vial", "codes"),
    [
        (label_policy("vial.second_patient"), {"used_for": ["patient-9"]}, []),
        (
            label_policy("vial.second_patient", signed_on="2026-09-11"),
            {"used_for": ["patient-9"]},
            ["vial.second_patient"],
        ),
        (label_policy("vial.in_use_hours"), {"used_for": ["patient-9"]}, ["vial.second_patient"]),
        (label_policy("vial.in_use_hours"), {"reconstituted_at": "2026-09-05T09:00:00+01:00"}, []),
        (
            label_policy("vial.in_use_hours", in_use_hours="48"),
            {"reconstituted_at": "2026-09-08T14:00:59+01:00"},
            ["vial.in_use_hours"],
        ),
        (
            label_policy("vial.second_patient"),
            {"reconstituted_at": "2026-09-05T09:00:00+01:00"},
            ["vial.in_use_hours"],
        ),
        # Expiry and the discard time are never lifted.
        (label_policy("vial.in_use_hours"), {"expiry": "2026-09-09"}, ["vial.expired"]),
        (label_policy("vial.in_use_hours"), {"discard_by": "2026-09-10T14:00:59+01:00"}, ["vial.discarded"]),
    ],
)
def test_a_signed_policy_lifts_its_own_label_block_and_no_other(
    policy: dict[str, Any], vial: Mapping[str, Any], codes: list[str]
) -> None:
    case = azzalure(policies={"label_policies": [policy]})
    assert case.codes(vials=[changed(case.vial, **vial)]) == codes


@pytest.mark.parametrize(
    ("vial", "printed"),
    [
        ({}, []),
        ({"used_for": ["patient-9"]}, ["vial.second_patient"]),
        ({"reconstituted_at": "2026-09-09T13:00:00+01:00"}, ["vial.in_use_hours"]),
        # Older than the policy itself allows: nothing is lifted.
        ({"reconstituted_at": "2026-09-05T09:00:00+01:00"}, []),
    ],
)
def test_only_a_policy_that_lifted_something_is_printed_on_the_record(vial: dict[str, Any], printed: list[str]) -> None:
    policies = [label_policy("vial.second_patient"), label_policy("vial.in_use_hours", in_use_hours="48")]
    case = azzalure(policies={"label_policies": policies})
    held = changed(case.vial, **vial)
    texts = [f"House policy on {block}, signed." for block in printed]
    assert [dict(note) for note in case.ready(vials=[held]).notes] == [{"en": text} for text in texts]
    use = {**doc(case.report.vials[0]), "vial": doc(held)}
    person = {"person": "dr-sample", "at": case.report.started_at}
    late = [{"code": "vial.in_use_hours", "reason": "Opened days ago.", **person}] if vial and not printed else []
    report = changed(case.report, vials=[use], deviations=late)
    record = case.flow.treat(TreatmentRequest(case=case.case, report=report)).treatment
    assert record.label_policies == tuple(texts)


def test_a_policy_that_is_signed_later_is_not_printed() -> None:
    case = azzalure(policies={"label_policies": [label_policy("vial.second_patient", signed_on="2026-09-11")]})
    assert case.ready(vials=[changed(case.vial, used_for=["patient-9"])]).notes == ()


# -- approvals --------------------------------------------------------------------------------------------------

DOCUMENTS = [item["document"] for item in case_input()["approvals"]]


def test_the_five_documents_that_need_approval() -> None:
    assert DOCUMENTS == [
        "pore.form.consultation",
        DAY_FORM,
        "pore.template.microtoxin-pores",
        "pore.protocol.sample-microtoxin-pores-inco-uk",
        "pore.consent.treatment",
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_everything_a_treatment_rests_on_is_approved(document: str) -> None:
    left = [item for item in made().case.approvals if item.document.id != document]
    readiness = made().ready(approvals=left)
    assert [reason.code for reason in readiness.reasons] == ["approval.missing"]
    assert document in readiness.reasons[0].sentence


@pytest.mark.parametrize(
    "members",
    [
        {"withdrawn_at": "2026-09-10T14:01:00+01:00"},
        {"valid_until": "2026-09-09"},
        {"approved_by": "nurse-example"},
        {"approved_by": "nobody"},
        {"approved_at": "2026-09-10T14:01:01+01:00"},
        {"clinic": "clinic-2"},
    ],
)
def test_an_approval_is_a_prescribers_of_this_clinic_by_now_and_not_withdrawn(members: Mapping[str, Any]) -> None:
    first, *rest = made().case.approvals
    assert made().codes(approvals=[changed(first, **members), *rest]) == ["approval.missing"]


def test_an_approval_is_of_these_very_bytes() -> None:
    first, *rest = made().case.approvals
    assert made().codes(approvals=[changed(first, document=other_bytes(first.document)), *rest]) == ["approval.missing"]


def test_an_approval_that_is_withdrawn_later_still_holds() -> None:
    first, *rest = made().case.approvals
    assert made().codes(approvals=[changed(first, withdrawn_at="2026-09-10T14:01:01+01:00"), *rest]) == []


@pytest.mark.parametrize(
    # The treatment is at 13:01 in UTC; on Kiritimati, 14 hours ahead, it is the next day by then.
    ("zone", "missing"),
    [("Europe/London", False), ("Pacific/Kiritimati", True)],
)
def test_an_approval_holds_to_the_end_of_its_last_day_in_the_clinics_zone(zone: str, missing: bool) -> None:
    first, *rest = made().case.approvals
    readiness = made().ready(
        flow=workflow_of(clinic(zone=zone)), approvals=[changed(first, valid_until="2026-09-10"), *rest]
    )
    assert ("approval.missing" in {reason.code for reason in readiness.reasons}) is missing


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"withdrawn_at": "2026-09-10T14:01:00+01:00"}, "Its approval was withdrawn on 2026-09-10."),
        ({"valid_until": "2026-09-09"}, "Its approval expired: 2026-09-09 was its last day."),
        ({"approved_at": "2026-09-10T14:01:01+01:00"}, "Its approval is dated in the future."),
        ({"approved_by": "dr-gone"}, "The person who approved it no longer works here."),
        ({"approved_by": "nurse-example"}, "The person who approved it is not a prescriber here."),
        ({"clinic": "clinic-2"}, "Nobody has approved it for this clinic."),
    ],
)
def test_a_missing_approval_says_which_way_it_is_missing(members: Mapping[str, Any], said: str) -> None:
    first, *rest = made().case.approvals
    (reason,) = made().ready(approvals=[changed(first, **members), *rest]).reasons
    assert (reason.code, reason.overridable) == ("approval.missing", False)
    assert reason.sentence == f"{first.document.id} {first.document.version} is not approved for this clinic. {said}"


def test_an_approval_of_another_version_is_named_as_such() -> None:
    first, *rest = made().case.approvals
    (reason,) = made().ready(approvals=[changed(first, document=other_bytes(first.document)), *rest]).reasons
    assert reason.sentence.endswith("What was approved is another version of it, or other bytes under this version.")


def test_one_approval_that_holds_is_enough_and_of_the_others_the_last_is_spoken_of() -> None:
    first, *rest = made().case.approvals
    expired = changed(first, id="approval-8", valid_until="2026-09-09")
    withdrawn = changed(
        first,
        id="approval-9",
        approved_at="2026-09-02T09:00:00+01:00",
        withdrawn_at="2026-09-03T09:00:00+01:00",
    )
    assert made().codes(approvals=[first, expired, withdrawn, *rest]) == []
    assert made().codes(approvals=[withdrawn, expired, first, *rest]) == []
    (reason,) = made().ready(approvals=[withdrawn, expired, *rest]).reasons
    assert reason.sentence.endswith("Its approval was withdrawn on 2026-09-03.")


def test_the_approvals_of_somebody_who_has_left_or_may_prescribe_no_longer_hold_no_longer() -> None:
    people = doc(made().flow.clinic.people)
    stays = {**people[0], "id": "dr-new", "roles": ["prescriber"]}
    for left in (
        [stays, *(person for person in people if person["id"] != "dr-sample")],
        [stays, *({**person, "roles": ["operator"]} if person["id"] == "dr-sample" else person for person in people)],
    ):
        flow = workflow_of(clinic(people=left))
        codes = [reason.code for reason in made().ready(flow=flow).reasons]
        assert codes.count("approval.missing") == len(DOCUMENTS)
        # What a prescriber who is still here takes over holds.
        over = [changed(one, approved_by="dr-new") for one in made().case.approvals]
        codes = [reason.code for reason in made().ready(flow=flow, approvals=over).reasons]
        assert "approval.missing" not in codes


def test_a_plan_whose_approvals_have_expired_is_a_draft() -> None:
    flow, response = made().flow, made().consultation
    papers = [changed(one, valid_until="2026-09-06") for one in made().case.approvals]
    plan = flow.plan(plan_request(flow, response, approvals=papers)).plan
    assert plan is not None
    assert plan.draft
    assert not made().plan.draft


# -- sample -----------------------------------------------------------------------------------------------------


def test_a_sample_protocol_treats_nobody_outside_a_sample_clinic() -> None:
    assert make(workflow_of(clinic(sample=False))).codes() == ["plan.sample"]


def test_the_clinics_own_protocol_treats_in_a_clinic_that_is_no_sample() -> None:
    case = azzalure()
    assert (case.flow.clinic.sample, case.plan.sample, case.codes()) == (False, False, [])


def test_every_reason_is_said_at_once() -> None:
    codes = made().codes(
        day_form=None, consents=(), authorisations=(), vials=(), approvals=(), operator="nurse-example"
    )
    # Without form and consent of the day only consultation form, template and protocol are left to approve.
    assert codes == [
        *["approval.missing"] * 3,
        "authorisation.missing",
        "consent.missing",
        "day_form.missing",
        "vial.missing",
    ]


def test_a_consent_text_that_was_retired_since_is_a_reason_not_a_failure() -> None:
    retired = {**content_document("pore.consent.treatment"), "id": "acme.consent.old", "status": "retired"}
    flow = workflow_of(clinic(), content=[retired])
    plan = changed(made().plan, consent_texts=[*made().plan.consent_texts, "acme.consent.old"])
    assert "consent.other_plan" in {reason.code for reason in made().ready(flow=flow, plan=plan).reasons}


def test_a_dose_that_was_amended_after_the_plan_counts_as_it_stands_now() -> None:
    seen: list[tuple[ToxinExposure, ...]] = []
    watching = plugin(pore_assess_suitability=lambda context: seen.append(context.history) or [])
    planned = ToxinExposure(
        given="here",
        treatment="earlier-1",
        date="2026-01-15",
        product="pore.product.bocouture-uk",
        unit_id="pore.unit.incobotulinumtoxina",
        units="20",
    )
    amended = changed(planned, units="40")
    flow = workflow_of(clinic(), plugins={"acme": watching})
    case = make(flow, history=[planned])
    assert seen[-1] == (planned,)
    case.ready(history=[amended])
    assert seen[-1] == (amended,)
