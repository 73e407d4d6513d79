"""A host with a pluggy manager and plug-ins of its own. It knows pore-plugin only by its hooks and its documents."""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

import pluggy

from pore_plugin import host_hookspecs, host_plugin
from pore_plugin.contracts.canonical import digest

Document = dict[str, Any]

hookspec = pluggy.HookspecMarker("small_host")
hookimpl = pluggy.HookimplMarker("small_host")


class HostSpecs:
    """The host's own hooks, older than pore-plugin and none of its business."""

    @hookspec
    def session_finished(self, treatment: str) -> str | None:
        """Say something about a finished session."""


class Billing:
    @hookimpl
    def session_finished(self, treatment: str) -> str:
        return f"Invoice for {treatment}."


class RefusedError(Exception):
    """What came back was a `problem-report`."""


def manager(settings: bytes) -> pluggy.PluginManager:
    pm = pluggy.PluginManager("small_host")
    pm.add_hookspecs(HostSpecs)
    pm.register(Billing())
    # The host's door: these two lines.
    pm.add_hookspecs(host_hookspecs(pm.project_name))
    pm.register(host_plugin(pm.project_name, settings=settings))
    return pm


def pin(record: Document) -> Document:
    """What later records refer to a record by."""
    return {"id": record["id"], "digest": digest(record)}


def content_pin(content: Document) -> Document:
    """What records refer to a content document by; at the door each carries its digest."""
    return {name: content[name] for name in ("id", "version", "digest")}


class Desk:
    """One case after the other, with every record kept as the document it came as."""

    def __init__(self, settings: bytes, clinic: str) -> None:
        self.pm = manager(settings)
        self.clinic = clinic
        self.records: list[Document] = []
        self.outbox: list[Document] = []

    def ask(self, hook: str, document: Document) -> Document:
        answer: Document = getattr(self.pm.hook, hook)(document=document)
        if set(answer) == {"problems"}:
            raise RefusedError("; ".join(f"{p['code']}: {p['sentence']}" for p in answer["problems"]))
        return answer

    def keep(self, answer: Document, part: str) -> Document:
        """Commit record and events together; a real host does this in one transaction."""
        record: Document = answer[part]
        self.records.append(record)
        self.outbox += answer["events"]
        return record

    def walk(self, case: Document) -> None:
        form = self.pm.hook.pore_consultation_form(locale="en")
        answers = {**case["consultation"], "form": content_pin(form), "clinic": self.clinic}
        consultation = self.keep(self.ask("pore_submit_consultation", answers), "consultation")

        planned = self.ask("pore_plan_procedure", {**case["plan"], "consultation": consultation})
        print(f"Verdict {planned['assessment']['verdict']}")
        if "plan" not in planned:
            return
        plan = self.keep(planned, "plan")

        papers = self.papers(case, consultation, planned)
        treated = case["treatment"]
        who = {"operator": treated["operator"], "prescriber": treated["prescriber"]}
        asked = {"case": papers, "at": treated["started_at"], **who}
        readiness = self.ask("pore_ready_to_treat", asked)["readiness"]
        print("Ready to treat" if readiness["ready"] else "; ".join(r["sentence"] for r in readiness["reasons"]))
        recorded = self.ask("pore_record_treatment", {"case": papers, "report": treated})
        treatment = self.keep(recorded, "treatment")
        print(*self.pm.hook.session_finished(treatment=plan["title"]["en"]))

        later = case.get("follow_up", {})
        wanted = {"treatment": treatment, "requested_steps": later.get("requested_steps", [])}
        dated = self.keep(self.ask("pore_follow_up_schedule", wanted), "follow_up_plan")
        print("Steps", " ".join(step["step"] for step in dated["steps"]))
        for response in later.get("responses", []):
            self.review(treatment, dated, dict(response))

    def papers(self, case: Document, consultation: Document, planned: Document) -> Document:
        """The case file: every record that is looked at on the day, among them those that people sign."""
        plan = planned["plan"]
        (sheet,) = [sheet for sheet in planned["consent_sheets"] if sheet["purpose"] == "treatment"]
        signer = case["approvals"][0]
        approvals = [
            {**signer, "id": f"approval-{number}", "document": document, "clinic": self.clinic}
            for number, document in enumerate(planned["to_approve"], 1)
        ]
        patient = {"clinic": self.clinic, "patient": consultation["patient"]["id"]}
        consent = {**case["consent"], **patient, "id": "consent-1", "text": sheet["text"], "plan": sheet["plan"]}
        return {
            "consultation": consultation,
            "assessment": planned["assessment"],
            "plan": plan,
            "day_form": {**case["day_form"], "form": content_pin(planned["day_form"]), "clinic": self.clinic},
            "consents": [{**consent, "substance": plan["substance"]}],
            "overrides": [{**item, **patient, "consultation": pin(consultation)} for item in case.get("overrides", [])],
            "authorisations": [{**item, **patient} for item in case["authorisations"]],
            "approvals": approvals,
            "vials": case["vials"],
        }

    def review(self, treatment: Document, dated: Document, response: Document) -> None:
        outcomes = response.pop("outcomes", [])
        at = response.pop("reviewed_at", response["recorded_at"])
        (step,) = [step for step in dated["steps"] if step["step"] == response["step"]]
        response |= {"form": step["form"], "follow_up_plan": pin(dated), "clinic": self.clinic}
        request = {
            "treatment": treatment,
            "follow_up_plan": dated,
            "response": response,
            "outcomes": outcomes,
            "at": at,
        }
        review = self.keep(self.ask("pore_review_follow_up", request), "review")
        signs = "; ".join(f"{flag['urgency']}: {flag['sign']['en']}" for flag in review["flags"])
        print(f"Review {review['step']}: {signs or 'no red flags'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clinic", type=Path)
    parser.add_argument("case", type=Path)
    given = parser.parse_args()
    settings = given.clinic.read_bytes()
    desk = Desk(settings, tomllib.loads(settings.decode())["id"])
    try:
        desk.walk(json.loads(given.case.read_bytes()))
    except RefusedError as refused:
        raise SystemExit(str(refused)) from None
    print(f"Kept {len(desk.records)} records, {len(desk.outbox)} events to publish")
