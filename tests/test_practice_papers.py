"""Papers: kept after a look at what they refer to, corrected by appending; and what a kept record renders from."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Cli
from factories import azzalure_protocol, case_input, changed, clinic, consultation, content_document
from hook_plugins import plugin
from pore_plugin import check
from pore_plugin.contracts import Authorisation, Model, Outcome, Override, ProblemsError
from pore_plugin.practice import Records, amend, case_of, corrections, keep, privacy, record_of, render
from pore_plugin.practice.keeping import WAYS
from pore_plugin.practice.papers import PAPERS
from pore_plugin.storage import Database
from practice_cases import adverse_event, desk, kept_case, quarantine, rows, withdrawal


@pytest.fixture
def records(database: Database) -> Records:
    return Records(desk(database))


def codes(raised: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return sorted(problem.code for problem in raised.value.problems)


def outcome(**members: Any) -> Outcome:
    given = case_input()["follow_up"]["responses"][1]["outcomes"][0]
    return check(Outcome, {**given, "id": "o-99", **members}).model


def papers(records: Records) -> dict[str, tuple[Model, dict[str, Any]]]:
    """Return one good paper of every kind for the sample case."""
    run = kept_case(records)
    assert run.plan is not None
    case = case_of(records.desk, run.plan.id)
    given = case.plan.consultation.to_document()
    override = {
        "id": "override-1",
        "clinic": "sample-clinic",
        "patient": "patient-1",
        "consultation": given,
        "finding": "CVD",
        "prescriber": "dr-sample",
        "reason": "specialist-consulted",
        "at": "2026-09-08T10:00:00+01:00",
    }
    return {
        "adverse-event": (adverse_event(), {}),
        "approval": (changed(case.approvals[0], id="approval-99"), {}),
        "authorisation": (changed(case.authorisations[0], id="authorisation-99"), {}),
        "consent-withdrawal": (withdrawal(case.consents[0].id), {}),
        "lot-quarantine": (quarantine(), {}),
        "outcome": (outcome(), {"patient": "patient-1"}),
        "override": (check(Override, override).model, {}),
        "vial": (changed(case.vials[0], id="vial-99"), {}),
    }


def test_every_record_has_a_step_or_is_a_paper() -> None:
    made_by_a_step = {
        "assessment",
        "consent",
        "consultation",
        "follow-up-move",
        "follow-up-plan",
        "follow-up-response",
        "follow-up-review",
        "procedure-plan",
        "treatment-record",
    }
    assert set(WAYS) - PAPERS == made_by_a_step


def test_every_paper_is_kept_once_and_told_once(database: Database, records: Records) -> None:
    given = papers(records)
    assert set(given) == PAPERS
    told = {
        "adverse-event": "adverse_event.reported",
        "approval": "approval.given",
        "authorisation": "authorisation.issued",
        "consent-withdrawal": "consent.withdrawn",
        "lot-quarantine": "lot.quarantined",
        "outcome": "outcome.recorded",
        "override": "override.recorded",
        "vial": "vial.registered",
    }
    for kind, (paper, more) in given.items():
        assert keep(records.desk, paper, **more)
        with records.desk.use("test") as unit:
            row = unit.records.latest(kind, paper.id)  # type: ignore[attr-defined]
            assert row is not None
            assert row.document == paper.to_json()
            assert row.patient == (None if kind in ("approval", "lot-quarantine", "vial") else "patient-1")
            heard = [one for one in unit.outbox.in_state() if one.subject == paper.id]  # type: ignore[attr-defined]
            assert [one.topic for one in heard] == [told[kind]]
            assert b"patient-1" not in heard[0].document
    before = rows(database)
    for paper, more in given.values():
        assert not keep(records.desk, paper, **more)
    assert rows(database) == before


@pytest.mark.parametrize(
    ("kind", "members", "found"),
    [
        ("adverse-event", {"treatment": "treatment-77"}, ["record.unknown"]),
        ("adverse-event", {"patient": "patient-4"}, ["record.patient"]),
        ("adverse-event", {"recorded_by": "nobody-here", "treatment": "t"}, ["record.person", "record.unknown"]),
        ("adverse-event", {"clinic": "another-clinic"}, ["record.clinic"]),
        ("adverse-event", {"resolved_at": "2026-09-13T10:00:00+01:00"}, ["adverse_event.time_order"]),
        ("authorisation", {"patient": "patient-77"}, ["record.unknown_patient"]),
        ("authorisation", {"product": "pore.product.bocoture"}, ["catalogue.unknown"]),
        ("consent-withdrawal", {"consent": "consent-77"}, ["record.unknown"]),
        ("consent-withdrawal", {"withdrawn_at": "2026-09-01T10:00:00+01:00"}, ["withdrawal.time_order"]),
        ("lot-quarantine", {"by": "nobody-here"}, ["record.person"]),
        ("outcome", {"value": "77777"}, ["outcome.out_of_range"]),
        ("override", {"patient": "patient-4"}, ["record.patient"]),
        (
            "override",
            {"consultation": {"id": "consultation-1", "digest": f"sha256:{'0' * 64}"}},
            ["record.other_digest"],
        ),
        ("vial", {"product": "acme.product.unknown"}, ["catalogue.unknown"]),
    ],
)
def test_a_paper_that_refers_to_nothing_here_is_refused_and_leaves_nothing(
    database: Database, records: Records, kind: str, members: dict[str, Any], found: list[str]
) -> None:
    kept_case(records, "4-peel")
    paper, more = papers(records)[kind]
    before = rows(database)
    with pytest.raises(ProblemsError) as raised:
        keep(records.desk, changed(paper, **members), **more)
    assert codes(raised) == found
    assert rows(database) == before


def test_another_paper_under_an_id_is_refused_and_a_correction_is_appended(records: Records) -> None:
    papers(records)
    keep(records.desk, outcome(), patient="patient-1")
    with pytest.raises(ProblemsError) as raised:
        keep(records.desk, outcome(value="5"), patient="patient-1")
    assert codes(raised) == ["record.differs"]
    assert amend(records.desk, outcome(value="5"), why="Typed wrongly", patient="patient-1")
    with records.desk.use("test") as unit:
        kept = [Outcome.from_json(row.document).value for row in unit.records.revisions("outcome", "o-99")]
        assert kept == [outcome().value, "5"]
        assert "outcome.corrected" in {row.topic for row in unit.outbox.of_patient(["patient-1"])}
        assert any(row.details and b"Typed wrongly" in row.details for row in unit.audit.of_patient(["patient-1"]))


@pytest.mark.parametrize("kind", ["adverse-event", "consent-withdrawal", "override"])
def test_what_was_said_is_never_corrected_under_its_own_id(records: Records, kind: str) -> None:
    paper, more = papers(records)[kind]
    keep(records.desk, paper, **more)
    with pytest.raises(ProblemsError) as raised:
        amend(records.desk, paper, why="Because", **more)
    assert codes(raised) == ["record.not_amended"]


def test_an_adverse_event_is_open_until_it_is_resolved(records: Records) -> None:
    kept_case(records)
    keep(records.desk, adverse_event())
    resolved = adverse_event(resolved_at="2026-09-19T10:00:00+01:00")
    against = [{one.code for one in privacy.erase(records.desk, "patient-1", "Asked for.").refused}]
    assert keep(records.desk, resolved)
    against.append({one.code for one in privacy.erase(records.desk, "patient-1", "Asked for.").refused})
    assert ["erasure.adverse_event" in found for found in against] == [True, False]
    assert not keep(records.desk, adverse_event())
    with records.desk.use("test") as unit:
        told = [row.topic for row in unit.outbox.of_patient(["patient-1"]) if row.subject == "event-1"]
    assert told == ["adverse_event.reported", "adverse_event.resolved"]


def test_an_adverse_event_of_a_corrected_session_is_resolved_as_it_was_told(records: Records) -> None:
    kept_case(records)
    keep(records.desk, adverse_event())
    corrections.correct(records.desk, "treatment-1", "patient-9", "Two people.", host="sample-host")
    assert keep(records.desk, adverse_event(resolved_at="2026-09-19T10:00:00+01:00"))
    with records.desk.use("test") as unit:
        rows_of = unit.records.revisions("adverse-event", "event-1")
        assert [(row.patient, row.state) for row in rows_of] == [("patient-9", "active"), ("patient-9", "resolved")]


def test_a_record_with_a_step_is_no_paper(records: Records) -> None:
    with pytest.raises(ProblemsError) as raised:
        keep(records.desk, consultation())
    assert codes(raised) == ["record.has_step"]


def test_an_authorisation_is_revoked_once_and_for_all(records: Records) -> None:
    paper, _ = papers(records)["authorisation"]
    keep(records.desk, paper)
    revoked = changed(paper, revoked_at="2026-09-09T09:00:00+01:00")
    assert keep(records.desk, revoked)
    assert not keep(records.desk, paper)
    with pytest.raises(ProblemsError) as raised:
        keep(records.desk, changed(paper, revoked_at="2026-09-12T09:00:00+01:00"))
    assert codes(raised) == ["record.differs"]
    assert isinstance(paper, Authorisation)
    assert record_of(records.desk, "authorisation", paper.id) == revoked


# -- rendering ---------------------------------------------------------------------------------------------------------

QUESTION = {
    "type": "text",
    "id": "acme.q.sleep",
    "text": {"en": "How well do you sleep?"},
    "required": False,
}


def asking(words: str) -> Any:
    question = {**QUESTION, "text": {"en": words}}
    return plugin(pore_register_questions=lambda form: [{"section": form.sections[0].id, "question": question}])


def every_sheet(records: Records) -> dict[tuple[str, str], str]:
    with records.desk.use("test") as unit:
        ids = [(kind, row.id) for kind in WAYS for row in unit.records.of_kind(kind)]
    return {(kind, one): render(records.desk, kind, one) for kind, one in ids}


def test_every_record_renders(records: Records) -> None:
    for paper, more in papers(records).values():
        keep(records.desk, paper, **more)
    sheets = every_sheet(records)
    assert {kind for kind, _ in sheets} == set(WAYS)
    assert all("**SAMPLE**" in sheet for sheet in sheets.values())
    assert "Nell Example" in sheets["treatment-record", "treatment-1"]
    assert "BOCOUTURE" in sheets["vial", "vial-1"]
    assert "pore.region" not in sheets["treatment-record", "treatment-1"]


@pytest.mark.parametrize("later", [None, "Do you sleep at all?"])
def test_answers_render_from_the_form_they_were_given_on(database: Database, later: str | None) -> None:
    """Whether the extension is upgraded or removed."""
    asked = Records(desk(database, plugins={"acme": asking("How well do you sleep?")}))
    form = asked.form()
    assert "+" in form.pin.version
    answers = consultation(asked)  # type: ignore[arg-type]
    told = {"question": "acme.q.sleep", "type": "text", "value": "Like a log"}
    asked.submit(changed(answers, answers=[*answers.to_document()["answers"], told]))
    before = render(asked.desk, "consultation", answers.id)
    assert "How well do you sleep?" in before
    assert "Like a log" in before
    after = Records(desk(database, plugins={"acme": asking(later)} if later else None))
    assert after.form().pin != form.pin
    assert render(after.desk, "consultation", answers.id) == before


def test_no_content_that_goes_changes_a_sheet(database: Database) -> None:
    """The protocol goes, and so does everything else that the clinic handed in."""
    protocol = {**azzalure_protocol("UK"), "id": "clinic.protocol.forehead"}
    settings = clinic(policies={"accepted_suggestions": list(clinic("clinic-us.toml").policies.accepted_suggestions)})
    records = Records(desk(database, settings, content=[protocol]))
    plan = {
        **case_input()["plan"],
        "template": "pore.template.microtoxin-forehead-sebum",
        "product": "pore.product.azzalure-uk",
        "protocol": "clinic.protocol.forehead",
    }
    run = kept_case(records, plan=plan, treatment=None, follow_up=None, authorisations=None, approvals=None)
    assert run.plan is not None
    before = every_sheet(records)
    assert every_sheet(Records(desk(database, settings))) == before
    again = Records(
        desk(database, settings, content=[{**protocol, "title": {"en": "Other words"}, "version": "9.0.0"}])
    )
    assert every_sheet(again) == before


def test_content_that_changes_under_its_version_is_refused(database: Database) -> None:
    protocol = content_document("pore.protocol.sample-microtoxin-pores-inco-uk") | {"id": "clinic.protocol.pores"}
    plan = {**case_input()["plan"], "protocol": "clinic.protocol.pores"}
    parts: dict[str, Any] = {"plan": plan, "treatment": None, "follow_up": None, "authorisations": None}
    kept_case(Records(desk(database, content=[protocol])), **parts, approvals=None)
    other = Records(desk(database, content=[protocol | {"title": {"en": "Other words"}}]))
    with pytest.raises(ProblemsError) as raised:
        kept_case(other, **parts, approvals=None)
    assert {"content.differs", "catalogue.duplicate"} & set(codes(raised))


def test_handed_in_content_stays_in_use_after_a_record_pinned_it(database: Database) -> None:
    protocol = content_document("pore.protocol.sample-microtoxin-pores-inco-uk") | {"id": "clinic.protocol.pores"}
    plan = {**case_input()["plan"], "protocol": "clinic.protocol.pores"}
    parts: dict[str, Any] = {"plan": plan, "treatment": None, "follow_up": None, "authorisations": None}
    first = kept_case(Records(desk(database, content=[protocol])), **parts, approvals=None)
    again = kept_case(Records(desk(database, content=[protocol])), **parts, approvals=None)
    assert first.plan == again.plan is not None


def test_what_is_not_kept_is_said(records: Records) -> None:
    with pytest.raises(ProblemsError) as unknown:
        render(records.desk, "consultation", "c-77")
    assert codes(unknown) == ["record.unknown"]
    with pytest.raises(ProblemsError) as kind:
        record_of(records.desk, "readiness", "c-77")
    assert codes(kind) == ["record.kind"]


# -- the command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Cli:
    monkeypatch.chdir(tmp_path)
    for name in ("PORE_PLUGIN_CLINIC", "PORE_PLUGIN_DATABASE", "PORE_PLUGIN_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    return Cli(capsys, monkeypatch)


@pytest.fixture
def demo(cli: Cli, tmp_path: Any) -> Callable[..., Any]:
    """A command on the input and the records that the demo left."""
    assert cli("demo").code == 0
    there = ["--clinic", "demo-out/input/clinic.toml", "--database", "demo-out/records.sqlite"]
    return lambda *words: cli(*words, *there, "--as", "dr-sample")


def test_a_step_is_kept_only_where_a_database_is_named(cli: Cli, tmp_path: Any) -> None:
    cli("demo")
    step = ["submit", "demo-out/1-treated/01-consultation.json", "--clinic", "demo-out/input/clinic.toml"]
    assert cli(*step).code == 0
    assert not (tmp_path / "mine.sqlite").exists()
    assert cli(*step, "--database", "mine.sqlite").code == 0
    assert (tmp_path / "mine.sqlite").stat().st_mode & 0o777 == 0o600
    ran = cli("sheet", "consultation", "consultation-1", *step[2:], "--database", "mine.sqlite", "--format", "json")
    assert ran.document("consultation")["id"] == "consultation-1"


def test_the_environment_names_the_database_too(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    cli("demo")
    monkeypatch.setenv("PORE_PLUGIN_DATABASE", str(tmp_path / "theirs.sqlite"))
    step = ["submit", "demo-out/1-treated/01-consultation.json", "--clinic", "demo-out/input/clinic.toml"]
    assert cli(*step).code == 0
    assert cli("sheet", "consultation", "consultation-1", *step[2:]).code == 0


def kept_rows(file: Path) -> dict[str, list[Any]]:
    """Everything that is kept, but for the audit: that somebody asked again is in it."""
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        others = [name for name in names if name not in ("audit", "clinic")]
        return {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in others}  # noqa: S608


def test_every_step_of_the_demo_is_done_again_without_a_trace(demo: Callable[..., Any], tmp_path: Any) -> None:
    steps = {
        "submit": "01-consultation.json",
        "assess": "02-assessment.request.json",
        "plan": "04-plan.request.json",
        "consent": "09-consent.request.json",
        "ready": "11-readiness.request.json",
        "treat": "12-treatment.request.json",
        "follow-up plan": "13-schedule.request.json",
        "review": "15-review-2-w4.request.json",
    }
    file = tmp_path / "demo-out" / "records.sqlite"
    before = kept_rows(file)
    for words, name in steps.items():
        ran = demo(*words.split(), f"demo-out/1-treated/{name}")
        assert ran.code in (0, 1), (words, ran.err)
        assert ran.err == ("" if words == "ready" else f"Kept in {file}.\n"), words
    assert kept_rows(file) == before


def test_a_withdrawal_on_the_command_line_stops_the_next_question(demo: Callable[..., Any], tmp_path: Any) -> None:
    consent = check("consent", (tmp_path / "demo-out/1-treated/09-consent.json").read_bytes()).document["id"]
    paper = tmp_path / "withdrawal.json"
    paper.write_bytes(withdrawal(consent).to_json())
    assert "Kept." in demo("record", "consent-withdrawal", "withdrawal.json").out
    assert "nothing was written" in demo("record", "consent-withdrawal", "withdrawal.json").out
    ran = demo("ready", "demo-out/1-treated/11-readiness.request.json", "--format", "json")
    assert ran.code == 1
    codes = {reason["code"] for reason in ran.document("readiness-result")["readiness"]["reasons"]}
    assert codes == {"consent.withdrawn"}


def test_a_case_is_printed_as_its_contract(demo: Callable[..., Any], tmp_path: Any) -> None:
    plan = check("procedure-plan", (tmp_path / "demo-out/1-treated/04-plan.json").read_bytes()).document["id"]
    case = demo("case", plan, "--format", "json").document("case-file")
    assert case["plan"]["id"] == plan
    assert "Withdrawals: none" in demo("case", plan).out
    assert demo("case", "unknown-plan").code == 1


def test_a_misspelt_paper_is_a_usage_error(demo: Callable[..., Any]) -> None:
    ran = demo("record", "adverse-evnt", "x.json")
    assert ran.code == 2
    assert "adverse-event" in ran.err


def test_an_adverse_event_names_only_lots_of_its_treatment(records: Records) -> None:
    kept_case(records)
    with pytest.raises(ProblemsError) as raised:
        keep(records.desk, adverse_event(lots=["SAMPLE-LOT-7", "NEVER-USED"]))
    (found,) = raised.value.problems
    assert (found.code, found.pointer) == ("event.lot", "/lots/1")
    assert "SAMPLE-LOT-7" in (found.next_step or "")
    assert keep(records.desk, adverse_event(lots=["sample lot 7"]))


def test_what_a_paper_tells_of_has_happened(records: Records) -> None:
    kept_case(records)
    with pytest.raises(ProblemsError) as raised:
        keep(records.desk, adverse_event(onset="2150-01-01T00:00:00+00:00"))
    assert codes(raised) == ["record.future"]
