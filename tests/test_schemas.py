"""The published schemas: fresh, self-contained, offline, read alike by both engines; and the lock over the contract."""

from __future__ import annotations

import builtins
import copy
import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.contracts import DOCUMENTS
from pore_plugin.schemas import (
    FORMATS,
    SchemaRegistry,
    portable_pattern,
    python_pattern,
    schema,
    schema_bytes,
    schema_names,
)

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import build_schemas  # noqa: E402
import contract_lock  # noqa: E402


def one(schema: dict[str, Any], *, stand_in: bool = False) -> SchemaRegistry:
    return SchemaRegistry(["it"], lambda _: json.dumps(schema).encode(), stand_in=stand_in)


def test_generated_files_are_fresh() -> None:
    stale = build_schemas.stale(build_schemas.expected_files())
    assert stale == [], f"mend with: {build_schemas.MEND}"


def test_the_packaged_copy_is_the_published_one() -> None:
    assert set(schema_names()) == set(DOCUMENTS)
    for name in schema_names():
        assert (ROOT / "schemas" / f"{name}.json").read_bytes() == schema_bytes(name)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_schema_is_valid_named_and_self_contained(name: str) -> None:
    published = schema(name)
    jsonschema.Draft202012Validator.check_schema(published)
    assert published["$id"] == f"urn:pore-plugin:schema:v0:{name}"
    assert published["title"]
    assert published["description"]
    references = re.findall(r'"\$ref": "([^"]*)"', schema_bytes(name).decode())
    assert {reference.removeprefix("#/$defs/") for reference in references} <= set(published.get("$defs", {}))
    assert '"default": null' not in schema_bytes(name).decode()


def test_an_unknown_name_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="no published contract"):
        schema_bytes("../contracts/base")


@pytest.mark.parametrize("stand_in", [False, True])
def test_no_engine_leaves_the_document(stand_in: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("an engine opened a connection")

    monkeypatch.setattr("socket.socket.connect", no_network)
    outside = one({"$ref": "https://example.org/other.json"}, stand_in=stand_in)
    with pytest.raises(Exception, match=r"(?i)retriev|resolv|referenc|self-contained|other\.json"):
        outside.decider("it")({})


def test_the_stand_in_decides_where_the_fast_engine_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "jsonschema_rs":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    decide = one({"type": "string", "pattern": "^a$"}).decider("it")
    assert decide("a")
    assert not decide("a\n")


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc\n", False),
        (r"^\d+$", "3", True),
        (r"^\d+$", "\u0663", False),
        (r"^\w$", "é", False),
        (r"^[$.]\$$", "$$", True),
        (r"^[$.]\$$", ".$", True),
        (r"^a.c$", "a\nc", False),
    ],
)
def test_the_stand_in_reads_patterns_as_the_fast_engine_does(pattern: str, text: str, fits: bool) -> None:
    for keyword in ({"pattern": pattern}, {"patternProperties": {pattern: {}}, "additionalProperties": False}):
        value: Any = text if "pattern" in keyword else {text: 1}
        assert jsonschema_rs.Draft202012Validator(keyword).is_valid(value) is fits
        assert one(keyword, stand_in=True).decider("it")(value) is fits


def test_patterns_that_engines_read_differently_are_refused_at_build_time() -> None:
    assert all(portable_pattern(pattern) for pattern in ("^a$", r"^\.[.]\$$", "^(?:a|b)+$"))
    assert not any(portable_pattern(pattern) for pattern in (r"^\d$", "^a.c$", r"\bx", "(?=a)", "(?i)a", r"^\s*$"))
    assert python_pattern("^a$") == r"(?a:^a\Z)"


TIMES = st.from_regex(r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9]:[0-5][0-9](Z|\+0[0-9]:[0-6]0)?)?\n?\Z")


@given(TIMES | st.text(max_size=30), st.sampled_from(sorted(FORMATS)))
def test_the_stand_in_checks_formats_as_the_fast_engine_does(text: str, name: str) -> None:
    fast = jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True)
    if not text.startswith("0000") and ":60" not in text:
        assert one({"format": name}, stand_in=True).decider("it")(text) == fast.is_valid(text)


