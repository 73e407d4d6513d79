"""Each step as a program: it takes what the step before printed, and prints what the next one takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import vobject

from cli_runs import CASES, Cli, Ran, program, sample_input
from pore_plugin.builtin import sample
from pore_plugin.cli.steps import Purpose
from pore_plugin.contracts import ConsentPurpose
from pore_plugin.contracts.canonical import digest


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(sample_input(tmp_path))
    monkeypatch.setenv("PORE_PLUGIN_CLINIC", "clinic.toml")
    return Cli(capsys, monkeypatch)


class Walk:
    """The steps of one case, each a program of its own that reads the documents that earlier ones printed."""

    def __init__(self, folder: Path, case: str) -> None:
        self.folder = sample_input(folder)
        self.case: dict[str, Any] = json.loads(sample(case))
        self.clinic = {"clinic": "sample-clinic"}

    def step(self, *words: str, document: dict[str, Any] | None = None) -> Ran:
        data = b"" if document is None else json.dumps(document).encode()
        end = () if document is None else ("-",)
        return program(*words, *end, "--clinic", "clinic.toml", "--format", "json", cwd=self.folder, stdin=data)

    def form_pin(self, form_id: str) -> dict[str, Any]:
        ran = self.step("form", form_id)
        assert ran.code == 0, ran.out
        form = ran.document("consultation-form")
        return {"id": form["id"], "version": form["version"], "digest": digest(form)}

    def approvals(self) -> list[dict[str, Any]]:
        pins = {}
        for case_pin in ("pore.form.consultation", "pore.form.day-of-treatment"):
            pins[case_pin] = self.form_pin(case_pin)
        return [
            {**approval, **self.clinic, "document": pins[approval["document"]]}
            for approval in self.case["approvals"]
            if approval["document"] in pins
        ]


def test_the_whole_way_from_printed_document_to_printed_document(tmp_path: Path) -> None:
    walk = Walk(tmp_path, "cases/4-peel.json")
    consultation = {**walk.case["consultation"], **walk.clinic, "form": walk.form_pin("pore.form.consultation")}

    submitted = walk.step("submit", document=consultation)
    assert submitted.code == 0, submitted.out
    submission = submitted.document("submission-result")
    assert submission["consultation_digest"] == digest(submission["consultation"])
    consultation = submission["consultation"]

    wanted = walk.case["plan"]
    context = {
        "stage": "consultation",
        "session": wanted["session"],
        "date": wanted["treatment_date"],
        "patient": consultation["patient"],
        "template": wanted["template"],
    }
    assessed = walk.step(
        "assess", document={"context": context, "consultation": consultation, "at": consultation["recorded_at"]}
    )
    assert assessed.code == 0, assessed.out
    assert assessed.document("assessment-result")["assessment"]["verdict"] in ("clear", "inform")

    planned = walk.step("plan", document={**wanted, "consultation": consultation})
    assert planned.code == 0, planned.out
    plan_result = planned.document("plan-result")
    plan = plan_result["plan"]
    assert plan_result["plan_digest"] == digest(plan)

    consented = walk.step("consent", document={**walk.case["consent"], "plan": plan})
    assert consented.code == 0, consented.out
    consent = consented.document("consent-result")["consent"]
    assert consent["plan"]["digest"] == digest(plan)

    day_form = {**walk.case["day_form"], **walk.clinic, "form": walk.form_pin(plan["day_form"])}
    case_file = {
        "consultation": consultation,
        "assessment": plan_result["assessment"],
        "plan": plan,
        "day_form": day_form,
        "consents": [consent],
        "approvals": walk.approvals(),
    }
    report = walk.case["treatment"]
    asked = walk.step("ready", document={"case": case_file, "operator": report["operator"], "at": report["started_at"]})
    readiness = asked.document("readiness-result")["readiness"]
    # Template, protocol and consent text are approved below, by the pins that plan and consent name.
    assert asked.code == 1
    assert {reason["code"] for reason in readiness["reasons"]} == {"approval.missing"}
    pins = [plan["template"], consent["text"], *([plan["protocol"]] if "protocol" in plan else [])]
    case_file["approvals"] += [
        {
            "id": f"approval-{number}",
            **walk.clinic,
            "document": pin,
            "approved_by": "dr-sample",
            "approved_at": "2026-09-01T09:00:00+01:00",
        }
        for number, pin in enumerate(pins, 20)
    ]
    planned = walk.step("plan", document={**wanted, "consultation": consultation, "approvals": case_file["approvals"]})
    plan_result = planned.document("plan-result")
    case_file |= {"plan": plan_result["plan"], "assessment": plan_result["assessment"]}
    consented = walk.step("consent", document={**walk.case["consent"], "plan": plan_result["plan"]})
    case_file["consents"] = [consented.document("consent-result")["consent"]]
    asked = walk.step("ready", document={"case": case_file, "operator": report["operator"], "at": report["started_at"]})
    assert asked.code == 0, asked.out

    treated = walk.step("treat", document={"case": case_file, "report": report})
    assert treated.code == 0, treated.out
    treatment = treated.document("treatment-result")["treatment"]

    request = {"treatment": treatment, "requested_steps": walk.case["follow_up"].get("requested_steps", [])}
    followed = walk.step("follow-up", "plan", "--ics", "visits.ics", document=request)
    assert followed.code == 0, followed.out
    follow_up = followed.document("follow-up-result")["follow_up_plan"]
    calendar = vobject.readOne((tmp_path / "visits.ics").read_text(encoding="utf-8"))
    visits = [step["due"] for step in follow_up["steps"] if step["kind"] == "visit"]
    assert [event.dtstart.value.isoformat() for event in calendar.vevent_list] == visits

    entry = walk.case["follow_up"]["responses"][0]
    (step,) = [step for step in follow_up["steps"] if step["step"] == entry["step"]]
    response = {
        **{key: value for key, value in entry.items() if key not in ("outcomes", "reviewed_at")},
        **walk.clinic,
        "form": step["form"],
        "follow_up_plan": {"id": follow_up["id"], "digest": digest(follow_up)},
    }
    reviewed = walk.step(
        "review",
        document={
            "treatment": treatment,
            "follow_up_plan": follow_up,
            "response": response,
            "outcomes": entry.get("outcomes", []),
            "at": entry.get("reviewed_at", entry["recorded_at"]),
        },
    )
    assert reviewed.code == 0, reviewed.out
    assert reviewed.document("review-result")["review"]["flags"] == []


REQUESTS = {
    "submit": ("01-consultation.json", "submission-result"),
    "assess": ("02-assessment.request.json", "assessment-result"),
    "plan": ("04-plan.request.json", "plan-result"),
    "consent": ("09-consent.request.json", "consent-result"),
    "ready": ("11-readiness.request.json", "readiness-result"),
    "treat": ("12-treatment.request.json", "treatment-result"),
    "follow-up plan": ("13-schedule.request.json", "follow-up-result"),
    "review": ("15-review-2-w4.request.json", "review-result"),
}


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one run of the demo leaves."""
    folder = tmp_path_factory.mktemp("left")
    assert program("demo", "--out", "demo-out", cwd=folder).code == 0
    return folder / "demo-out"


