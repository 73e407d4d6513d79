"""Every document gets all its problems at once, each with code, sentence, pointer and next step."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, model_validator

from pore_plugin.contracts import DOCUMENTS, Clinic, Consultation, ContentDocument
from pore_plugin.contracts.base import DecimalString, Id, Instant, Integer, LocalDate, Model, Opt, Text, refuse
from pore_plugin.contracts.canonical import digest
from pore_plugin.contracts.limits import MAX_PROBLEMS
from pore_plugin.contracts.problems import Problem, ProblemsError
from pore_plugin.schemas import SchemaRegistry
from pore_plugin.validation import Engine, check, check_toml, problems

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
CORPUS = Path(__file__).resolve().parent / "corpus"

import build_schemas  # noqa: E402


class Yes(Model):
    """A tick."""

    type: Literal["yes"]
    ticked: bool


class Dose(Model):
    """An amount."""

    type: Literal["dose", "top-up"]
    amount: DecimalString
    at: Opt[Instant] = None


class Toy(Model):
    """A toy with every kind of member."""

    id: Id
    status: Literal["draft", "active"] = "draft"
    digest: Opt[str] = None
    name: Opt[Text] = None
    count: Opt[Annotated[Integer, Field(ge=1, le=5)]] = None
    born: Opt[LocalDate] = None
    either: Opt[bool | Integer | Yes] = None
    items: tuple[Annotated[Yes | Dose, Field(discriminator="type")], ...] = ()

    @model_validator(mode="after")
    def _no_dose_twice(self) -> Toy:
        amounts = [item.amount for item in self.items if isinstance(item, Dose)]
        if len(set(amounts)) != len(amounts):
            refuse("toy.dose_twice", "The same dose stands twice.", at="/items")
        return self


TOYS = {"toy": Toy}


def toys(*, stand_in: bool = False) -> Engine:
    made = {name: build_schemas.text_of(built) for name, built in build_schemas.build_all(TOYS).items()}
    return Engine(TOYS, SchemaRegistry(made, made.__getitem__, stand_in=stand_in))


@pytest.fixture(params=[False, True], ids=["fast", "stand-in"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return toys(stand_in=request.param)


def places(found: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.code) for problem in found]


def said(found: tuple[Problem, ...]) -> str:
    return " ".join(f"{problem.sentence} {problem.next_step}" for problem in found)


def test_a_good_document_comes_back_typed_and_as_read(engine: Engine) -> None:
    text = b'{"items": [{"type": "dose", "amount": "0.5"}], "id": "pore.toy"}'
    checked = engine.check(Toy, text)
    assert checked.model.items == (Dose(type="dose", amount="0.5"),)
    assert checked.document == json.loads(text)
    assert checked.digest == digest(json.loads(text))
    assert engine.check("toy", checked.document).digest == checked.digest
    assert repr(checked) == "Checked(Toy)"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": 1}, [("/id", "schema.type")]),
        ({"id": "Pore"}, [("/id", "schema.pattern")]),
        ({"id": "pore.a\n"}, [("/id", "schema.pattern")]),
        ({"id": "pore." + "a" * 200}, [("/id", "schema.limit")]),
        ({"count": 6}, [("/count", "schema.limit")]),
        ({"count": "5"}, [("/count", "schema.type")]),
        ({"count": True}, [("/count", "schema.type")]),
        ({"count": None}, [("/count", "schema.type")]),
        ({"count": 0.5}, [("/count", "number.float")]),
        ({"born": "2026-02-30"}, [("/born", "schema.format")]),
        ({"born": "1.2.1990"}, [("/born", "schema.pattern")]),
        ({"status": "activ"}, [("/status", "schema.enum")]),
        ({"name": {}}, [("/name", "schema.limit")]),
        ({"name": {"english": "a"}}, [("/name/english", "schema.unknown_member")]),
        ({"name": {"en": ""}}, [("/name/en", "schema.limit")]),
        ({"cuont": 1}, [("/cuont", "schema.unknown_member")]),
        ({"Jane Roe": 1}, [("", "schema.unknown_member")]),
        ({"items": {}}, [("/items", "schema.type")]),
        ({"items": [1]}, [("/items/0", "schema.type")]),
        ({"items": [{"ticked": True}]}, [("/items/0", "schema.required")]),
        ({"items": [{"type": "does", "amount": "1"}]}, [("/items/0/type", "schema.enum")]),
        ({"items": [{"type": 3, "amount": "1"}]}, [("/items/0/type", "schema.enum")]),
        ({"items": [{"type": "dose"}]}, [("/items/0", "schema.required")]),
        ({"items": [{"type": "yes", "ticked": 1}]}, [("/items/0/ticked", "schema.type")]),
        ({"items": [{"type": "dose", "amount": "0.50"}]}, [("/items/0/amount", "schema.pattern")]),
        ({"items": [{"type": "dose", "amount": "1", "at": "2026-03-01T09:30:00"}]}, [("/items/0/at", "instant.naive")]),
        (
            {"items": [{"type": "dose", "amount": "1", "at": "2026-03-01T09:30:00Z"}]},
            [("/items/0/at", "schema.pattern")],
        ),
        ({"either": "x"}, [("/either", "schema.type")]),
        ({"either": {"type": "yes"}}, [("/either", "schema.required")]),
        ({"items": [{"type": "dose", "amount": "1"}] * 2}, [("/items", "toy.dose_twice")]),
        ({"digest": "sha256:" + "0" * 64}, [("/digest", "digest.mismatch")]),
    ],
)
def test_each_fault_has_its_code_and_pointer(
    engine: Engine, members: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    document = {"id": "pore.toy", **members}
    assert places(engine.problems("toy", json.dumps(document))) == expected
    assert places(engine.problems("toy", document)) == expected


def test_all_problems_come_at_once_in_a_stable_order(engine: Engine) -> None:
    items: list[Any] = [{"type": "yes", "ticked": True}] * 12
    items[2], items[10] = 1, 2
    text = '{"status": 1, "status": "activ", "extra": 0.5, "items": ' + json.dumps(items) + "}"
    assert places(engine.problems("toy", text)) == [
        ("", "schema.required"),
        ("/extra", "number.float"),
        ("/items/2", "schema.type"),
        ("/items/10", "schema.type"),
        ("/status", "json.duplicate_key"),
    ]


def test_the_nearest_spelling_is_offered(engine: Engine) -> None:
    assert "Did you mean `count`?" in said(engine.problems("toy", {"id": "pore.a", "cuont": 1}))
    assert "Did you mean `active`?" in said(engine.problems("toy", {"id": "pore.a", "status": "Activ"}))
    found = engine.problems("toy", {"id": "pore.a", "items": [{"type": "topup", "amount": "1"}]})
    assert "Did you mean `top-up`?" in said(found)
    assert "`yes`, `dose`, `top-up`" in said(found)


def test_what_was_expected_is_said_in_words(engine: Engine) -> None:
    assert "a namespaced id" in said(engine.problems("toy", {}))
    assert 'such as "0.5"' in said(engine.problems("toy", {"id": "pore.a", "items": [{"type": "dose", "amount": 1}]}))
    assert "true or false or a whole number or an object" in said(
        engine.problems("toy", {"id": "pore.a", "either": "x"})
    )
    assert "never written as null" in said(engine.problems("toy", {"id": "pore.a", "count": None}))


def test_a_hostile_key_is_never_shown(engine: Engine) -> None:
    found = engine.problems("toy", {"id": "pore.a", "Jane Roe\x1b[2J": 1, "items": [{"+49 170 1234567": 1}]})
    assert "Jane" not in repr([problem.model_dump() for problem in found])
    assert "170" not in repr([problem.model_dump() for problem in found])


def test_problems_of_a_file_are_located(engine: Engine) -> None:
    found = engine.problems("toy", b'{\n  "id": "Pore",\n  "count": 9\n}', file="toy.json")
    assert [(p.location.file, p.location.line, p.location.column) for p in found if p.location] == [
        ("toy.json", 3, 12),
        ("toy.json", 2, 9),
    ]


def test_a_right_digest_is_accepted_and_status_stands_outside_it(engine: Engine) -> None:
    document: dict[str, Any] = {"id": "pore.a", "count": 1}
    document |= {"digest": digest(document), "status": "active"}
    assert engine.check("toy", document).digest == document["digest"]


def test_problems_end_at_a_published_number(engine: Engine) -> None:
    found = engine.problems("toy", {"id": "pore.a", "items": [1] * (MAX_PROBLEMS * 2)})
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].code == "problems.more"


@pytest.mark.parametrize("data", ["[]", "null", '"x"', "1", "", "[" * 100_000])
def test_anything_but_an_object_is_a_problem(engine: Engine, data: str) -> None:
    assert len(engine.problems("toy", data)) == 1


def test_a_contract_that_is_not_published_is_a_lookup_error(engine: Engine) -> None:
    for unknown in ("teddy", Yes):
        with pytest.raises(LookupError, match="no published contract"):
            engine.check(unknown, b"{}")


def test_a_problem_error_holds_codes_and_pointers_only() -> None:
    with pytest.raises(ProblemsError) as caught:
        check("consultation", {"id": "Jane Roe"})
    assert "Jane" not in str(caught.value)
    assert "schema.pattern at /id" in str(caught.value)


def test_every_bad_file_of_the_corpus_has_its_problems() -> None:
    manifest = json.loads((CORPUS / "bad.json").read_text())
    seen = set()
    for name, expected in manifest.items():
        contract = name.split("/")[0]
        path = CORPUS / name
        data = path.read_bytes()
        found = toml_problems(contract, data) if path.suffix == ".toml" else problems(contract, data, file=name)
        assert places(found) == [tuple(entry) for entry in expected], name
        assert all(problem.location for problem in found), name
        seen.add(path)
    assert seen == set(CORPUS.glob("*/bad-*"))


def toml_problems(contract: str, data: bytes) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsError) as caught:
        check_toml(contract, data, file="clinic.toml")
    return caught.value.problems


def test_every_good_file_of_the_corpus_is_accepted() -> None:
    files = sorted(CORPUS.glob("*/good*"))
    content = {name for name, model in DOCUMENTS.items() if issubclass(model, ContentDocument)}
    assert {path.parent.name for path in files} >= {"clinic", "consultation", *content}
    for path in files:
        contract, data = path.parent.name, path.read_bytes()
        checked = check_toml(contract, data) if path.suffix == ".toml" else check(contract, data)
        assert check(contract, checked.model.to_json()).model == checked.model


def test_the_settings_of_a_clinic_are_read_from_toml() -> None:
    checked = check_toml(Clinic, (CORPUS / "clinic" / "good.toml").read_bytes())
    assert checked.model.hours.monday[0].opens == "09:00"
    assert checked.model.policies.dose_figures[0].units == "2.5"


def test_models_are_told_apart_by_type_alone() -> None:
    data = (CORPUS / "consultation" / "good-all-types.json").read_bytes()
    assert check(Consultation, data).model == check("consultation", data).model


def test_accepting_a_document_loads_no_explaining_engine() -> None:
    program = (
        "import sys, pathlib; from pore_plugin.validation import check;"
        "check('consultation', pathlib.Path(sys.argv[1]).read_bytes());"
        "print([name for name in ('jsonschema', 'rfc8785', 'requests') if name in sys.modules])"
    )
    path = CORPUS / "consultation" / "good-all-types.json"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_a_required_member_that_is_misspelt_is_not_asked_for_as_if_it_were_missing() -> None:
    document = json.loads((CORPUS / "override" / "good.json").read_bytes())
    document["prescribr"] = document.pop("prescriber")
    found = {problem.code: problem.next_step for problem in problems("override", json.dumps(document).encode())}
    assert found["schema.required"] == "It seems to stand there as `prescribr`: rename that."
    assert found["schema.unknown_member"] == "Did you mean `prescriber`?"
