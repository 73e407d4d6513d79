"""The key of a step is UUIDv5(clinic, record id, step id)."""

from __future__ import annotations

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.clinical.keys import keys_of, record_key

ROOT = uuid5(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), "urn:pore-plugin:record-key")
ids = st.from_regex(r"[A-Za-z0-9.-]{1,12}", fullmatch=True)


@given(ids, ids, st.text(min_size=1, max_size=12).filter(lambda text: "\x00" not in text and text.isprintable()))
def test_a_key_is_a_uuid5_in_the_clinics_namespace(clinic: str, record: str, step: str) -> None:
    expected = uuid5(uuid5(ROOT, clinic), f"{record}/{step}")
    assert record_key(clinic, record, step) == str(expected) == keys_of(clinic, record)(step)


def test_keys_never_change() -> None:
    assert record_key("clinic-1", "treatment-1", "W4") == "8b8c78f6-eec9-5efd-a959-bb2dcae644ef"


def test_clinics_records_and_steps_do_not_share_keys() -> None:
    keys = {record_key(c, r, s) for c in ("a", "b") for r in ("a", "b", "ab") for s in ("a", "b", "ab")}
    assert len(keys) == 18