@pytest.mark.parametrize("command", REQUESTS)
def test_what_the_demo_asked_gives_what_the_demo_left(cli: Cli, left: Path, command: str) -> None:
    name, contract = REQUESTS[command]
    ran = cli(*command.split(), left / "1-treated" / name, "--format=json")
    assert (ran.code, ran.err) == (0, "")
    result = ran.document(contract)
    record = left / "1-treated" / name.replace(".request", "")
    assert json.loads(record.read_bytes()) in result.values()


@pytest.mark.parametrize("command", REQUESTS)
def test_every_step_has_a_sheet_to_read(cli: Cli, left: Path, command: str) -> None:
    name, _ = REQUESTS[command]
    ran = cli(*command.split(), left / "1-treated" / name)
    assert ran.code == 0
    assert not ran.out.startswith("{")
    sheet = left / "1-treated" / name.replace(".request", "").replace(".json", ".md")
    if command not in ("submit", "plan", "assess"):
        assert ran.out == sheet.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", REQUESTS)
def test_a_broken_document_is_a_finding_with_file_line_and_column(cli: Cli, left: Path, command: str) -> None:
    name, _ = REQUESTS[command]
    text = (left / "1-treated" / name).read_text(encoding="utf-8")
    Path("bad.json").write_text(text.replace('"sample-clinic"', '"no such clinic"', 1)[:-3], encoding="utf-8")
    ran = cli(*command.split(), "bad.json", "--format", "json")
    assert ran.code == 1
    for problem in ran.document("problem-report")["problems"]:
        assert problem["location"]["file"] == "bad.json"
        assert problem["location"]["line"] > 1
        assert problem["next_step"]
    said = cli(*command.split(), "bad.json")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("bad.json:")


