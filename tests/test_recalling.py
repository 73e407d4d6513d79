"""A recall names everybody who got a lot, how it stands with them, and apart from that what reads almost the same."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import changed, doc, made
from pore_plugin import rendering
from pore_plugin.clinical.follow_up.states import StepState, draw_move, follow, moved
from pore_plugin.clinical.treatment.recall_table import COLUMNS, safe_cell, to_csv
from pore_plugin.clinical.treatment.recalling import Traced, adverse_events_by_lot, recall_report
from pore_plugin.contracts import (
    AdverseEvent,
    FollowUpRequest,
    Mover,
    ProblemsError,
    RecallContact,
    RecallReport,
    RecallTask,
    RecallUse,
    StepProgress,
    TreatmentRecord,
)
from test_quarantine import quarantine
from test_rendering import NAMES
from test_treating import amending, treat

LOT = "SAMPLE-LOT-7"
NOW = "2026-09-20T09:00:00+01:00"
CLINIC = made().flow.clinic


def record(*lots: str, **members: Any) -> TreatmentRecord:
    """The sample treatment, out of vials with these lots."""
    whole = doc(treat(made()).treatment)
    (use,) = whole["report"]["vials"]
    share = str(66 // len(lots)) if lots else "0"
    whole["report"]["vials"] = [
        {**use, "vial": {**use["vial"], "id": f"vial-{n}", "lot": lot}, "drawn": share, "used": share, "wasted": "0"}
        for n, lot in enumerate(lots)
    ]
    return changed(TreatmentRecord.model_validate(treat(made()).treatment), **{**whole, **members})


def amended(first: TreatmentRecord, *lots: str) -> TreatmentRecord:
    other = record(*lots, id=f"{first.id}b")
    return changed(other, report=amending(other.report, id=f"{first.id}b", amends=first.id))


def event(**members: Any) -> AdverseEvent:
    return AdverseEvent.model_validate(
        {
            "id": "event-1",
            "clinic": CLINIC.id,
            "patient": "patient-1",
            "treatment": "treatment-1",
            "code": "smile-asymmetry",
            "severity": "mild",
            "onset": "2026-09-12T18:00:00+01:00",
            "recorded_at": "2026-09-12T18:45:00+01:00",
            "recorded_by": "dr-sample",
            "reportable": True,
            **members,
        }
    )


def steps(*moves: tuple[str, StepProgress, str, str | None]) -> tuple[StepState, ...]:
    """The follow-up of the sample treatment after some moves: step, new state, when, new time."""
    plan = made().flow.follow_up(FollowUpRequest(treatment=treat(made()).treatment)).follow_up_plan
    found = {state.dated.step: state for state in follow(plan)}
    for name, to, at, due in moves:
        move = draw_move(found[name], to, at=at, by=Mover(kind="person", id="dr-sample"), reason="Said so.", due=due)
        after = moved(found[name], move)
        assert isinstance(after, StepState)
        found[name] = after
    return tuple(found.values())


def report(*traced: Traced, lot: str = LOT, now: str = NOW, **more: Any) -> RecallReport:
    found = recall_report(lot, traced, clinic=CLINIC, now=now, **more)
    assert RecallReport.from_json(found.to_json()) == found
    return found


def only(*traced: Traced, **more: Any) -> RecallUse:
    (use,) = report(*traced, **more).uses
    return use


# -- who, when, where, how much ---------------------------------------------------------------------------------


def test_a_use_says_who_when_which_regions_how_much_and_by_whom() -> None:
    first = record(LOT)
    use = only(Traced(records=(first,)))
    assert (use.patient, use.treatment, use.record, use.amended) == ("patient-1", "treatment-1", "treatment-1", False)
    assert (use.date, use.operator, use.prescriber) == ("2026-09-10", "nurse-example", "dr-sample")
    assert use.regions == first.report.doses
    assert [(vial.lot, vial.asked, vial.expiry, vial.used) for vial in use.vials] == [(LOT, True, "2027-03-31", "66")]
    found = report(Traced(records=(first,)))
    assert (found.patients, found.sample, found.quarantined, found.key) == (1, True, False, "SAMPLEL0T7")


@pytest.mark.parametrize("lot", ["sample lot 7", "SAMPLEL0T7", "  sample-lot-7\n", "\uff33AMPLE LOT 7"])
def test_every_spelling_asks_for_the_same_lot(lot: str) -> None:
    assert only(Traced(records=(record(LOT),)), lot=lot).vials[0].lot == LOT


@pytest.mark.parametrize("lot", ["", "--", "\u0421123"])
def test_what_is_no_lot_is_refused_and_not_answered_with_nobody(lot: str) -> None:
    with pytest.raises(ProblemsError) as error:
        report(lot=lot)
    assert [problem.code for problem in error.value.problems] == ["lot.unreadable"]


def test_another_lot_is_left_out_and_a_second_vial_is_shown_as_not_asked_for() -> None:
    found = report(
        Traced(records=(record("OTHER-1"),)), Traced(records=(record("OTHER-1", "sample lot 7", id="treatment-2"),))
    )
    (use,) = found.uses
    assert use.treatment == "treatment-2"
    assert [(vial.lot, vial.asked) for vial in use.vials] == [("OTHER-1", False), ("sample lot 7", True)]


def test_a_lot_of_another_product_is_left_out_when_a_product_is_named() -> None:
    traced = Traced(records=(record(LOT),))
    assert report(traced, product="pore.product.botox-uk").uses == ()
    assert len(report(traced, product="pore.product.bocouture-uk").uses) == 1


def test_a_patient_with_two_treatments_is_one_patient_and_the_newest_comes_first() -> None:
    found = report(
        Traced(records=(record(LOT),)),
        Traced(records=(record(LOT, id="treatment-3", date="2026-09-12"),)),
        Traced(records=(record(LOT, id="treatment-2", date="2026-09-12", patient="patient-2"),)),
    )
    assert [use.treatment for use in found.uses] == ["treatment-2", "treatment-3", "treatment-1"]
    assert found.patients == 2


def test_nobody_is_an_answer() -> None:
    assert (report().uses, report().patients) == ((), 0)


# -- amendments -------------------------------------------------------------------------------------------------


def test_the_last_amendment_holds() -> None:
    first = record("OTHER-1")
    use = only(Traced(records=(first, amended(first, LOT))))
    assert (use.treatment, use.record, use.amended) == ("treatment-1", "treatment-1b", True)


def test_a_lot_that_was_corrected_away_stands_apart_and_is_not_lost() -> None:
    first = record(LOT)
    found = report(Traced(records=(first, amended(first, "OTHER-1"))))
    assert (found.uses, found.patients) == ((), 0)
    (use,) = found.corrected
    assert (use.treatment, use.record, use.vials[0].lot) == ("treatment-1", "treatment-1b", LOT)


# -- how it stands ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "now", "state", "step", "missed"),
    [
        ((), "2026-09-10T18:00:00+01:00", "due", "D0", ()),
        ((), "2026-09-11T09:00:00+01:00", "overdue", "D0", ()),
        (("D0",), "2026-09-12T12:00:00+01:00", "planned", "D2", ()),
        (("D0",), "2026-09-12T16:00:00+01:00", "due", "D2", ()),
        (("D0", "D2"), "2026-09-12T16:00:00+01:00", "planned", "W1", ()),
        (("D0",), "2026-09-15T09:00:00+01:00", "planned", "W1", ("D2",)),
        (("D0", "W16"), "2027-06-01T09:00:00+01:00", "missed", None, ("D2", "W1", "W4", "W12")),
    ],
)
def test_the_follow_up_says_where_it_stands(
    moves: tuple[str, ...], now: str, state: str, step: str | None, missed: tuple[str, ...]
) -> None:
    done = steps(*((name, "done", "2026-09-10T16:00:00+01:00", None) for name in moves))
    follow_up = only(Traced(records=(record(LOT),), steps=done), now=now).follow_up
    assert (follow_up.state, follow_up.next_step, follow_up.missed) == (state, step, missed)
    assert (follow_up.next_due is None) == (step is None)


def test_a_treatment_without_a_plan_and_one_with_nothing_left_to_do_are_told_apart() -> None:
    assert only(Traced(records=(record(LOT),))).follow_up.state == "none"
    names = [state.dated.step for state in steps()]
    done = steps(*((name, "done", "2026-10-08T11:00:00+01:00", None) for name in names))
    follow_up = only(Traced(records=(record(LOT),), steps=done)).follow_up
    assert (follow_up.state, follow_up.next_step) == ("done", None)


def test_the_watch_is_shown_while_it_is_open() -> None:
    traced = Traced(records=(record(LOT),), steps=steps())
    until = only(traced).follow_up.watch_until
    assert until is not None
    assert only(traced, now="2027-06-01T09:00:00+01:00").follow_up.watch_until is None


def test_the_last_contact_is_the_latest_of_moves_responses_and_what_is_handed_in() -> None:
    done = steps(("D2", "done", "2026-09-12T11:00:00+01:00", None))
    traced = Traced(records=(record(LOT),), steps=done)
    contact = only(traced).follow_up.last_contact
    assert contact is not None
    assert contact.at == "2026-09-12T11:00:00+01:00"
    called = (
        # 10:30 in UTC is later than 11:00 an hour ahead, and what lies ahead is no contact yet.
        RecallContact(at="2026-09-12T10:30:00+00:00", how="call"),
        RecallContact(at="2026-09-25T09:00:00+01:00", how="visit"),
    )
    contact = only(Traced(records=(record(LOT),), steps=done, contacts=called)).follow_up.last_contact
    assert contact == called[0]
    assert only(Traced(records=(record(LOT),), steps=steps())).follow_up.last_contact is None


def test_a_move_that_was_taken_back_is_no_contact() -> None:
    (state,) = [one for one in steps(("D2", "done", "2026-09-12T11:00:00+01:00", None)) if one.dated.step == "D2"]
    assert state.last is not None
    back = draw_move(
        state,
        "planned",
        at="2026-09-12T12:00:00+01:00",
        by=Mover(kind="person", id="dr-sample"),
        reason="The wrong patient.",
        corrects=state.last.id,
    )
    taken_back = moved(state, back)
    assert isinstance(taken_back, StepState)
    assert only(Traced(records=(record(LOT),), steps=(taken_back,))).follow_up.last_contact is None


def test_adverse_events_and_the_open_task_stand_with_the_use() -> None:
    task = RecallTask(key="task-1", created_at=NOW, done=False)
    use = only(Traced(records=(record(LOT),), adverse_events=(event(),), task=task))
    assert [(one.code, one.severity, one.reportable, one.lots) for one in use.adverse_events] == [
        ("smile-asymmetry", "mild", True, (LOT,))
    ]
    assert use.task == task


# -- quarantine and near lots -----------------------------------------------------------------------------------


def test_the_report_says_whether_the_lot_is_quarantined_and_keeps_those_that_were_lifted() -> None:
    lifted = quarantine(lifted_at=NOW, lifted_by="dr-sample", lift_reason="Another pack was meant.")
    assert report(quarantines=[quarantine(lot="sample lot 7")]).quarantined
    assert (report(quarantines=[lifted]).quarantined, report(quarantines=[lifted]).quarantines) == (False, (lifted,))
    assert not report(quarantines=[quarantine(lot="OTHER-1")]).quarantines
    other = quarantine(product="pore.product.botox-uk")
    assert report(quarantines=[other], product="pore.product.bocouture-uk").quarantines == ()
    assert report(quarantines=[other]).quarantined


def test_near_lots_stand_apart_with_their_number_of_uses() -> None:
    near = {
        "SAMPLEL0T7": (LOT,),
        "SAMPLEL0T1": ("SAMPLE-LOT-1", "sample lot 1"),
        "SAMPLEL0T": ("SAMPLE LOT",),
        "SAMPLEL0T12": ("SAMPLE-LOT-12",),
    }
    found = report(near=near, counts={"SAMPLEL0T1": 3}, quarantines=[quarantine(lot="SAMPLE-LOT-77")])
    assert [(one.key, one.lots, one.uses, one.quarantined) for one in found.near] == [
        ("SAMPLEL0T", ("SAMPLE LOT",), 0, False),
        ("SAMPLEL0T1", ("SAMPLE-LOT-1", "sample lot 1"), 3, False),
        ("SAMPLEL0T77", ("SAMPLE-LOT-77",), 0, True),
    ]


# -- the other way round ----------------------------------------------------------------------------------------


def test_adverse_events_are_counted_by_lot() -> None:
    traced = [
        Traced(records=(record(LOT),), adverse_events=(event(), event(id="event-2", severity="severe"))),
        Traced(records=(record("sample lot 7", id="treatment-2"),)),
        # It names its own lot, and one after two lots stands with both.
        Traced(
            records=(record("OTHER-1", id="treatment-3"),), adverse_events=(event(id="event-3", lots=("OTHER-2",)),)
        ),
        Traced(records=(record("OTHER-1", LOT, id="treatment-4"),), adverse_events=(event(id="event-4"),)),
        Traced(records=(record(id="treatment-5"),), adverse_events=(event(id="event-5"),)),
        Traced(records=(record("OTHER-3", id="treatment-6"),)),
    ]
    found = adverse_events_by_lot(traced, clinic=CLINIC, now=NOW, quarantines=[quarantine()])
    assert [(one.key, one.uses, one.quarantined, [e.id for e in one.events]) for one in found.lots] == [
        ("SAMPLEL0T7", 3, True, ["event-1", "event-2", "event-4"]),
        ("0THER1", 2, False, ["event-4"]),
        ("0THER2", 0, False, ["event-3"]),
    ]
    assert found.lots[0].lots == (LOT, "sample lot 7")
    assert [one.id for one in found.without_lot] == ["event-5"]
    counted = adverse_events_by_lot(traced[:1], clinic=CLINIC, now=NOW, counts={"SAMPLEL0T7": 40})
    assert counted.lots[0].uses == 40
    sheet = rendering.lot_events_sheet(found, NAMES)
    for said in ("SAMPLE-LOT-7; sample lot 7", "3 treatments", "QUARANTINED", "smile asymmetry", "Without a lot"):
        assert said in sheet
    nothing = adverse_events_by_lot([], clinic=CLINIC, now=NOW)
    assert "None is recorded." in rendering.lot_events_sheet(nothing, NAMES)


# -- the table --------------------------------------------------------------------------------------------------


def table(found: RecallReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(found).decode("ascii"), newline=""), strict=True))


def test_the_table_has_a_row_for_each_treatment_vial_of_the_lot_and_region() -> None:
    first = record(LOT, "OTHER-1", "sample lot 7")
    rows = table(report(Traced(records=(first,), steps=steps(), adverse_events=(event(),)), quarantines=[quarantine()]))
    assert len(rows) == 2 * len(first.report.doses)
    assert {row["lot_recorded"] for row in rows} == {LOT, "sample lot 7"}
    assert [(row["region"], row["side"], row["region_units"]) for row in rows[:5]] == [
        (dose.region, dose.side or "", dose.units) for dose in first.report.doses
    ]
    assert {(row["part"], row["quarantined"], row["patient"], row["operator"]) for row in rows} == {
        ("use", "yes", "patient-1", "nurse-example")
    }
    assert rows[0]["adverse_events"] == "smile-asymmetry (mild, reportable, from 2026-09-12T18:00:00+01:00)"


def test_a_treatment_without_a_dose_a_corrected_one_and_a_near_lot_have_a_row_too() -> None:
    nothing = changed(record(LOT), report={**doc(record(LOT).report), "doses": []})
    first = record(LOT, id="treatment-2")
    found = report(
        Traced(records=(nothing,)),
        Traced(records=(first, amended(first, "OTHER-1"))),
        near={"SAMPLEL0T1": ("SAMPLE-LOT-1",)},
        counts={"SAMPLEL0T1": 3},
    )
    rows = table(found)
    assert [(rows[0]["part"], rows[0]["treatment"], rows[0]["region"])] == [("use", "treatment-1", "")]
    assert {row["part"] for row in rows} == {"use", "corrected", "near"}
    assert (rows[-1]["lot_recorded"], rows[-1]["uses"], rows[-1]["patient"]) == ("SAMPLE-LOT-1", "3", "")


def test_the_table_is_rfc_4180_in_ascii() -> None:
    data = to_csv(report(Traced(records=(record('A"7,;'),)), lot='A"7,;'))
    assert data.isascii()
    assert data.count(b"\r\n") == data.count(b"\n") == 6
    head = data.split(b"\r\n")[0].decode()
    assert head == ",".join(f'"{name}"' for name in COLUMNS)
    assert b'"A""7,;"' in data


@pytest.mark.parametrize(
    "value",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\rx",
        "\nx",
        "  =1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff=1",
        '"=1',
        "'=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "\ufe661",
        "\u22121",
    ],
)
def test_no_cell_is_a_formula(value: str) -> None:
    assert safe_cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["", "C1234", "2026-09-10", "a=b", "7-", "(x)", "patient-1"])
def test_other_cells_stay_as_they_are(value: str) -> None:
    assert safe_cell(value) == value


@given(st.text(max_size=20))
def test_a_cell_loses_nothing_and_never_starts_like_a_formula(value: str) -> None:
    cell = safe_cell(value)
    assert cell in (value, f"'{value}")
    assert cell.lstrip()[:1] not in tuple("=+-@")


@given(st.from_regex(r"[=+\-@][ -~]{0,10}[0-9A-Z]", fullmatch=True))
def test_a_lot_that_looks_like_a_formula_is_a_lot_in_the_table(lot: str) -> None:
    (row, *_) = table(report(Traced(records=(record(lot),)), lot=lot))
    assert row["lot_recorded"][0] == "'"
    assert row["lot_recorded"][1:] == lot


# -- the sheet --------------------------------------------------------------------------------------------------


def test_the_sheet_says_it_all() -> None:
    first = record(LOT, "OTHER-1")
    other = record(LOT, id="treatment-2", patient="patient-2")
    found = report(
        Traced(
            records=(first,),
            steps=steps(*((name, "done", "2026-09-12T11:00:00+01:00", None) for name in ("D0", "D2", "W1"))),
            adverse_events=(event(),),
            task=RecallTask(key="task-1", created_at=NOW, done=False),
        ),
        Traced(records=(other, amended(other, "OTHER-1"))),
        quarantines=[quarantine()],
        near={"SAMPLEL0T1": ("SAMPLE-LOT-1",)},
        counts={"SAMPLEL0T1": 3},
    )
    sheet = rendering.recall_sheet(found, NAMES)
    for said in (
        "# Lot SAMPLE-LOT-7",
        "SAMPLE",
        "■ QUARANTINED",
        "Recalled by the maker (invented).",
        "1 treatment of 1 patient.",
        "Patient patient-1, 2026-09-10",
        "Operator: Nell Example (invented); prescriber: Dr Sam Sample (invented)",
        "next step ahead (W4",
        "last contact: ",
        "red-flag watch open until",
        "Recall task: **open**",
        "| **SAMPLE-LOT-7** | BOCOUTURE | 2027-03-31 |",
        "| OTHER-1 | BOCOUTURE |",
        "smile asymmetry",
        "corrected since",
        "treatment treatment-2",
        "read almost the same",
        "| SAMPLE-LOT-1 | 3 |",
    ):
        assert said in sheet, said
    assert "No treatment here used this lot." in rendering.recall_sheet(report(), NAMES)
    lifted = quarantine(lifted_at=NOW, lifted_by="dr-sample", lift_reason="Another pack was meant.")
    sheet = rendering.recall_sheet(report(quarantines=[lifted]), NAMES)
    assert "Another pack was meant." in sheet
    assert "**Not quarantined**" in sheet
    assert f"(`{lifted.id}`)" in sheet, "what --lift asks for"
    for one in (found, report(), report(quarantines=[lifted])):
        assert "\n\n\n" not in rendering.recall_sheet(one, NAMES)
