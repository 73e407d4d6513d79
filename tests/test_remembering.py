"""What is remembered of a record lives as long as the record, and belongs to that very object."""

from __future__ import annotations

import gc

from factories import changed, consultation, made, workflow_of
from factories import clinic as settings
from pore_plugin.contracts.canonical import record_digest
from pore_plugin.workflow.remembering import ByIdentity


def test_a_value_is_worked_out_once_for_one_object_and_again_for_an_equal_other() -> None:
    calls: list[int] = []
    memory: ByIdentity[int] = ByIdentity()
    one = consultation()
    twin = type(one).from_json(one.to_json())
    assert one == twin
    for record in (one, one, twin):
        memory.of(record, lambda: calls.append(1) or len(calls))
    assert len(calls) == 2


def test_nothing_is_kept_of_a_record_that_is_gone() -> None:
    memory: ByIdentity[int] = ByIdentity()
    record = type(consultation()).from_json(consultation().to_json())
    memory.of(record, lambda: 1)
    assert len(memory) == 1
    del record
    gc.collect()
    assert len(memory) == 0


def test_a_changed_copy_has_a_digest_of_its_own() -> None:
    flow = workflow_of(settings())
    first = made().plan
    pin = flow.record_pin(first)
    other = changed(first, session="repeat")
    copy = first.model_copy(update={"treatment_date": "2026-09-11"})
    for record in (other, copy):
        assert flow.record_pin(record).digest == record_digest(record) != pin.digest
