"""A quarantined lot stops the needle whatever anybody signs, and what happened all the same is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from factories import azzalure, changed, clinic, doc, made, make, workflow_of
from pore_plugin import check
from pore_plugin.contracts import LotQuarantine, ProblemsError, TreatmentRequest
from test_gates import label_policy

LOT = "SAMPLE-LOT-7"


def quarantine(**members: Any) -> LotQuarantine:
    whole = {
        "id": "quarantine-1",
        "clinic": "sample-clinic",
        "lot": LOT,
        "reason": "Recalled by the maker (invented).",
        "by": "dr-sample",
        "at": "2026-09-10T09:00:00+01:00",
        **members,
    }
    return check(LotQuarantine, whole).model


def lifted(at: str) -> LotQuarantine:
    return quarantine(lifted_at=at, lifted_by="dr-sample", lift_reason="Another pack was meant.")


# -- the block --------------------------------------------------------------------------------------------------


def test_a_vial_of_a_quarantined_lot_is_not_used() -> None:
    assert made().codes(quarantines=[quarantine()]) == ["vial.lot_quarantined"]
    readiness = made().ready(quarantines=[quarantine()])
    assert [reason.overridable for reason in readiness.reasons] == [False]


@pytest.mark.parametrize("lot", ["sample lot 7", "Sample-L0t-7", "SAMPLELOT7", "sample/lot/7", " ".join("SAMPLELOT7")])
def test_a_quarantine_holds_for_every_spelling_of_its_lot(lot: str) -> None:
    assert made().codes(quarantines=[quarantine(lot=lot)]) == ["vial.lot_quarantined"]


@pytest.mark.parametrize(
    ("found", "codes"),
    [
        (quarantine(product="pore.product.bocouture-uk"), ["vial.lot_quarantined"]),
        (quarantine(product="pore.product.botox-uk"), []),
        (quarantine(lot="SAMPLE-LOT-8"), []),
        # From its very moment, until the moment of the lift.
        (quarantine(at="2026-09-10T14:01:00+01:00"), ["vial.lot_quarantined"]),
        (quarantine(at="2026-09-10T14:01:01+01:00"), []),
        (lifted("2026-09-10T14:01:01+01:00"), ["vial.lot_quarantined"]),
        (lifted("2026-09-10T14:01:00+01:00"), []),
    ],
)
def test_a_quarantine_holds_for_its_product_and_its_time(found: LotQuarantine, codes: list[str]) -> None:
    assert made().codes(quarantines=[found]) == codes


def test_one_quarantine_that_is_lifted_does_not_lift_another() -> None:
    found = [lifted("2026-09-10T12:00:00+01:00"), quarantine(id="quarantine-2", at="2026-09-10T13:00:00+01:00")]
    assert made().codes(quarantines=found) == ["vial.lot_quarantined"]


def test_a_vial_of_another_product_is_looked_at_too() -> None:
    other = changed(made().vial, product="pore.product.botox-uk")
    assert made().codes(vials=[other], quarantines=[quarantine()]) == ["vial.lot_quarantined", "vial.product"]


def test_every_vial_is_looked_at_once() -> None:
    second = changed(made().vial, id="vial-2", lot="OTHER-1")
    assert made().codes(vials=[second, made().vial, second], quarantines=[quarantine()]) == ["vial.lot_quarantined"]


def test_no_policy_lifts_it() -> None:
    policies = [label_policy("vial.second_patient"), label_policy("vial.in_use_hours")]
    case = azzalure(policies={"label_policies": policies})
    found = quarantine(lot=case.vial.lot, clinic=case.flow.clinic.id)
    assert case.codes(quarantines=[found]) == ["vial.lot_quarantined"]


def test_a_quarantine_of_another_clinic_is_named_and_not_passed_over() -> None:
    found = quarantine(clinic="clinic-2")
    assert made().codes(quarantines=[found]) == ["case.clinic", "vial.lot_quarantined"]


def test_what_happened_all_the_same_is_recorded_with_a_deviation() -> None:
    case = made()
    held = changed(case.case, quarantines=[quarantine()])
    with pytest.raises(ProblemsError) as error:
        case.flow.treat(TreatmentRequest(case=held, report=case.report))
    assert [problem.code for problem in error.value.problems] == ["deviation.missing"]
    assert "vial.lot_quarantined" in error.value.problems[0].sentence
    deviation = {
        "code": "vial.lot_quarantined",
        "reason": "The notice was read after the treatment.",
        "person": "dr-sample",
        "at": case.report.ended_at,
    }
    report = changed(case.report, deviations=[deviation])
    record = case.flow.treat(TreatmentRequest(case=held, report=report)).treatment
    assert [reason.code for reason in record.readiness.reasons] == ["vial.lot_quarantined"]
    assert dict(record.readiness.notes[0])["en"].startswith(f"Lot {LOT} is quarantined since 2026-09-10")


def test_a_quarantine_that_was_set_after_the_treatment_asks_for_no_deviation() -> None:
    case = made()
    held = changed(case.case, quarantines=[quarantine(at="2026-09-11T09:00:00+01:00")])
    record = case.flow.treat(TreatmentRequest(case=held, report=case.report)).treatment
    assert record.readiness.ready


# -- almost the same --------------------------------------------------------------------------------------------


def notes(**members: Any) -> list[str]:
    readiness = made().ready(**members)
    return [dict(note)["en"] for note in readiness.notes]


def test_a_lot_that_reads_almost_like_a_quarantined_one_is_noted_and_stops_nothing() -> None:
    near = quarantine(lot="SAMPLE-LOT-1")
    assert made().codes(quarantines=[near]) == []
    (note,) = notes(quarantines=[near])
    assert note.startswith("Lot SAMPLE-LOT-7 reads almost like lot SAMPLE-LOT-1, which is quarantined: ")


@pytest.mark.parametrize(
    "found",
    [
        quarantine(lot="SAMPLE-LOT-12"),
        quarantine(lot="SAMPLE-LOT-1", product="pore.product.botox-uk"),
        quarantine(lot="SAMPLE-LOT-1", at="2026-09-10T14:01:01+01:00"),
    ],
)
def test_what_is_far_off_or_holds_for_something_else_is_not_noted(found: LotQuarantine) -> None:
    assert notes(quarantines=[found]) == []


def test_the_same_note_is_said_once() -> None:
    second = changed(made().vial, id="vial-2")
    near = quarantine(lot="SAMPLE-LOT-1")
    assert len(notes(vials=[made().vial, second], quarantines=[near, changed(near, id="quarantine-2")])) == 1


def test_a_lot_with_braces_is_no_placeholder() -> None:
    held = changed(made().vial, lot="{lot}7")
    (note,) = notes(vials=[held], quarantines=[quarantine(lot="LOT7")])
    assert note.startswith("Lot {lot}7 is quarantined")


# -- the record of a quarantine ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"lifted_at": "2026-09-11T09:00:00+01:00"}, "quarantine.lift"),
        ({"lifted_by": "dr-sample", "lift_reason": "A mistake."}, "quarantine.lift"),
        (
            {"lifted_at": "2026-09-10T08:59:59+01:00", "lifted_by": "dr-sample", "lift_reason": "A mistake."},
            "quarantine.time_order",
        ),
        # An hour earlier on the clock, and later in time.
        ({"lifted_at": "2026-09-10T08:30:00+00:00", "lifted_by": "dr-sample", "lift_reason": "A mistake."}, None),
        ({"lot": "--"}, "schema.pattern"),
        ({"reason": ""}, "schema.limit"),
    ],
)
def test_a_quarantine_is_lifted_by_somebody_for_a_reason(members: Mapping[str, Any], code: str | None) -> None:
    if code is None:
        assert quarantine(**members).lifted_at
        return
    with pytest.raises(ProblemsError) as error:
        quarantine(**members)
    assert [problem.code for problem in error.value.problems] == [code]


def test_a_case_file_without_quarantines_is_as_before() -> None:
    assert "quarantines" not in doc(made().case) or doc(made().case)["quarantines"] == []
    assert make(workflow_of(clinic())).codes() == []
