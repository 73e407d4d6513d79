"""Only approved content can be treated with: from an imported file to the gate, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import practice_library as given
from factories import DAY_FORM, Made, case_input, consultation, content_document, day_form, doc, report_of
from hook_plugins import plugin
from pore_plugin import check
from pore_plugin.contracts import (
    CaseFile,
    ConsentRequest,
    Consultation,
    FollowUpRequest,
    PlanRequest,
    ReadinessRequest,
    TreatmentRequest,
)
from pore_plugin.practice import Desk, Records
from pore_plugin.practice.library import Library
from pore_plugin.rendering import form_sheet, plan_sheet
from pore_plugin.storage import Database
from practice_library import PEEL, PRESCRIBER, Clock, desk_at

PROTOCOL = "acme.protocol.peel"
FORM = "pore.form.consultation"
CONSENT = "pore.consent.peel"
DAY = datetime(2026, 9, 10, 13, 1, tzinfo=UTC)
QUESTION = {
    "section": "acme.section",
    "section_title": {"en": "More"},
    "question": {"id": "acme.q.sleep", "type": "boolean", "text": {"en": "Do you sleep well?"}, "required": False},
}
NEEDED = [FORM, DAY_FORM, PEEL, PROTOCOL, CONSENT]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    protocol = {**content_document("pore.protocol.sample-salicylic-peel"), "id": PROTOCOL, "template": PEEL}
    given.write(tmp_path / "in" / "protocol.json", protocol)
    given.write(tmp_path / "in" / "peel.json", given.template())
    return tmp_path / "in"


def made(desk: Desk) -> Made:
    """Consult, plan with the clinic's own template, consent: as far as the day of treatment."""
    records = Records(desk)
    response = consultation(desk.workflow)
    records.submit(response)
    planned = records.plan(
        PlanRequest(
            consultation=response,
            template=PEEL,
            protocol=PROTOCOL,
            treatment_date="2026-09-10",
            at="2026-09-07T10:36:00+01:00",
        )
    )
    assert planned.plan is not None
    wish = {**case_input()["consent"], "plan": doc(planned.plan)}
    consent = records.consent(check(ConsentRequest, wish).model).consent
    case = CaseFile(
        consultation=response,
        assessment=planned.assessment,
        plan=planned.plan,
        day_form=day_form(desk.workflow),
        consents=(consent,),
    )
    return Made(desk.workflow, response, planned, planned.plan, case, report_of(planned.plan, ()))


def lacks(desk: Desk, case: Made, at: str = "2026-09-10T14:01:00+01:00") -> list[str]:
    """Return what is not approved at that moment; nothing else may speak against the treatment."""
    readiness = Records(desk).ready(ReadinessRequest(case=case.case, operator=PRESCRIBER, at=at))
    assert {reason.code for reason in readiness.reasons} <= {"approval.missing"}
    assert readiness.ready is not bool(readiness.reasons)
    return [reason.sentence for reason in readiness.reasons]


def test_an_imported_template_is_planned_as_a_draft_and_treated_with_while_it_is_approved(
    database: Database, clock: Clock, folder: Path
) -> None:
    desk = desk_at(database, clock)
    library = Library(desk)
    assert library.import_([folder]).applied
    draft = made(desk)
    assert draft.plan.draft
    assert "DRAFT" in plan_sheet(draft.plan, "en")
    clock.now = DAY
    assert len(lacks(desk, draft)) == len(NEEDED)
    library.approve([one for one in NEEDED if one != PEEL], person=PRESCRIBER, until="2026-09-30")
    (left,) = lacks(desk, draft, "2026-09-10T14:01:01+01:00")
    assert left.startswith(f"{PEEL} 1.0.0 is not approved")
    library.approve([PEEL], person=PRESCRIBER, until="2026-09-30")
    assert lacks(desk, draft, "2026-09-10T14:01:02+01:00") == []
    library.withdraw([PEEL], why="A mistake in it.")
    (withdrawn,) = lacks(desk, draft, "2026-09-10T14:01:03+01:00")
    assert "withdrawn" in withdrawn