def test_a_consultation_that_is_kept_as_a_draft_is_a_finding(cli: Cli, left: Path) -> None:
    document = json.loads((left / "1-treated/01-consultation.json").read_bytes())
    document["answers"] = document["answers"][:3]
    ran = cli("submit", "-", "--format", "json", stdin=json.dumps(document).encode())
    assert ran.code == 1
    result = ran.document("submission-result")
    assert (result["accepted"], result["consultation"]["status"]) == (False, "draft")
    said = cli("submit", "-", stdin=json.dumps(document).encode())
    assert "Kept as a draft" in said.out
    assert "[answers.required]" in said.err


@pytest.mark.parametrize(
    ("case", "command", "name"),
    [
        ("2-blocked", "assess", "02-assessment.request.json"),
        ("3-review", "assess", "02-assessment.request.json"),
        ("3-review", "plan", "04-plan.request.json"),
        ("3-review", "ready", "11-readiness.request.json"),
        ("1-treated", "review", "14-review-1-d2.request.json"),
    ],
)
def test_findings_leave_with_1_and_the_whole_result(cli: Cli, left: Path, case: str, command: str, name: str) -> None:
    ran = cli(command, left / case / name, "--format", "json")
    assert ran.code == 1
    ran.document(REQUESTS[command][1])


def test_a_treatment_against_the_rules_lists_every_deviation_it_needs(cli: Cli, left: Path) -> None:
    document = json.loads((left / "1-treated/12-treatment.request.json").read_bytes())
    document["case"]["consents"] = []
    document["case"]["authorisations"] = []
    ran = cli("treat", "-", "--format", "json", stdin=json.dumps(document).encode())
    assert ran.code == 1
    assert len(ran.codes()) >= 2


def test_figures_that_nobody_supplied_are_listed_all_at_once(cli: Cli, left: Path) -> None:
    document = json.loads((left / "1-treated/04-plan.request.json").read_bytes())
    del document["protocol"]
    ran = cli("plan", "-", "--format", "json", stdin=json.dumps(document).encode())
    assert ran.code == 1
    assert len(ran.document("plan-result")["missing"]) > 5
    sheet = cli("plan", "-", stdin=json.dumps(document).encode()).out
    assert "No plan yet: the clinic's protocol has to supply" in sheet


@pytest.mark.parametrize("purpose", get_args(ConsentPurpose))
def test_the_text_to_sign_is_printed_for_a_purpose(cli: Cli, left: Path, purpose: str) -> None:
    plan = left / "1-treated/04-plan.json"
    ran = cli("consent", plan, "--text", purpose, "--lot", "LOT-9", "--format", "json")
    assert ran.code == 0
    assert ran.document("consent-sheet")["purpose"] == purpose
    sheet = cli("consent", plan, "--text", purpose, "--lot", "LOT-9").out
    assert "Signature ____" in sheet
    assert ("LOT-9" in sheet) == (purpose == "treatment")


def test_every_purpose_of_consent_can_be_named() -> None:
    assert {purpose.value for purpose in Purpose} == set(get_args(ConsentPurpose))


