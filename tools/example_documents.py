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
from pore_plugin.contracts import DOCUMENTS, Model  # noqa: E402
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
    yield "readiness-result", {"readiness": found["readiness"]}
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