@pytest.mark.parametrize(("until", "holds"), [("2026-09-10", True), ("2026-09-09", False)])
def test_an_approval_holds_to_the_end_of_its_last_day_and_no_longer(
    database: Database, clock: Clock, folder: Path, until: str, holds: bool
) -> None:
    desk = desk_at(database, clock)
    library = Library(desk)
    library.import_([folder])
    library.approve([one for one in NEEDED if one != PEEL], person=PRESCRIBER, until="2026-09-30")
    library.approve([PEEL], person=PRESCRIBER, until=until)
    case = made(desk)
    assert not case.plan.draft
    clock.now = DAY
    missing = lacks(desk, case)
    assert missing == [] if holds else [f"{until} was its last day" in one for one in missing] == [True]


def test_what_somebody_approved_who_left_is_not_treated_with_until_somebody_else_approves_it(
    database: Database, clock: Clock, folder: Path
) -> None:
    desk = desk_at(database, clock, given.with_second_prescriber())
    library = Library(desk)
    library.import_([folder])
    library.approve([one for one in NEEDED if one != PEEL], person="dr-second", until="2026-09-30")
    library.approve([PEEL], person=PRESCRIBER, until="2026-09-30")
    case = made(desk)
    clock.now = DAY
    assert lacks(desk, case) == []
    nurse = [
        {**person.to_document(), "roles": ["operator"]} if person.id == PRESCRIBER else person.to_document()
        for person in given.with_second_prescriber().people
    ]
    after = desk_at(database, clock, given.clinic(people=nurse), actor="dr-second")
    readiness = Records(after).ready(
        ReadinessRequest(case=case.case, operator="dr-second", at="2026-09-10T14:01:00+01:00")
    )
    missing = [reason.sentence for reason in readiness.reasons if reason.code == "approval.missing"]
    assert [sentence.partition(" ")[0] for sentence in missing] == [PEEL]
    Library(after).hand_over(leaver=PRESCRIBER, person="dr-second", until="2026-09-30")
    assert lacks_approval(after, case) == []


def lacks_approval(desk: Desk, case: Made) -> list[str]:
    request = ReadinessRequest(case=case.case, operator="dr-second", at="2026-09-10T14:01:05+01:00")
    return [reason.sentence for reason in Records(desk).ready(request).reasons if reason.code == "approval.missing"]


def test_a_newer_version_leaves_open_work_on_its_own_and_is_named_by_the_import(
    database: Database, clock: Clock, folder: Path
) -> None:
    desk = desk_at(database, clock)
    library = Library(desk)
    library.import_([folder])
    library.approve(NEEDED, person=PRESCRIBER, until="2026-09-30")
    case = made(desk)
    newer = given.write(folder / "peel.json", given.reworded(given.template(), "1.0.1"))
    (item,) = library.import_([newer]).items
    (touched,) = item.touches
    assert (touched.kind, touched.version, touched.records) == ("procedure-plan", "1.0.0", (case.plan.id,))
    library.approve([PEEL], person=PRESCRIBER, until="2026-09-30")
    clock.now = DAY
    assert lacks(desk, case) == []
    library.rollback(PEEL, to="1.0.0", why="Back.")
    assert lacks(desk, case) == []
    library.retire(PROTOCOL, why="Out of use.")
    library.retire(PEEL, why="Out of use.")
    assert len(lacks(desk, case, "2026-09-10T14:01:05+01:00")) == 2


