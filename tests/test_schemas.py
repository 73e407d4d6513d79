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


PRESENT: dict[str, Any] = json.loads((ROOT / "schemas" / "contract.lock.json").read_bytes())
MEMBERS = [(model, member) for model, members in PRESENT["models"].items() for member in members if member != "*"]
PATTERNS = [
    (model, member)
    for model, members in PRESENT["models"].items()
    for member in members
    if "pattern" in members[member]["shape"]
]
ARGUMENTS = [(hook, argument) for hook, promise in PRESENT["hooks"].items() for argument in promise["arguments"]]


def verdict(new: dict[str, Any]) -> list[bool]:
    """Of each change from the present contract, whether it breaks; a change without its bump has to be refused."""
    found = contract_lock.changes(PRESENT, new)
    assert bool(contract_lock.refusal(new, PRESENT)) is bool(found)
    bumped = {**new, "contract_version": contract_lock.needed_version(PRESENT["contract_version"], found)}
    assert contract_lock.refusal(bumped, PRESENT) == ""
    return [change.breaking for change in found]


def test_the_lock_is_of_the_present_contract() -> None:
    assert set(PRESENT["contracts"]) == set(DOCUMENTS)
    assert set(PRESENT["models"]) >= {"Consultation", "BooleanAnswer", "QuestionContribution", "HostInfo"}
    assert PRESENT["hooks"]["pore_startup"]["arguments"] == {"host": "HostInfo"}
    assert verdict(PRESENT) == []


def test_every_member_that_goes_breaks_the_contract() -> None:
    assert len(MEMBERS) > 500
    for model, member in MEMBERS:
        rest = {name: entry for name, entry in PRESENT["models"][model].items() if name != member}
        assert verdict({**PRESENT, "models": {**PRESENT["models"], model: rest}}) == [True], (model, member)


@pytest.mark.parametrize("required", [False, True])
def test_a_new_member_breaks_the_contract_where_it_is_required(required: bool) -> None:
    for model, members in PRESENT["models"].items():
        more = {**members, "a_new_one": {"required": required, "shape": {"type": "string"}}}
        assert verdict({**PRESENT, "models": {**PRESENT["models"], model: more}}) == [required], model


def test_a_member_that_becomes_required_or_optional_breaks_the_contract() -> None:
    for model, member in MEMBERS:
        new = copy.deepcopy(PRESENT["models"][model])
        new[member]["required"] = not new[member]["required"]
        assert verdict({**PRESENT, "models": {**PRESENT["models"], model: new}}) == [True], (model, member)


def test_a_tighter_pattern_breaks_the_contract() -> None:
    assert len(PATTERNS) > 20
    for model, member in PATTERNS:
        new = copy.deepcopy(PRESENT["models"][model])
        new[member]["shape"]["pattern"] = f"^a{new[member]['shape']['pattern'].removeprefix('^')}"
        assert verdict({**PRESENT, "models": {**PRESENT["models"], model: new}}) == [True], (model, member)


def test_an_argument_that_goes_or_changes_breaks_the_contract_and_a_new_one_does_not() -> None:
    for hook, argument in ARGUMENTS:
        promise = PRESENT["hooks"][hook]
        rest = {name: kind for name, kind in promise["arguments"].items() if name != argument}
        for arguments, breaking in (
            (rest, [True]),
            ({**rest, argument: "AnotherType"}, [True]),
            ({**rest, "another_name": promise["arguments"][argument]}, [True, False]),
            ({**promise["arguments"], "another": "Clinic | None"}, [False]),
        ):
            hooks = {**PRESENT["hooks"], hook: {**promise, "arguments": arguments}}
            assert verdict({**PRESENT, "hooks": hooks}) == breaking, (hook, arguments)


def test_a_build_refuses_a_contract_that_changed_since_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    released = copy.deepcopy(PRESENT)
    released["models"]["Pin"]["nickname"] = {"required": False, "shape": {"type": "string"}}
    monkeypatch.setattr(contract_lock, "RELEASED", tmp_path / "contract.released.json")
    contract_lock.RELEASED.write_bytes(contract_lock.text_of(released))
    assert build_schemas.main(["--check"]) == 1
    assert "breaking: Pin.nickname gone" in capsys.readouterr().err
    contract_lock.RELEASED.write_bytes(contract_lock.text_of(PRESENT))
    assert contract_lock.refusal(PRESENT) == ""


def test_a_release_has_recorded_its_contract_and_before_the_first_there_is_none() -> None:
    dated = re.findall(r"^## \[[0-9.]+\] - [0-9-]+$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert contract_lock.RELEASED.is_file() is bool(dated), "run tools/build_schemas.py --release with each release"
    assert contract_lock.refusal(PRESENT) == ""