def test_a_purpose_without_a_text_is_a_finding(cli: Cli, left: Path) -> None:
    document = json.loads((left / "1-treated/04-plan.json").read_bytes())
    document["consent_texts"] = ["pore.consent.treatment"]
    data = json.dumps(document).encode()
    assert cli("consent", "-", "--text", "teaching", "--format", "json", stdin=data).codes() == ["consent.no_text"]


def test_a_form_can_be_printed_to_fill_in_by_hand(cli: Cli) -> None:
    ran = cli("form", "pore.form.follow-up-d2")
    assert ran.code == 0
    assert "- [ ] yes  [ ] no" in ran.out
    assert "\nDigest sha256:" in ran.out


def test_a_form_that_there_is_not_is_a_finding(cli: Cli) -> None:
    assert cli("form", "pore.form.nothing", "--format", "json").codes() == ["catalogue.unknown"]


def test_records_written_beside_the_result_are_private(cli: Cli, left: Path, tmp_path: Path) -> None:
    assert cli("follow-up", "plan", left / "1-treated/13-schedule.request.json", "--ics", "new folder/v.ics").code == 0
    assert (tmp_path / "new folder/v.ics").stat().st_mode & 0o077 == 0
    assert (tmp_path / "new folder").stat().st_mode & 0o077 == 0


def test_a_result_that_cannot_be_written_could_not_be_done(cli: Cli, left: Path) -> None:
    Path("file").write_text("", encoding="utf-8")
    ran = cli("follow-up", "plan", left / "1-treated/13-schedule.request.json", "--ics", "file/v.ics", "--format=json")
    assert ran.code == 3
    assert ran.codes() == ["file.unwritable"]


def test_content_of_the_clinic_is_used(cli: Cli, left: Path) -> None:
    protocol = json.loads(
        (Path(__file__).parent.parent / "src/pore_plugin/content/protocols/sample-salicylic-peel.json").read_bytes()
    )
    protocol["id"] = "clinic.protocol.peel"
    Path("own").mkdir()
    Path("own/peel.json").write_text(json.dumps(protocol), encoding="utf-8")
    document = json.loads((left / "4-peel/04-plan.request.json").read_bytes())
    data = json.dumps({**document, "protocol": "clinic.protocol.peel"}).encode()
    assert cli("plan", "-", "--format=json", stdin=data).codes() == ["catalogue.unknown"]
    ran = cli("plan", "-", "--content", "own", "--format=json", stdin=data)
    assert ran.code == 0
    assert ran.document("plan-result")["plan"]["protocol"]["id"] == "clinic.protocol.peel"


def test_broken_content_of_the_clinic_could_not_be_done(cli: Cli) -> None:
    Path("own").mkdir()
    Path("own/a.json").write_text('{"type": "clinic-protocol"}', encoding="utf-8")
    Path("own/b.json").write_text('{"type": "clinic-protocl"}', encoding="utf-8")
    ran = cli("form", "--content", "own", "--format=json")
    assert ran.code == 3
    files = {problem["location"]["file"] for problem in ran.document("problem-report")["problems"]}
    assert files == {"own/a.json", "own/b.json"}


def test_no_patient_data_is_in_any_problem(cli: Cli, left: Path) -> None:
    canary = "Aloysia-Canary-Quux"
    for command, (name, _) in REQUESTS.items():
        text = (left / "1-treated" / name).read_text(encoding="utf-8")
        spoilt = text.replace('"patient-1"', f'"{canary} {canary}"').replace('"1990-05-17"', f'"{canary}"')
        for words in ((), ("--format", "json")):
            ran = cli(*command.split(), "-", *words, stdin=spoilt.replace('"locale"', f'"{canary} {canary}"').encode())
            assert ran.code == 1, command
            assert canary not in ran.out + ran.err, command


def test_every_case_of_the_sample_is_covered() -> None:
    assert [name.partition("/")[2] for name in CASES] == [
        "1-treated.json",
        "2-blocked.json",
        "3-review.json",
        "4-peel.json",
    ]