def test_follow_ups_and_old_answers_stay_on_the_version_that_they_pin(
    database: Database, clock: Clock, tmp_path: Path, folder: Path
) -> None:
    given.write(folder / "peel.json", given.template(schedule=given.SCHEDULE))
    schedule = given.write(folder / "schedule.json", given.schedule())
    desk = desk_at(database, clock)
    library, records = Library(desk), Records(desk)
    library.import_([folder])
    library.approve(NEEDED, person=PRESCRIBER, until="2026-09-30")
    case = made(desk)
    clock.now = DAY
    report = report_of(case.plan, (), operator=PRESCRIBER, id="treatment-own")
    treated = records.treat(TreatmentRequest(case=case.case, report=report)).treatment
    follow_up = records.follow_up(FollowUpRequest(treatment=treated)).follow_up_plan
    pinned = follow_up.schedule.version
    newer = {**given.reworded(given.schedule(), "1.0.1")}
    (item,) = library.import_([given.write(schedule, newer)]).items
    assert [(one.kind, one.version, one.records) for one in item.touches] == [
        ("follow-up-plan", "1.0.0", (follow_up.id,))
    ]
    library.approve([given.SCHEDULE], person=PRESCRIBER, until="2026-09-30")
    library.rollback(given.SCHEDULE, to="1.0.0", why="Back.")
    library.retire(PROTOCOL, why="Out of use.")
    library.retire(PEEL, why="Out of use.")
    library.retire(given.SCHEDULE, why="Out of use.")
    assert pinned == "1.0.0"
    with desk.use("test") as unit:
        steps = unit.follow_ups.of_plan(follow_up.id)
    assert len(steps) == len(follow_up.steps)
    for pin in (follow_up.schedule, case.plan.template, case.consultation.form):
        assert desk.workflow.catalogue.pinned(pin).pin == pin
    step = next(step.step for step in follow_up.steps if step.form is not None)
    assert Records(desk).follow_up_form(follow_up, step).pin.id.startswith("pore.form.")


def test_drafts_of_answers_are_named_by_an_import(database: Database, clock: Clock, tmp_path: Path) -> None:
    form = {**content_document("pore.form.day-of-treatment"), "id": "acme.form.day", "version": "1.0.0"}
    path = given.write(tmp_path / "form.json", form)
    desk = desk_at(database, clock)
    library = Library(desk)
    library.import_([path])
    answered = {**doc(day_form(desk.workflow)), "form": doc(desk.workflow.form("acme.form.day").pin)}
    draft = check(Consultation, {**answered, "status": "draft"}).model
    Records(desk).submit(draft)
    report = library.plan_import([given.write(path, {**form, "version": "1.0.1", "title": {"en": "Today"}})])
    assert report.problems == ()
    assert [(one.kind, one.records) for one in report.items[0].touches] == [("consultation", (draft.id,))]


def test_a_form_with_questions_of_extensions_is_approved_as_it_is_answered(database: Database, clock: Clock) -> None:
    asking = plugin(pore_register_questions=lambda form: [QUESTION] if form.id == FORM else [])
    desk = desk_at(database, clock, plugins={"acme": asking})
    answered = desk.workflow.form(FORM).pin
    assert "+" in answered.version
    (entry,) = Library(desk).approve([FORM], person=PRESCRIBER, until="2026-09-30").entries
    assert (entry.version, entry.digest, entry.state) == (answered.version, answered.digest, "active")
    without = desk_at(database, clock)
    assert without.workflow.catalogue.pinned(answered).pin == answered
    assert {e.state for e in Library(without).entries().entries if e.version == answered.version} == {"superseded"}


def test_a_form_is_marked_draft_while_no_approval_of_it_holds(database: Database, clock: Clock) -> None:
    """What ships says that it is a draft; here the library says what it is."""
    desk = desk_at(database, clock)
    records, shipped = Records(desk), desk.workflow.form(FORM)
    assert shipped.model.status == "draft"
    assert "DRAFT" in form_sheet(records.form(FORM).model, "en")
    Library(desk).approve([FORM], person=PRESCRIBER, until="2026-09-10")
    approved = records.form(FORM)
    assert "DRAFT" not in form_sheet(approved.model, "en")
    assert (approved.model.status, approved.document["status"]) == ("active", "active")
    assert approved.pin == shipped.pin
    assert "DRAFT" in form_sheet(records.form(DAY_FORM).model, "en")
    clock.now = datetime(2026, 9, 11, 9, tzinfo=UTC)
    assert "DRAFT" in form_sheet(records.form(FORM).model, "en")
