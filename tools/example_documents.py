"""Writes examples/documents/: one real document for every contract, taken from a run of the demo's cases.

The smallest document of each contract that the cases produce or need; the few that no case has are written here.
`python tools/example_documents.py` writes, `--check` compares and names the command that mends.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src")]

from pore_plugin.builtin import documents, sample  # noqa: E402
from pore_plugin.clinical.follow_up.due import due_list  # noqa: E402
from pore_plugin.clinical.follow_up.reporting import FollowedTreatment, outcome_report  # noqa: E402
from pore_plugin.clinical.follow_up.states import advance, follow  # noqa: E402
from pore_plugin.contracts import DOCUMENTS, FollowUpPlan, Instrument, Model, ReviewRequest, StepHistory, digest  # noqa: E402
from pore_plugin.demo import run_case  # noqa: E402
from pore_plugin.hooks import CONTRACT_VERSION  # noqa: E402
from pore_plugin.validation import check, check_toml  # noqa: E402
from pore_plugin.workflow import PoreWorkflow  # noqa: E402

PLACE = ROOT / "examples" / "documents"
MEND = "make schemas"
_NAMES = {model: name for name, model in DOCUMENTS.items()}
_STEPS = ("submit", "assess", "plan", "consent", "ready", "treat", "follow_up", "review")
_REASON = "Seen by the patient's cardiologist, who has no objection."


class Recording(PoreWorkflow):
    """A workflow that keeps every document that goes in or out."""

    def __init__(self, seen: list[dict[str, Any]], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in _STEPS:
            setattr(self, name, self._kept(getattr(self, name), seen))

    def _kept(self, step: Callable[[Model], Model], seen: list[Any]) -> Callable[[Model], Model]:
        def keep(request: Model) -> Model:
            result = step(request)
            seen.extend((request, result))
            return result

        return keep


def examples() -> dict[str, dict[str, Any]]:
    """Return the smallest seen document of every contract."""
    clinic = check_toml("clinic", sample("clinic.toml"))
    seen: list[Any] = []
    workflow = Recording(seen, clinic.model, installed=False, environ={})
    for case in sorted((ROOT / "src/pore_plugin/content/sample/cases").glob("*.json")):
        run = run_case(workflow, json.loads(case.read_bytes()), "en")
        seen.extend(sheet.document for sheet in run.sheets)
    found: dict[str, dict[str, Any]] = {"clinic": clinic.document}
    for model in _walk(seen):
        name = _NAMES.get(type(model))
        if name is not None:
            _keep(found, name, model.to_document())
    for _, data in documents():
        document = json.loads(data)
        _keep(found, document["type"], document)
    for name, document in _written(found):
        _keep(found, name, document)
    for name, model in _followed(workflow, found, seen):
        _keep(found, name, model.to_document())
    lacking = sorted(set(DOCUMENTS) - set(found))
    if lacking:
        raise SystemExit(f"no example of: {', '.join(lacking)}")
    for name, document in found.items():
        check(name, document)
    return found


def _walk(values: Any) -> Iterator[Model]:
    if isinstance(values, Model):
        yield values
        for field in type(values).model_fields:
            yield from _walk(getattr(values, field))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _walk(value)


def _keep(found: dict[str, dict[str, Any]], name: str, document: dict[str, Any]) -> None:
    if name not in found or len(json.dumps(document)) < len(json.dumps(found[name])):
        found[name] = document


def _written(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield documents that a clinic writes and no case of the demo has."""
    consultation, treatment = found["consultation"], found["treatment-record"]
    common = {"clinic": "sample-clinic", "patient": consultation["patient"]["id"]}
    at = "2026-09-17T13:30:00+01:00"
    yield (
        "override",
        {
            "id": "override-1",
            **common,
            "consultation": found["procedure-plan"]["consultation"],
            "finding": "CVD",
            "prescriber": "dr-sample",
            "reason": "specialist-consulted",
            "reason_text": _REASON,
            "at": at,
        },
    )
    yield (
        "consent-withdrawal",
        {
            "id": "withdrawal-1",
            "clinic": "sample-clinic",
            "consent": found["consent"]["id"],
            "withdrawn_at": at,
            "recorded_by": "nurse-example",
        },
    )
    yield (
        "adverse-event",
        {
            "id": "adverse-event-1",
            **common,
            "treatment": treatment["id"],
            "code": "smile-asymmetry",
            "severity": "mild",
            "onset": "2026-09-12T18:00:00+01:00",
            "recorded_at": "2026-09-12T18:45:00+01:00",
            "recorded_by": "dr-sample",
            "action": "Seen the same day; photographs taken; review in a week.",
            "reportable": True,
            "product": "pore.product.bocouture-uk",
            "lots": ["SAMPLE-LOT-7"],
        },
    )
    yield from _lots(common, treatment)
    yield from _custody(common, consultation)
    yield (
        "problem-report",
        {
            "problems": [
                {
                    "code": "answers.required",
                    "sentence": "The required question pore.q.pregnancy is not answered.",
                    "pointer": "/answers",
                    "next_step": "Answer it, or keep the response as a draft.",
                }
            ]
        },
    )
    yield (
        "package-manifest",
        {
            "type": "package-manifest",
            "name": "acme-peels",
            "version": "1.0.0",
            "files": [{"path": "templates/peel.json", "sha256": "0123456789abcdef" * 4, "size": 8474}],
        },
    )
    yield "readiness-result", {"readiness": found["readiness"]}
    yield from _library(found)
    yield (
        "contract-list",
        {"contracts": [{"name": "vial", "schema_id": "urn:pore-plugin:schema:v0:vial", "title": "Vial"}]},
    )
    yield (
        "demo-report",
        {
            "input": "demo-out/input",
            "folder": "demo-out",
            "cases": [
                {
                    "case": "2-blocked",
                    "title": "Blocked: may be pregnant",
                    "verdict": "block",
                    "ended": "blocked at consultation",
                    "folder": "demo-out/2-blocked",
                }
            ],
        },
    )
    yield (
        "load-report",
        {
            "contract_version": CONTRACT_VERSION,
            "entries": [
                {"name": "pore", "state": "active", "contract": CONTRACT_VERSION, "hooks": ["pore_register_content"]}
            ],
        },
    )


