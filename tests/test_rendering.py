"""Sheets say what a practitioner must see, and mark what must not be treated with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from factories import (
    Made,
    azzalure,
    case_input,
    changed,
    clinic,
    doc,
    forehead,
    made,
    make,
    peel,
    plan_request,
    workflow,
    workflow_of,
)
from pore_plugin import rendering
from pore_plugin.contracts import FollowUpRequest, TreatmentRequest
from pore_plugin.demo import run_case
from test_workflow import walk

TITLES = workflow().region_titles("en")
NAMES = rendering.names_of(clinic(), (entry.model for entry in workflow().catalogue.entries), "en")


@cache
def sheets() -> dict[str, str]:
    """Every sheet that the three sample cases leave, by case and name."""
    found = {}
    for name in ("1-treated", "2-blocked", "3-review"):
        for sheet in run_case(workflow(), case_input(name), "en").sheets:
            found[f"{name}/{sheet.name}"] = sheet.markdown
    return found


def sheets_of(case: Made) -> dict[str, str]:
    """Every sheet of a case made by the factory."""
    walked = walk(case, *(["D2", "W4"] if case.plan.injection else ["W4"]))
    shown = {
        "plan": rendering.plan_sheet(case.plan, "en"),
        "treatment": rendering.treatment_sheet(walked.treatment, "en", NAMES, case.plan),
        "follow-up": rendering.follow_up_sheet(walked.follow_up, "en", sample=case.plan.sample),
        "readiness": rendering.readiness_sheet(walked.treatment.readiness, "en", NAMES, sample=case.plan.sample),
    }
    for number, text in enumerate(case.flow.consent_sheets(case.plan, "en")):
        shown[f"consent-text-{number}"] = rendering.consent_text_sheet(text)
    for review in walked.reviews:
        shown[f"review-{review.step}"] = rendering.review_sheet(review, "en", NAMES, sample=case.plan.sample)
    return shown


def rows(sheet: str) -> Iterator[list[str]]:
    for line in sheet.splitlines():
        if line.startswith("| "):
            yield [cell.strip().replace("*", "") for cell in line.strip("|").split("|")]


# -- marks ------------------------------------------------------------------------------------------------------


def test_every_sheet_of_a_sample_plan_says_sample() -> None:
    after_planning = {
        name: text
        for name, text in sheets().items()
        if text and name.partition("/")[2] not in ("consultation", "assessment", "day-form")
    }
    assert len(after_planning) > 10
    assert [name for name, text in after_planning.items() if "SAMPLE" not in text] == []


def test_a_clinics_own_protocol_says_no_sample() -> None:
    case = azzalure()
    assert [name for name, text in sheets_of(case).items() if "SAMPLE" in text] == []


def test_a_plan_that_nobody_approved_says_draft_and_so_do_its_consent_texts() -> None:
    for case, expected in ((make(approvals=[]), True), (made(), False)):
        texts = [rendering.plan_sheet(case.plan, "en")]
        texts += [rendering.consent_text_sheet(sheet) for sheet in case.flow.consent_sheets(case.plan, "en")]
        assert {"DRAFT" in text for text in texts} == {expected}


def test_a_shipped_form_says_draft() -> None:
    assert "DRAFT" in rendering.form_sheet(workflow().form().model, "en")


# -- nothing left open ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [made, forehead, peel, azzalure])
def test_no_placeholder_is_left_unfilled(case: Callable[[], Made]) -> None:
    shown = sheets_of(case())
    assert {name: re.findall(r"\{[^}]*\}", text) for name, text in shown.items() if "{" in text} == {}


def test_no_placeholder_is_left_unfilled_in_the_sample_cases() -> None:
    assert [name for name, text in sheets().items() if "{" in text] == []


@pytest.mark.parametrize("case", [made, forehead, peel, azzalure])
def test_no_sheet_shows_what_only_a_program_understands(case: Callable[[], Made]) -> None:
    for name, text in sheets_of(case()).items():
        for word in ("None", "Text(", "FrozenMap", "Figure(", "<pore_plugin"):
            assert word not in text.replace("None of these", ""), name


# -- the plan ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [made, forehead, azzalure])
def test_every_region_side_and_dose_of_the_plan_is_on_the_sheet(case: Callable[[], Made]) -> None:
    injection = case().plan.injection
    assert injection is not None
    shown = {tuple(row[:4]) for row in rows(rendering.plan_sheet(case().plan, "en"))}
    for region in injection.regions:
        place = dict(region.title)["en"] + (f", {region.side}" if region.side else "")
        assert (place, str(region.points), f"{region.volume.value} mL", f"{region.units.value} U") in shown


def test_the_plan_says_what_to_draw_up_what_is_left_and_that_it_is_off_label() -> None:
    sheet = rendering.plan_sheet(made().plan, "en").replace("*", "")
    for said in (
        "BOCOUTURE (incobotulinumtoxinA), 1 × 100 U vial",
        "add 5 mL bacteriostatic saline 0.9 % → 100 U in 5 mL = 20 U/mL",
        "20 U/mL = 2 U per 0.1 mL",
        "Total 66 U in 3.3 mL; left over 34 U in 1.7 mL",
        "Off-label use.",
        "Keep at least 2 cm above the orbital rim",
    ):
        assert said in sheet


def test_a_plan_without_injection_shows_its_figures_instead() -> None:
    sheet = rendering.plan_sheet(peel().plan, "en")
    assert ["Salicylic acid, concentration", "20 %"] in [row[:2] for row in rows(sheet)]
    assert "Draw up" not in sheet
    assert "Off-label" not in sheet


def test_aftercare_has_the_figure_that_holds_and_no_other() -> None:
    # From the protocol, where the template has none.
    assert "Protect the skin from the sun: 14 days." in rendering.plan_sheet(peel().plan, "en")
    # A suggestion that the clinic has not accepted is not printed as if it had.
    accepted = [s for s in clinic().policies.accepted_suggestions if not s.endswith("aftercare.no-rubbing")]
    flow = workflow_of(clinic(policies={"accepted_suggestions": accepted}))
    assert "massage the treated skin: 24 h." in rendering.plan_sheet(made().plan, "en")
    assert "massage the treated skin: not given." in rendering.plan_sheet(make(flow).plan, "en")


def test_what_is_unverified_says_so() -> None:
    sheet = rendering.plan_sheet(made().plan, "en")
    marked = {item.mark: dict(item.text)["en"] for item in made().plan.skin_preparation}
    assert f"{marked['M']} *(unverified)*" in sheet
    assert f"{marked['V']} *(unverified)*" not in sheet


def test_figures_that_nobody_gave_are_printed_as_not_given() -> None:
    protocol = {**made().flow.catalogue.pinned(made().plan.protocol).document, "id": "clinic.protocol.bare"}  # type: ignore[arg-type]
    protocol["parameters"] = [p for p in protocol["parameters"] if not p["key"].startswith("consumable.")]
    flow = workflow_of(clinic(), content=[protocol])
    sheet = rendering.plan_sheet(make(flow, protocol="clinic.protocol.bare").plan, "en")
    assert re.search(r"- Syringe 1 mL \(pieces\): .+ \(`consumable\.syringe-1ml`\)", sheet)
    assert "Syringe 1 mL: not given" in sheet


def test_the_anaesthetic_is_printed_with_its_contact_time() -> None:
    plan = make(anaesthetic="emla").plan
    assert "EMLA (lidocaine and prilocaine cream), contact time 60 min" in rendering.plan_sheet(plan, "en")


def test_missing_figures_come_with_unit_reason_and_source() -> None:
    result = workflow().plan(plan_request(workflow(), made().consultation, protocol=None))
    sheet = rendering.missing_sheet(result.missing, NAMES)
    for number in result.missing:
        [line] = [line for line in sheet.splitlines() if f"(`{number.key}`, `{number.unit}`)" in line]
        assert number.source in line
        assert sheet.index(number.reason) < sheet.index(line)
    assert "- **Cheek: volume per point**, in mL (`region.pore.region.cheek.volume_per_point`, `mL`)" in sheet
    assert "- **Needle gauge**, in G (`injection.needle_gauge`, `{gauge}`)" in sheet


# -- the verdict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("1-treated/assessment", "✓ CLEAR"),
        ("2-blocked/assessment", "■ BLOCK"),
        ("3-review/assessment-plan", "▲ REVIEW"),
        ("1-treated/readiness", "✓ Ready to treat"),
        ("3-review/readiness", "■ Not ready"),
    ],
)
def test_the_verdict_stands_in_the_first_line(sheet: str, said: str) -> None:
    assert said in sheets()[sheet].splitlines()[0]


def test_every_finding_stands_with_its_reason_place_and_source() -> None:
    run = run_case(workflow(), case_input("3-review"), "en")
    assert run.assessment is not None
    shown = {row[1]: row for row in rows(rendering.assessment_sheet(run.assessment, "en", NAMES)) if len(row) == 5}
    for finding in run.assessment.findings:
        row = shown[finding.code]
        assert dict(finding.message)["en"].split("|")[0][:40] in row[2]
        assert row[3]
        assert finding.mark in row[4]


def test_every_reason_not_to_treat_stands_with_what_to_do() -> None:
    readiness = made().ready(day_form=None, consents=(), vials=(), approvals=())
    sheet = rendering.readiness_sheet(readiness, "en", NAMES)
    for reason in readiness.reasons:
        assert re.search(
            rf"^- \*\*{re.escape(reason.sentence)}\*\* {re.escape(reason.next_step)}.*\(`{reason.code}`\)$", sheet, re.M
        )


# -- what was done ----------------------------------------------------------------------------------------------


def test_the_treatment_sheet_has_lot_expiry_and_every_dose() -> None:
    record = walk(made()).treatment
    shown = list(rows(rendering.treatment_sheet(record, "en", NAMES)))
    assert ["BOCOUTURE", "SAMPLE-LOT-7", "2027-03-31", "100 U", "66 U", "34 U"] in shown
    for dose in record.report.doses:
        place = TITLES[dose.region] + (f", {dose.side}" if dose.side else "")
        assert [place, str(dose.points), f"{dose.volume} mL", f"{dose.units} U"] in shown


@pytest.mark.parametrize(
    ("made_up", "said"),
    [
        ("2026-09-10T13:40:00+01:00", "0 h 21 min before the treatment"),
        ("2026-09-09T14:00:30+01:00", "24 h 0 min before the treatment"),
        # The clock shows the same, and an hour has passed.
        ("2026-09-10T14:01:00+02:00", "1 h 0 min before the treatment"),
        ("2026-09-10T14:01:00+01:00", "0 h 0 min before the treatment"),
        ("2026-09-10T14:11:00+01:00", "0 h 10 min after the beginning of the treatment"),
    ],
)
def test_the_treatment_sheet_says_how_long_before_it_a_vial_was_made_up(made_up: str, said: str) -> None:
    record = walk(made()).treatment
    (use,) = doc(record.report.vials)
    use["vial"]["reconstituted_at"] = made_up
    shown = changed(record, report={**doc(record.report), "vials": [use]})
    assert said in rendering.treatment_sheet(shown, "en", NAMES)


def test_a_corrected_record_says_which_one_it_corrects_who_did_it_and_why() -> None:
    record = walk(made()).treatment
    correction = {"reason": "The lot was misread.", "person": "dr-sample", "at": "2026-09-11T09:00:00+01:00"}
    report = {**doc(record.report), "amends": "treatment-0", "amendment": correction}
    sheet = rendering.treatment_sheet(changed(record, report=report), "en", NAMES)
    assert "**Corrects record treatment-0:** The lot was misread. (Dr Sam Sample (invented), Fri 11 Sep 2026" in sheet


def test_the_treatment_sheet_says_who_and_under_which_authorisation() -> None:
    sheet = rendering.treatment_sheet(walk(made()).treatment, "en", NAMES)
    for said in ("Operator: Nell Example (invented)", "Prescriber: Dr Sam Sample (invented)", "authorisation-1"):
        assert said in sheet


def test_deviations_policies_reactions_and_an_early_stop_are_printed() -> None:
    policy = {
        "lifts": "vial.second_patient",
        "text": "House policy, signed.",
        "signed_by": "dr-sample",
        "signed_on": "2026-09-01",
    }
    case = azzalure(policies={"label_policies": [policy]})
    vial = {**doc(case.vial), "used_for": ["patient-9"]}
    at = "2026-09-10T15:10:00+01:00"
    report = changed(
        case.report,
        doses=[],
        vials=[{**doc(case.report.vials[0]), "vial": vial, "used": "0", "wasted": "125"}],
        anaesthetic={"anaesthetic": "emla", "lot": "CREAM-9"},
        stopped_early="Felt faint.",
        deviations=[
            {"code": code, "reason": f"Reason for {code}.", "person": "dr-sample", "at": at}
            for code in ("consent.missing", "anaesthetic.differs")
        ],
    )
    request = TreatmentRequest(case=case.case_with(consents=()), report=report)
    sheet = rendering.treatment_sheet(case.flow.treat(request).treatment, "en", NAMES)
    for said in (
        "- Reason for consent.missing. (Dr Sam Sample (invented), ",
        "; `consent.missing`)",
        "House policy, signed.",
        "**Stopped early:** Felt faint.",
        "Anaesthetic: EMLA (lidocaine and prilocaine cream), lot CREAM-9",
    ):
        assert said in sheet
    assert "bleb (mild)" in sheets()["1-treated/treatment"]


# -- what follows -----------------------------------------------------------------------------------------------


def test_the_follow_up_sheet_has_every_step_the_window_and_the_card() -> None:
    plan = walk(made()).follow_up
    sheet = rendering.follow_up_sheet(plan, "en", sample=True)
    named = [row[0].removesuffix(" (required)") for row in rows(sheet)][2:]
    assert named == [step.step for step in plan.steps]
    for said in ("BOCOUTURE", "SAMPLE-LOT-7", "999", plan.retreat_not_before or "?"):
        assert said in sheet


def test_a_flag_comes_before_everything_else_of_a_review() -> None:
    [review] = walk(made(), "D2").reviews
    lines = [line for line in rendering.review_sheet(review, "en", NAMES).splitlines() if line]
    assert lines[1].startswith("**SAME-DAY: ")
    assert "+44 1632 960123" in lines[1]
    assert lines[2] == "## Tasks"


def test_a_bar_in_a_text_does_not_break_the_table() -> None:
    request = FollowUpRequest(treatment=walk(made()).treatment)
    plan = made().flow.follow_up(request).follow_up_plan
    first = plan.steps[0].model_copy(update={"title": {"en": "One | two\nthree"}})
    sheet = rendering.follow_up_sheet(plan.model_copy(update={"steps": (first,)}), "en")
    [row] = [line for line in sheet.splitlines() if "One" in line]
    assert len(re.split(r"(?<!\\)\|", row)) == 7


def test_the_treatment_sheet_has_every_point_and_all_that_is_known_of_the_vial() -> None:
    case = made()
    marked = [{"region": "pore.region.nose", "chart": "pore.chart.frontal", "x": "0.51", "y": "0.62", "units": "0.4"}]
    record = case.flow.treat(TreatmentRequest(case=case.case, report=changed(case.report, points=marked))).treatment
    sheet = rendering.treatment_sheet(record, "en", NAMES)
    assert "| Nose | frontal | 0.51 | 0.62 | 0.4 |" in sheet
    vial = record.report.vials[0].vial
    assert "with 5 mL bacteriostatic saline 0.9 %" in sheet
    for known in (vial.lot, vial.expiry, vial.supplier, vial.storage_log):
        assert known is not None
        assert known in sheet


# -- words, not keys --------------------------------------------------------------------------------------------

KEYS = re.compile(
    r"pore\.(?!protocol|consent|form|instrument)[a-z]+\.[a-z-]+|\b(?:parameter|region|dilution)\.\w+|nurse-example"
)


@pytest.mark.parametrize("case", [made, forehead, peel, azzalure])
def test_sheets_speak_in_words_where_records_have_ids_and_keys(case: Callable[[], Made]) -> None:
    shown = sheets_of(case())
    assert {name: KEYS.findall(text) for name, text in shown.items() if KEYS.search(text)} == {}


def test_the_figures_behind_the_doses_stand_by_place_under_their_source() -> None:
    lines = rendering.plan_sheet(made().plan, "en").splitlines()
    start = lines.index("## Behind the doses")
    assert lines[start + 2 : start + 5] == ["From the protocol:", "", "- Vial: 100 U of BOCOUTURE"]
    assert "- Cheek, left: points 45, volume 0.9 mL" in lines
    assert "| Needle gauge | 31 G | protocol |" in lines


def test_the_steps_and_figures_of_a_treatment_have_the_titles_of_its_plan() -> None:
    record = walk(made()).treatment
    sheet = rendering.treatment_sheet(record, "en", NAMES, made().plan)
    assert "- [x] Identity and age" in sheet
    assert "| Observation after the last point | 20 min |" in sheet
    without = rendering.treatment_sheet(record, "en", rendering.Names())
    assert "| Observation time | 20 min |" in without
    assert "Operator: nurse-example" in without


def test_a_trend_has_the_title_of_its_instrument_and_its_change_in_words() -> None:
    sheet = sheets()["1-treated/review-2-w4"]
    assert "## Patient's view of the pores, visual analogue scale" in sheet
    shown = [row[1:] for row in rows(sheet)]
    assert ["3", "—", "baseline"] in shown
    assert ["4", "+1", "better"] in shown


def test_certainty_stands_in_words() -> None:
    assert "Certainty: low, findings inconsistent." in rendering.plan_sheet(made().plan, "en")


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("1", "{layer}", "1 layer"),
        ("2", "{layer}", "2 layers"),
        ("31", "{gauge}", "31 G"),
        ("10", "deg", "10°"),
        ("4", "{piece}", "4 pieces"),
        ("14", "d", "14 days"),
        ("100", "pore.unit.bocouture", "100 U"),
        ("148", "ug/cm2", "148 µg/cm²"),
        ("0.8", "mL", "0.8 mL"),
    ],
)
def test_units_are_written_for_people(value: str, unit: str, said: str) -> None:
    assert rendering.amount(value, unit) == said


def test_a_record_that_names_what_is_not_known_here_keeps_its_ids() -> None:
    names = rendering.names_of(clinic(), (), "en")
    sheet = rendering.treatment_sheet(walk(made()).treatment, "en", names)
    assert "| pore.product.bocouture-uk | SAMPLE-LOT-7 |" in sheet


def test_a_sheet_is_marked_as_sample_once() -> None:
    marked = rendering.mark_sample("# Title\n\nText.\n")
    assert marked.splitlines()[2].startswith("> **SAMPLE**")
    assert rendering.mark_sample(marked) == marked


def test_a_form_says_in_words_when_a_question_is_asked() -> None:
    sheet = rendering.form_sheet(workflow().form().model, "en")
    assert "*Only if “Have you ever had a botulinum toxin injection, for any reason?” is yes.*" in sheet
    assert "*only if “What do you use on your face?” is anything but “Nothing”*" in sheet
    assert "*only if “Where? Mark every place.” is forehead*" in sheet
    assert "*only if “Photographs” is answered*" in sheet
    # Another option that is no reason to ask may stand beside one that is: then those that are one are listed.
    assert "*only if “Which scores were taken today?” is “HautAI pore score” or “Chowis pore score” or " in sheet
    assert "pore.q." not in sheet
