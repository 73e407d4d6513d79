"""A treatment that happened is always recorded; what spoke against it or differs is said with reason and person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from factories import (
    CANARY,
    Made,
    azzalure,
    changed,
    clinic,
    consultation,
    day_form,
    doc,
    made,
    make,
    peel,
    plan_request,
    workflow_of,
)
from pore_plugin.clinical.treatment.amending import amendment_faults, series
from pore_plugin.clinical.treatment.treating import differences
from pore_plugin.contracts import (
    FollowUpRequest,
    ProblemsError,
    TreatmentRecord,
    TreatmentReport,
    TreatmentRequest,
    TreatmentResult,
)
from pore_plugin.validation import check, problems


def treat(case: Made, report: TreatmentReport | None = None, **records: Any) -> TreatmentResult:
    """Record the treatment of a case, with another report or other records in the case file."""
    file = case.case_with(**records) if records else case.case
    return case.flow.treat(TreatmentRequest(case=file, report=report or case.report))


def refused(case: Made, report: TreatmentReport | None = None, **records: Any) -> list[tuple[str, str]]:
    """Return code and pointer of every problem; for a missing deviation the code that it must have."""
    with pytest.raises(ProblemsError) as caught:
        treat(case, report, **records)
    return [
        (problem.sentence.partition(":")[0] if problem.code == "deviation.missing" else problem.code, problem.pointer)
        for problem in caught.value.problems
    ]


def deviations(*codes: str) -> list[dict[str, str]]:
    at = "2026-09-10T15:10:00+01:00"
    return [{"code": code, "reason": "It happened so.", "person": "dr-sample", "at": at} for code in codes]


def unexplained(*codes: str) -> list[tuple[str, str]]:
    return [(code, "/report/deviations") for code in codes]


def doses_of(case: Made) -> list[dict[str, Any]]:
    return [dict(dose) for dose in doc(case.report.doses)]


def vials_of(case: Made, **figures: Any) -> list[dict[str, Any]]:
    return [{**doc(case.report.vials[0]), **figures}]


# -- as planned -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [made, peel, azzalure])
def test_what_went_as_planned_is_recorded_without_deviation(case: Callable[[], Made]) -> None:
    made_case = case()
    record = treat(made_case).treatment
    assert record.report == made_case.report
    assert (record.readiness.ready, record.report.deviations, record.findings) == (True, (), ())
    assert record.consents == (made_case.consent.id,)
    assert (record.plan, record.template) == (made_case.plan_pin, made_case.plan.template)


def test_the_record_says_under_which_authorisation_it_was_done() -> None:
    assert treat(made()).treatment.authorisation == "authorisation-1"
    alone = changed(made().report, operator="dr-sample")
    assert treat(made(), alone, authorisations=()).treatment.authorisation is None


def test_the_record_keeps_the_clinics_day_and_the_sample_mark() -> None:
    record = treat(made()).treatment
    assert (record.date, record.sample) == ("2026-09-10", True)
    assert treat(azzalure()).treatment.sample is False


# -- what spoke against it --------------------------------------------------------------------------------------


def test_treating_in_spite_of_a_reason_needs_a_deviation_for_each() -> None:
    report = changed(made().report)
    without = {"day_form": None, "consents": (), "authorisations": ()}
    codes = ["day_form.missing", "consent.missing", "authorisation.missing"]
    assert refused(made(), report, **without) == unexplained(*codes)
    assert refused(made(), changed(report, deviations=deviations(*codes[:2])), **without) == unexplained(codes[2])
    record = treat(made(), changed(report, deviations=deviations(*codes)), **without).treatment
    assert [reason.code for reason in record.readiness.reasons] == codes
    assert record.readiness.ready is False
    assert [deviation.code for deviation in record.report.deviations] == codes
    assert record.consents == ()


def test_several_reasons_of_one_code_need_one_deviation() -> None:
    assert refused(made(), approvals=()) == unexplained("approval.missing")
    record = treat(made(), changed(made().report, deviations=deviations("approval.missing")), approvals=()).treatment
    assert len(record.readiness.reasons) == 5


def test_even_a_block_stops_the_needle_and_not_the_record() -> None:
    pregnant = day_form(answers={"pregnancy": ["pregnant"]})
    assert refused(made(), day_form=pregnant) == unexplained("finding.preg")
    report = changed(made().report, deviations=deviations("finding.preg"))
    record = treat(made(), report, day_form=pregnant).treatment
    assert [finding.code for finding in record.findings] == ["PREG"]


def test_a_deviation_has_a_reason_and_a_person_of_the_clinic() -> None:
    for missing in ("reason", "person", "at"):
        [deviation] = deviations("consent.missing")
        del deviation[missing]
        document = {**doc(made().report), "deviations": [deviation]}
        assert [p.code for p in problems("treatment-report", document)] == ["schema.required"]
    [deviation] = deviations("consent.missing")
    report = changed(made().report, deviations=[{**deviation, "person": "nobody"}])
    assert refused(made(), report, consents=()) == [("treatment.person", "/report/deviations/0/person")]


def test_the_vial_in_the_report_is_the_one_that_is_looked_at() -> None:
    expired = {**doc(made().vial), "expiry": "2026-09-01"}
    report = changed(made().report, vials=vials_of(made(), vial=expired))
    assert refused(made(), report) == unexplained("vial.expired")
    assert treat(made(), changed(report, deviations=deviations("vial.expired"))).treatment.report.vials[0].vial.expiry


def test_reasons_hold_at_the_beginning_of_the_treatment() -> None:
    # The cooling-off of this consent ended between its first and its last point.
    later = changed(made().consent, cooling_off_ends="2026-09-10T14:30:00+01:00")
    assert refused(made(), consents=[later]) == unexplained("consent.cooling_off")


# -- differences from the plan ----------------------------------------------------------------------------------


def with_dose(position: int, **figures: Any) -> Callable[[Made], dict[str, Any]]:
    def members(case: Made) -> dict[str, Any]:
        doses = doses_of(case)
        doses[position] |= figures
        return {"doses": doses}

    return members


def more_in_one_region(case: Made) -> dict[str, Any]:
    more = with_dose(4, volume="0.45", units="9")(case)
    return more | {"vials": vials_of(case, used="67", wasted="33")}


def less_in_one_region(case: Made) -> dict[str, Any]:
    less = with_dose(4, volume="0.35", units="7")(case)
    return less | {"vials": vials_of(case, used="65", wasted="35")}


def a_region_left_out(case: Made) -> dict[str, Any]:
    return {"doses": doses_of(case)[:-1], "vials": vials_of(case, used="58", wasted="42")}


def a_region_that_was_not_planned(case: Made) -> dict[str, Any]:
    extra = {"region": "pore.region.glabella", "points": 1, "volume": "0.05", "units": "1"}
    return {"doses": [*doses_of(case), extra], "vials": vials_of(case, used="67", wasted="33")}


def without_a_step(case: Made) -> dict[str, Any]:
    return {"steps": [step for step in doc(case.report.steps) if step["step"] != "observe"]}


def with_a_step_not_done(case: Made) -> dict[str, Any]:
    return {"steps": [{**s, "done": s["step"] != "observe"} for s in doc(case.report.steps)]}


def without_a_record(case: Made) -> dict[str, Any]:
    return {"steps": [{**s, "records": s["records"][:1]} for s in doc(case.report.steps)]}


def another_figure(case: Made) -> dict[str, Any]:
    return {"parameters": [{**doc(case.report.parameters[0]), "value": "5"}]}


def another_unit(case: Made) -> dict[str, Any]:
    return {"parameters": [{**doc(case.report.parameters[0]), "unit": "h"}]}


def no_figure(_: Made) -> dict[str, Any]:
    return {"parameters": []}


def an_anaesthetic(_: Made) -> dict[str, Any]:
    return {"anaesthetic": {"anaesthetic": "emla", "lot": "SAMPLE-LOT-8"}}


def an_anaesthetic_without_its_lot(_: Made) -> dict[str, Any]:
    return {"anaesthetic": {"anaesthetic": "emla"}}


def a_vial_without_its_papers(case: Made) -> dict[str, Any]:
    vial = {key: value for key, value in doc(case.vial).items() if key not in ("supplier", "reconstituted_at")}
    return {"vials": vials_of(case, vial=vial)}


@pytest.mark.parametrize(
    ("members", "codes"),
    [
        # More in one region is also above what the prescriber authorised there.
        (more_in_one_region, ["authorisation.exceeded", "dose.differs"]),
        (less_in_one_region, ["dose.differs"]),
        (a_region_left_out, ["dose.differs"]),
        (a_region_that_was_not_planned, ["authorisation.exceeded", "dose.differs"]),
        (with_dose(0, volume="0.7"), ["dose.volume"]),
        (lambda case: {"vials": vials_of(case, used="60", wasted="40")}, ["dose.sum"]),
        (without_a_step, ["step.missing"]),
        (with_a_step_not_done, ["step.missing"]),
        (without_a_record, ["record.missing"]),
        (another_figure, ["parameter.differs"]),
        (another_unit, ["parameter.differs"]),
        (no_figure, ["parameter.differs"]),
        (an_anaesthetic, ["anaesthetic.differs"]),
        (an_anaesthetic_without_its_lot, ["anaesthetic.differs", "anaesthetic.record"]),
        (a_vial_without_its_papers, ["vial.record"]),
    ],
)
def test_each_difference_needs_a_deviation_of_its_own(
    members: Callable[[Made], dict[str, Any]], codes: list[str]
) -> None:
    report = changed(made().report, **members(made()))
    assert sorted(refused(made(), report)) == unexplained(*codes)
    explained = changed(report, deviations=deviations(*codes))
    assert treat(made(), explained).treatment.report == explained


def test_a_difference_names_the_regions() -> None:
    [difference] = differences(changed(made().report, **less_in_one_region(made())), made().plan)
    assert [(where.region, where.side) for where in difference.regions] == [("pore.region.chin", None)]


def test_units_are_compared_as_numbers_of_the_plans_own_unit() -> None:
    injection = made().plan.injection
    assert injection is not None
    given = {(dose.region, dose.side): dose.units for dose in made().report.doses}
    assert given == {(region.region, region.side): region.units.value for region in injection.regions}


def test_nothing_given_is_recorded_as_stopped_before_the_first_point() -> None:
    report = changed(
        made().report,
        doses=[],
        vials=vials_of(made(), used="0", wasted="100"),
        points=[],
        stopped_early="Felt faint before the first point.",
    )
    record = treat(made(), report).treatment
    assert record.report.stopped_early == "Felt faint before the first point."
    assert record.findings == ()


# -- stopped part-way -------------------------------------------------------------------------------------------


def test_a_treatment_stopped_part_way_is_recorded_with_its_waste() -> None:
    begun = [step for step in doc(made().report.steps) if step["step"] in ("identity", "day-form", "vial")]
    report = changed(
        made().report,
        doses=doses_of(made())[:1],
        vials=vials_of(made(), used="16", wasted="84"),
        steps=begun,
        parameters=[],
        stopped_early="Vasovagal reaction.",
    )
    record = treat(made(), report).treatment
    assert record.report.vials[0].wasted == "84"
    assert record.report.deviations == ()


def test_stopping_explains_what_was_left_out_and_not_what_was_too_much() -> None:
    report = changed(made().report, **more_in_one_region(made()), stopped_early="Vasovagal reaction.")
    assert sorted(refused(made(), report)) == unexplained("authorisation.exceeded", "dose.differs")


def test_stopping_does_not_explain_sums_that_do_not_fit() -> None:
    report = changed(made().report, doses=doses_of(made())[:1], stopped_early="Vasovagal reaction.")
    assert refused(made(), report) == unexplained("dose.sum")


def point(region: str, **members: Any) -> dict[str, Any]:
    whole = {"region": region, "chart": "pore.chart.frontal", "x": "0.5", "y": "0.5", **members}
    return {name: value for name, value in whole.items() if value is not None}


# -- faults, to be corrected ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (lambda _: {"ended_at": "2026-09-10T14:00:59+01:00"}, [("treatment.time_order", "/report/ended_at")]),
        (with_dose(0, region="pore.region.elbow"), [("treatment.region", "/report/doses/0/region")]),
        (with_dose(0, side="left"), [("treatment.side", "/report/doses/0")]),
        (
            lambda case: {"points": [point("pore.region.elbow")]},
            [("treatment.point", "/report/points/0")],
        ),
        (
            lambda case: {"points": [point("pore.region.chin", chart="pore.chart.back")]},
            [("treatment.point", "/report/points/0")],
        ),
        (lambda case: {"points": [point("pore.region.cheek")]}, [("treatment.side", "/report/points/0")]),
        (lambda case: {"points": [point("pore.region.chin", side="left")]}, [("treatment.side", "/report/points/0")]),
        (
            lambda case: {
                "vials": [
                    *vials_of(case, drawn="50", used="33", wasted="17"),
                    *[
                        {**use, "vial": {**use["vial"], "lot": "OTHER-1"}}
                        for use in vials_of(case, drawn="50", used="33", wasted="17")
                    ],
                ]
            },
            [("treatment.vial_twice", "/report/vials/1/vial")],
        ),
        (
            lambda case: {
                "amends": "treatment-0",
                "amendment": {"reason": "Typed wrongly.", "person": "nobody", "at": "2026-09-11T09:00:00+01:00"},
            },
            [("treatment.person", "/report/amendment/person")],
        ),
        (lambda _: {"prescriber": "nobody"}, [("treatment.prescriber", "/report/prescriber")]),
        (lambda _: {"prescriber": "nurse-example"}, [("treatment.prescriber", "/report/prescriber")]),
        (
            lambda case: {"steps": [*doc(case.report.steps), {"step": "dance", "done": True}]},
            [("treatment.step", f"/report/steps/{len(made().report.steps)}/step")],
        ),
        (lambda case: {"vials": vials_of(case, wasted="35")}, [("treatment.vial_sum", "/report/vials/0")]),
        (
            lambda case: {"vials": vials_of(case, drawn="101", wasted="35")},
            [("treatment.overdrawn", "/report/vials/0/drawn")],
        ),
    ],
)
def test_a_report_that_cannot_be_read_is_corrected_and_not_explained(
    members: Callable[[Made], dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    report = changed(made().report, **members(made()))
    found = refused(made(), report)
    assert [item for item in found if item[1] != "/report/deviations"] == expected
    codes = [code for code, pointer in found if pointer == "/report/deviations"]
    assert refused(made(), changed(report, deviations=deviations(*codes))) == expected


def test_an_injected_point_stands_on_a_named_chart() -> None:
    for left_out in ("chart", "x", "y"):
        whole = {**doc(made().report), "points": [point("pore.region.chin", **{left_out: None})]}
        assert problems("treatment-report", whole)
    with pytest.raises(ProblemsError) as caught:
        changed(made().report, points=[{"region": "pore.region.chin"}])
    assert [problem.code for problem in caught.value.problems] == ["treatment.point"]
    report = changed(made().report, points=[point("pore.region.chin", x="0", y="1")])
    assert treat(made(), report).treatment.report.points == report.points


def test_a_point_where_nothing_was_injected_needs_a_deviation_and_is_named() -> None:
    report = changed(made().report, points=[point("pore.region.perioral"), point("pore.region.chin")])
    assert refused(made(), report) == unexplained("point.differs")
    (found,) = differences(report, made().plan)
    assert [region.region for region in found.regions] == ["pore.region.perioral"]
    assert (
        treat(made(), changed(report, deviations=deviations("point.differs"))).treatment.report.points == report.points
    )


def test_one_vial_may_be_drawn_from_twice() -> None:
    share = vials_of(made(), drawn="50", used="33", wasted="17")
    assert treat(made(), changed(made().report, vials=[*share, *share])).treatment.report.vials


def test_doses_come_out_of_a_vial() -> None:
    found = refused(made(), changed(made().report, vials=[]))
    assert ("treatment.vial_missing", "/report/vials") in found


def test_a_procedure_without_injection_has_no_doses() -> None:
    report = changed(peel().report, doses=[{"region": "pore.region.chin", "points": 1, "volume": "0", "units": "0"}])
    assert ("treatment.no_injection", "/report/doses") in refused(peel(), report)


def test_all_faults_and_missing_deviations_are_said_at_once() -> None:
    report = changed(made().report, prescriber="nobody", ended_at="2026-09-10T14:00:59+01:00", parameters=[])
    found = {code for code, _ in refused(made(), report, day_form=None)}
    assert {"treatment.prescriber", "treatment.time_order", "parameter.differs", "day_form.missing"} <= found


def test_a_refusal_loses_nothing_and_repeats_nothing() -> None:
    report = changed(made().report, parameters=[], reactions=[{"code": "bleb", "severity": "mild", "note": CANARY}])
    before = report.to_json()
    with pytest.raises(ProblemsError) as caught:
        treat(made(), report)
    assert report.to_json() == before
    said = str(caught.value) + repr(caught.value) + "".join(p.to_json().decode() for p in caught.value.problems)
    assert CANARY not in said


# -- findings on what was given ---------------------------------------------------------------------------------


def dosed(units: str) -> Made:
    """A clinic whose own figure for the chin lies between the planned 8 U and what may be given."""
    figure = {"product": "pore.product.bocouture-uk", "region": "pore.region.chin", "units": units, "reason": "House"}
    return make(workflow_of(clinic(policies={"dose_figures": [figure]})))


def test_a_dose_above_the_figure_is_found_on_the_record_although_the_plan_was_below() -> None:
    case = dosed("8.5")
    assert treat(case).treatment.findings == ()
    report = changed(case.report, **more_in_one_region(case), operator="dr-sample")
    report = changed(report, deviations=deviations("dose.differs"))
    record = treat(case, report).treatment
    assert [(f.code, [r.region for r in f.regions]) for f in record.findings] == [("REGION_DOSE", ["pore.region.chin"])]


def test_a_dose_below_the_figure_is_not_found_although_the_plan_was_above() -> None:
    case = dosed("7.5")
    report = changed(case.report, **less_in_one_region(case))
    record = treat(case, changed(report, deviations=deviations("dose.differs", "finding.region_dose"))).treatment
    assert record.findings == ()


# -- amending ---------------------------------------------------------------------------------------------------


def amending(report: TreatmentReport, **members: Any) -> TreatmentReport:
    correction = {"reason": "Typed wrongly.", "person": "dr-sample", "at": "2026-09-11T09:00:00+01:00"}
    return changed(report, **{"amends": "treatment-1", "amendment": correction, **members})


def test_a_record_is_amended_by_another_one_and_both_are_kept() -> None:
    first = treat(made()).treatment
    kept = first.to_json()
    report = amending(made().report, id="treatment-1b", reactions=[])
    second = treat(made(), report).treatment
    assert (second.id, second.report.amends) == ("treatment-1b", "treatment-1")
    assert first.to_json() == kept


def keys(record: TreatmentRecord, case: Made) -> dict[str, str]:
    plan = case.flow.follow_up(FollowUpRequest(treatment=record)).follow_up_plan
    return {step.step: step.key for step in plan.steps}


def test_an_amendment_moves_no_patient_to_a_second_series_of_visits() -> None:
    first = treat(made()).treatment
    second = treat(made(), amending(made().report, id="treatment-1b")).treatment
    assert keys(first, made()) == keys(second, made())
    other = treat(made(), changed(made().report, id="treatment-2")).treatment
    assert set(keys(first, made()).values()).isdisjoint(keys(other, made()).values())


def test_a_correction_has_a_reason_and_a_person() -> None:
    for left_out in ("amends", "amendment"):
        with pytest.raises(ProblemsError) as caught:
            amending(made().report, id="treatment-1b", **{left_out: None})
        assert [problem.code for problem in caught.value.problems] == ["treatment.amendment"]
    with pytest.raises(ProblemsError) as caught:
        amending(made().report)
    assert [problem.code for problem in caught.value.problems] == ["treatment.amends_itself"]


def test_a_correction_may_say_that_somebody_else_treated() -> None:
    report = amending(made().report, id="treatment-1b", operator="dr-sample")
    record = treat(made(), report).treatment
    assert (record.report.operator, record.authorisation) == ("dr-sample", None)
    # Who treated is asked for what every operator is asked for, and who corrects need not be the one who treated.
    report = amending(made().report, id="treatment-1b", operator="dr-sample", prescriber="dr-sample")
    assert "authorisation.missing" not in dict(refused(made(), changed(report, operator="nobody")))
    assert refused(made(), changed(report, operator="nobody")) == unexplained("operator.unknown")


def faults(report: TreatmentReport, first: TreatmentRecord | None) -> list[tuple[str, str]]:
    return [(one.code, one.pointer) for one in amendment_faults(report, made().plan, first)]


def test_a_correction_names_the_first_record_of_the_same_patient() -> None:
    first = treat(made()).treatment
    report = amending(made().report, id="treatment-1b")
    second = treat(made(), report).treatment
    assert faults(made().report, None) == []
    assert faults(report, first) == []
    assert faults(report, None) == [("treatment.amends_unknown", "/report/amends")]
    assert faults(amending(report, id="treatment-1c", amends="treatment-1b"), second) == [
        ("treatment.amends_amendment", "/report/amends")
    ]
    for other in ({"patient": "patient-9"}, {"clinic": "clinic-2"}):
        assert faults(report, changed(first, **other)) == [("treatment.amends_patient", "/report/amends")]
    early = {"reason": "Typed wrongly.", "person": "dr-sample", "at": "2026-09-10T15:07:59+01:00"}
    assert faults(changed(report, amendment=early), first) == [("treatment.amends_early", "/report/amendment/at")]


def test_the_step_after_a_wrong_correction_names_the_right_record() -> None:
    second = treat(made(), amending(made().report, id="treatment-1b")).treatment
    (fault,) = amendment_faults(amending(made().report, id="treatment-1c", amends="treatment-1b"), made().plan, second)
    assert fault.next_step == "Name the first record of the treatment: treatment-1."


def test_the_records_of_a_treatment_stay_together_and_the_last_one_holds() -> None:
    first = treat(made()).treatment
    second, third = (treat(made(), amending(made().report, id=f"treatment-1{n}")).treatment for n in "bc")
    other = treat(made(), changed(made().report, id="treatment-2")).treatment
    assert series([first, other, second, third]) == ((first, second, third), (other,))
    assert series([]) == ()


# -- events -----------------------------------------------------------------------------------------------------


def test_a_treatment_says_that_it_was_recorded_and_a_deviation_that_there_was_one() -> None:
    assert kinds(treat(made())) == ["treatment.recorded"]
    report = changed(made().report, deviations=deviations("consent.missing"))
    assert kinds(treat(made(), report, consents=())) == ["treatment.recorded", "deviation.recorded"]


def kinds(result: TreatmentResult) -> list[str]:
    return [event.type for event in result.events]


# -- what should not have happened ------------------------------------------------------------------------------


def test_a_treatment_in_spite_of_a_block_is_planned_for_the_record_and_recorded_with_deviations() -> None:
    flow = workflow_of(clinic())
    answers = {"pregnancy": ["possible"]}
    assert flow.plan(plan_request(flow, consultation(flow, answers=answers))).plan is None, "a block stops the plan"
    case = make(flow, answers=answers, for_record=True)
    codes = case.codes()
    assert {"finding.preg", "plan.for_record"} <= set(codes)
    assert refused(case) == unexplained(*dict.fromkeys(reason.code for reason in case.ready().reasons))
    report = changed(case.report, deviations=deviations(*sorted(set(codes))))
    record = treat(case, report).treatment
    assert "PREG" in {finding.code for finding in record.findings}
    assert not record.readiness.ready


def test_a_treatment_that_nobody_prescribed_is_recorded_with_a_deviation() -> None:
    case = made()
    document = doc(case.report)
    del document["prescriber"]
    report = check(TreatmentReport, document).model
    assert refused(case, report) == unexplained("prescriber.missing")
    explained = check(TreatmentReport, {**document, "deviations": deviations("prescriber.missing")}).model
    assert treat(case, explained).treatment.report.prescriber is None


def test_another_product_than_planned_is_recorded_as_the_product_that_was_given() -> None:
    case = made()
    vials = vials_of(case)
    vials[0]["vial"] = {**vials[0]["vial"], "product": "pore.product.nuceiva-uk"}
    report = changed(case.report, vials=vials, deviations=deviations("vial.product"))
    record = treat(case, report).treatment
    assert record.product is not None
    assert record.product.id == "pore.product.nuceiva-uk"
    assert case.plan.product_id == "pore.product.bocouture-uk"


def test_two_products_in_one_record_are_refused_since_their_units_never_add_up() -> None:
    case = made()
    [one] = vials_of(case, drawn="50", used="33", wasted="17")
    other = {**one, "vial": {**one["vial"], "id": "vial-2", "product": "pore.product.nuceiva-uk"}}
    report = changed(case.report, vials=[one, other], deviations=deviations("vial.product"))
    assert refused(case, report) == [("treatment.two_products", "/report/vials")]