def _lots(common: dict[str, Any], treatment: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is scanned, quarantined and recalled."""
    at = "2026-09-20T09:00:00+01:00"
    product = "pore.product.bocouture-uk"
    quarantine = {
        "id": "quarantine-1",
        "clinic": common["clinic"],
        "lot": "SAMPLE-LOT-7",
        "reason": "Invented: the maker recalls the lot.",
        "by": "dr-sample",
        "at": at,
    }
    event = {
        "id": "adverse-event-1",
        "patient": common["patient"],
        "treatment": treatment["id"],
        "code": "smile-asymmetry",
        "severity": "mild",
        "onset": "2026-09-12T18:00:00+01:00",
        "reportable": True,
        "lots": [quarantine["lot"]],
    }
    key = "SAMPLEL0T7"
    yield "lot-quarantine", quarantine
    yield "gs1-scan", {"gtin": "05012345678900", "lot": "C1234", "expiry": "2027-03-31", "serial": "7K2"}
    yield (
        "recall-report",
        {
            "clinic": common["clinic"],
            "lot": quarantine["lot"],
            "key": key,
            "generated_at": at,
            "quarantined": True,
            "quarantines": [quarantine],
            "patients": 1,
            "uses": [
                {
                    "patient": common["patient"],
                    "treatment": treatment["id"],
                    "record": treatment["id"],
                    "amended": False,
                    "date": treatment["date"],
                    "product": product,
                    "vials": [
                        {
                            "lot": quarantine["lot"],
                            "asked": True,
                            "product": product,
                            "expiry": "2027-03-31",
                            "used": "8",
                            "wasted": "92",
                        }
                    ],
                    "regions": [{"region": "pore.region.chin", "points": 20, "volume": "0.4", "units": "8"}],
                    "operator": "nurse-example",
                    "prescriber": "dr-sample",
                    "follow_up": {"state": "planned", "next_step": "W4", "next_due": "2026-10-08T10:00:00+01:00"},
                    "adverse_events": [event],
                }
            ],
            "near": [{"key": "SAMPLEL0T1", "lots": ["SAMPLE-LOT-1"], "uses": 2, "quarantined": False}],
            "sample": True,
        },
    )
    yield (
        "task",
        {
            "key": "task-1",
            **common,
            "code": "lot-recall",
            "title": {"en": "Tell the patient that lot SAMPLE-LOT-7, which they got, is recalled."},
            "about": treatment["id"],
            "created_at": at,
            "due": at,
            "ignores_hours": False,
        },
    )
    yield (
        "lot-adverse-events",
        {
            "clinic": common["clinic"],
            "generated_at": at,
            "lots": [
                {
                    "key": key,
                    "lots": [quarantine["lot"]],
                    "products": [product],
                    "uses": 1,
                    "quarantined": True,
                    "events": [event],
                }
            ],
        },
    )


def _library(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an overlay on a template of ours, and what the library says when its second version is imported."""
    base = found["procedure-template"]
    pinned = {"id": base["id"], "version": base["version"], "digest": digest(base)}
    step = base["steps"][0]
    place, was, now = f"steps/{step['id']}/title/en", step["title"]["en"], "Identity, age and address"
    overlay = {
        "type": "overlay",
        "id": "acme.overlay.peel",
        "version": "1.0.1",
        "title": {"en": "How Acme Clinic peels"},
        "base": pinned,
        "target": "acme.template.peel",
        "changes": [{"action": "set", "place": place, "was": was, "now": now}],
    }
    yield "overlay", overlay
    made = {**base, "id": overlay["target"], "version": "1.0.0"}
    old = {"id": made["id"], "version": "1.0.0", "digest": digest(made)}
    made = {**made, "version": "1.0.1", "steps": [{**step, "title": {"en": now}}, *base["steps"][1:]]}
    new = {"id": made["id"], "version": "1.0.1", "digest": digest(made)}
    change = {
        "pointer": "/steps/0/title/en",
        "place": place,
        "change": "changed",
        "was": json.dumps(was),
        "now": json.dumps(now),
        "change_class": "wording",
    }
    head = {"type": base["type"], "title": base["title"]}
    yield "content-diff", {"type": base["type"], "old": old, "new": new, "changes": [change], "needed_bump": "patch"}
    yield (
        "import-report",
        {
            "applied": False,
            "counts": {"created": 0, "changed": 1, "unchanged": 3, "conflicting": 0},
            "items": [
                {
                    **new,
                    **head,
                    "outcome": "changed",
                    "overlay": overlay["id"],
                    "previous": "1.0.0",
                    "changes": [change],
                    "needed_bump": "patch",
                    "touches": [
                        {"kind": "follow-up-plan", "version": "1.0.0", "count": 1, "records": ["follow-up-plan-1"]}
                    ],
                }
            ],
        },
    )
    approved = {"approved_by": "dr-sample", "valid_until": "2027-09-01"}
    yield (
        "content-list",
        {
            "entries": [
                {**old, **head, "origin": "clinic", "state": "active", **approved, "base": pinned},
                {**new, **head, "origin": "clinic", "state": "draft", "base": pinned},
            ]
        },
    )
    what = {"version": new["version"], "digest": new["digest"]}
    yield (
        "content-history",
        {
            "id": new["id"],
            "type": base["type"],
            "entries": [
                {
                    "seq": 1,
                    "at": "2026-09-01T10:00:00+01:00",
                    "by": "admin-example",
                    "action": "imported",
                    **what,
                    "changes": [change],
                },
                {
                    "seq": 2,
                    "at": "2026-09-01T11:30:00+01:00",
                    "by": "dr-sample",
                    "action": "approved",
                    **what,
                    "why": "Read against the consent text.",
                },
            ],
        },
    )


def _followed(workflow: PoreWorkflow, found: dict[str, dict[str, Any]], seen: list[Any]) -> Iterator[tuple[str, Model]]:
    """Yield what time makes of a follow-up plan: a move, the due list of that moment, the outcomes so far."""
    plan = check(FollowUpPlan, found["follow-up-plan"]).model
    now, zone, clinic = plan.steps[0].due, plan.zone, plan.clinic
    (move, *_) = advance(follow(plan), now, zone)
    yield "follow-up-move", move
    first = plan.steps[0]
    yield (
        "follow-up-history",
        StepHistory(
            clinic=clinic,
            patient=plan.patient,
            treatment=plan.treatment.id,
            follow_up_plan=plan.id,
            key=first.key,
            step=first.step,
            kind=first.kind,
            title=first.title,
            state=move.to_state,
            due=first.due,
            moves=(move,),
        ),
    )
    yield "due-list", due_list(follow(plan, [move]), clinic=clinic, now=now, zone=zone)
    request = next(one for one in seen if isinstance(one, ReviewRequest) and one.outcomes)
    treatment = FollowedTreatment(id=request.treatment.id, started_at=request.treatment.report.started_at)
    instruments = [entry.model for entry in workflow.catalogue.entries if isinstance(entry.model, Instrument)]
    yield (
        "outcome-report",
        outcome_report(
            request.outcomes,
            [treatment],
            instruments,
            clinic=clinic,
            patient=request.treatment.patient,
            at=request.at,
            zone=zone,
            messages={},
        ),
    )


def _custody(common: dict[str, Any], consultation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is written about keeping: who is whom, holds, erasures, the audit, and backups."""
    at, by, patient = "2026-10-01T09:00:00+01:00", "admin-placeholder", common["patient"]
    head = {"number": 42, "hash": "5a" * 32}
    said = {"clinic": common["clinic"], "at": at, "by": by}
    counts = [{"kind": "consultation", "count": 1}]
    kept = {"kind": "consultation", "id": consultation["id"]}
    pinned = "sha256:" + "0f" * 32
    stone = {"patient_hash": "3c" * 32, "at": at, "by": by, "reason": "Asked for in writing.", "counts": counts}
    entry = {"patient": patient, "host": "sample-host", "first_at": at, "last_at": at}
    audited = {
        "number": 7,
        "at": at,
        "actor": "dr-sample",
        "action": "patient.export",
        "patient": patient,
        "records": [{"mode": "read", **kept}],
    }
    yield (
        "patient-merge",
        {
            "id": "merge-1",
            "action": "merge",
            "patient": "patient-0002",
            "into": patient,
            "why": "Registered twice.",
            **said,
        },
    )
    yield (
        "legal-hold",
        {"id": "hold-1", "action": "hold", "patient": patient, "why": "A claim was announced.", **said},
    )
    yield (
        "record-correction",
        {
            "id": "correction-1.here",
            "patient": patient,
            "correction": "correction-1",
            "direction": "here",
            "recorded_as": "patient-0002",
            "records": [{**kept, "digest": pinned, "state": "completed"}],
            "why": "Two people with one name.",
            **said,
        },
    )
    yield (
        "record-redaction",
        {
            "id": "redaction-1",
            "patient": patient,
            "kind": "treatment-record",
            "record": "treatment-1",
            "revision": 1,
            "original_digest": pinned,
            "redacted_digest": "sha256:" + "1e" * 32,
            "pointers": ["/report/vials/0/vial/used_for/0"],
            **said,
        },
    )
    yield "patient-list", {"clinic": common["clinic"], "generated_at": at, "patients": [entry]}
    yield (
        "patient-export",
        {
            "clinic": common["clinic"],
            "patient": patient,
            "ids": [patient],
            "generated_at": at,
            "generated_by": by,
            "entry": entry,
            "records": [
                {
                    **kept,
                    "revision": 1,
                    "patient": patient,
                    "state": "completed",
                    "happened_at": at,
                    "recorded_at": at,
                    "recorded_by": "dr-sample",
                    "digest": pinned,
                    "document": {"id": consultation["id"]},
                }
            ],
            "audit": [audited],
        },
    )
    yield (
        "tombstone-list",
        {"clinic": common["clinic"], "generated_at": at, "key_check": "4d" * 32, "tombstones": [stone]},
    )
    yield (
        "erasure-report",
        {
            **said,
            "patient": patient,
            "applied": False,
            "last_at": at,
            "retention": "P8Y",
            "retention_ends": "2034-10-01",
            "records": counts,
            "rows": [{"kind": "record", "count": 1}, {"kind": "audit", "count": 3}],
            "refused": [
                {
                    "code": "erasure.retention",
                    "sentence": "The clinic's retention period is not over.",
                    "next_step": "Wait for its end, or say why it must be sooner with --despite-retention.",
                }
            ],
        },
    )
    yield (
        "retention-report",
        {
            **said,
            "retention": "P8Y",
            "applied": False,
            "patients": [{"patient": patient, "last_at": at, "ended": "2026-09-30", "records": 12}],
        },
    )
    yield (
        "audit-check",
        {"clinic": common["clinic"], "at": at, "intact": True, "entries": 42, "erased": 3, "head": head},
    )
    yield "audit-list", {**said, "patient": patient, "ids": [patient], "entries": [audited]}
    yield (
        "backup-manifest",
        {
            "clinic": common["clinic"],
            "file": "pore-2026-10-01.backup",
            "taken_at": at,
            "revision": "0001",
            "version": "0.1.0",
            "tables": [{"table": "record", "rows": 12, "sha256": "6b" * 32}],
            "audit": head,
            "verified": True,
        },
    )
    yield (
        "restore-report",
        {
            **said,
            "file": "pore-2026-10-01.backup",
            "applied": True,
            "taken_at": at,
            "rows": [{"kind": "record", "count": 12}],
            "tombstones": 1,
            "erased_again": 1,
            "paused": "Restored from a backup: what was delivered since then is not known.",
        },
    )
    yield "resume-report", {**said, "paused_at": at, "was": "Restored from a backup.", "why": "Compared with the host."}


def main() -> int:
    """Write or check the examples; exit code 1 when they are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    wanted = {
        PLACE / f"{name}.json": (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
        for name, document in examples().items()
    }
    stale = [path for path, data in wanted.items() if not path.exists() or path.read_bytes() != data]
    stale += [path for path in PLACE.glob("*.json") if path not in wanted]
    if arguments.check:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)}")
        print(f"Run: {MEND}" if stale else f"{len(wanted)} examples are fresh.")
        return 1 if stale else 0
    PLACE.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_bytes(wanted[path]) if path in wanted else path.unlink()
    print(f"{len(stale)} of {len(wanted)} examples written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