def test_a_loose_model_is_refused_at_build_time() -> None:
    faults = list(
        build_schemas._faults(
            {
                "type": "object",
                "properties": {
                    "a": {"type": "number"},
                    "b": {"type": "string", "pattern": r"^\d$"},
                    "c": {"type": "string", "format": "uri"},
                    "d": {},
                },
            },
            "",
        )
    )
    assert len(faults) == 5


OLD = {
    "contract_version": "0.3.1",
    "contracts": {"thing": "Thing"},
    "models": {
        "Thing": {
            "id": {"required": True, "shape": {"type": "string"}},
            "kind": {"required": False, "shape": {"const": "a"}},
            "size": {"required": False, "shape": {"type": "integer", "maximum": 5}},
        }
    },
    "hooks": {"pore_startup": {"arguments": {"host": "HostInfo"}, "mode": "once"}},
}


def changed(**paths: Any) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    for path, value in paths.items():
        *parents, last = path.split("__")
        here: Any = new
        for parent in parents:
            here = here[parent]
        if value is None:
            del here[last]
        else:
            here[last] = value
    return new


NEW_MEMBER = {"required": False, "shape": {"type": "string"}}


@pytest.mark.parametrize(
    ("new", "breaking"),
    [
        (changed(contracts__other="Other"), False),
        (changed(models__Thing__more=NEW_MEMBER), False),
        (changed(models__Thing__kind={"required": False, "shape": {"enum": ["a", "b"]}}), False),
        (changed(hooks__pore_more={"arguments": {}, "mode": "collect"}), False),
        (changed(hooks__pore_startup={"arguments": {"host": "HostInfo", "clinic": "Clinic"}, "mode": "once"}), False),
        (changed(contracts__thing=None), True),
        (changed(contracts__thing="Other"), True),
        (changed(models__Thing__id=None), True),
        (changed(models__Thing__more={"required": True, "shape": {"type": "string"}}), True),
        (changed(models__Thing__id={"required": False, "shape": {"type": "string"}}), True),
        (changed(models__Thing__size={"required": True, "shape": {"type": "integer", "maximum": 5}}), True),
        (changed(models__Thing__size={"required": False, "shape": {"type": "integer", "maximum": 4}}), True),
        (changed(models__Thing__kind={"required": False, "shape": {"const": "b"}}), True),
        (changed(hooks__pore_startup=None), True),
        (changed(hooks__pore_startup={"arguments": {"host": "str"}, "mode": "once"}), True),
        (changed(hooks__pore_startup={"arguments": {}, "mode": "once"}), True),
        (changed(hooks__pore_startup={"arguments": {"host": "HostInfo"}, "mode": "collect"}), True),
    ],
)
def test_additive_and_breaking_changes_demand_their_bump(new: dict[str, Any], breaking: bool) -> None:
    found = contract_lock.changes(OLD, new)
    assert [change.breaking for change in found] == [breaking]
    assert contract_lock.needed_version("0.3.1", found) == ("0.4.0" if breaking else "0.3.2")
    assert contract_lock.needed_version("1.3.1", found) == ("2.0.0" if breaking else "1.4.0")


def test_a_change_without_its_bump_is_refused_and_says_which_it_needs() -> None:
    new = changed(models__Thing__id=None)
    assert "set CONTRACT_VERSION to 0.4.0" in contract_lock.refusal(new, OLD)
    assert "breaking: Thing.id gone" in contract_lock.refusal(new, OLD)
    assert contract_lock.refusal({**new, "contract_version": "0.4.0"}, OLD) == ""
    assert contract_lock.refusal(OLD, OLD) == ""


def test_the_present_contract_has_the_version_that_its_changes_since_the_last_release_need() -> None:
    present = json.loads((ROOT / "schemas" / "contract.lock.json").read_bytes())
    assert contract_lock.refusal(present) == ""
    assert set(present["contracts"]) == set(DOCUMENTS)
    assert set(present["models"]) >= {"Consultation", "BooleanAnswer", "QuestionContribution", "HostInfo"}
    assert present["hooks"]["pore_startup"]["arguments"] == {"host": "HostInfo"}
