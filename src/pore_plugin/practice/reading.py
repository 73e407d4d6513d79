"""A kept record as a sheet: from its very bytes, and the bytes of the content that it was made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .. import rendering
from ..contracts import (
    DOCUMENTS,
    Consent,
    ConsentWithdrawal,
    Consultation,
    ConsultationForm,
    ContentDocument,
    FollowUpPlan,
    FollowUpResponse,
    Model,
    Pin,
    ProcedurePlan,
    RecordPin,
    TreatmentRecord,
    refusal,
)
from ..storage import Unit
from ..storage.rows import RecordRow
from .desk import Desk
from .keeping import contract_of, read

__all__ = ["record_of", "render"]


def record_of(desk: Desk, kind: str, record_id: str, *, revision: int | None = None) -> Model:
    """Return a kept record, in its newest revision or the one that is named.

    Raises `ProblemsError`: `record.kind`, `record.unknown`.
    """
    contract = contract_of(kind)
    with desk.use("record.read") as unit:
        return read(contract, _row(unit, kind, record_id, revision))


def render(desk: Desk, kind: str, record_id: str, *, locale: str = "en", revision: int | None = None) -> str:
    """Return a kept record as Markdown. No content that came or went since changes it.

    Raises `ProblemsError`: `record.kind`, `record.unknown`, `content.unknown`.
    """
    contract = contract_of(kind)
    with desk.use("record.render") as unit:
        row = _row(unit, kind, record_id, revision)
        sheet = _SHEETS.get(kind, _paper)(_Page(desk, unit, row, locale), read(contract, row))
    return rendering.mark_sample(sheet) if desk.clinic.sample else sheet


def _row(unit: Unit, kind: str, record_id: str, revision: int | None) -> RecordRow:
    row = unit.records.latest(kind, record_id) if revision is None else unit.records.revision(kind, record_id, revision)
    if row is None:
        raise refusal("record.unknown", f"No {kind} is kept under this id.", "Check the id and the clinic.")
    return row


@dataclass(frozen=True, slots=True)
class _Page:
    desk: Desk
    unit: Unit
    row: RecordRow
    locale: str

    def form(self, pin: Pin) -> ConsultationForm:
        """Return the form that was answered, from the bytes that were kept with the answers."""
        kept = self.unit.content.get(pin.id, pin.version)
        if kept is None or kept.digest != pin.digest:
            raise refusal(
                "content.unknown",
                "The form that was answered was never kept here.",
                "Restore a backup that holds it, or hand in the content that does.",
            )
        return ConsultationForm.from_json(kept.canonical)

    def names(self) -> rendering.Names:
        """Return what the ids of the record were called when it was kept."""
        documents = []
        for content_id, version in self.unit.records.pins_of(self.row.kind, self.row.id, self.row.revision):
            kept = self.unit.content.get(content_id, version)
            if kept is not None and isinstance(
                model := DOCUMENTS[kept.type].from_json(kept.canonical), ContentDocument
            ):
                documents.append(model)
        return rendering.names_of(self.desk.clinic, documents, self.locale)

    def plan(self, pin: RecordPin) -> ProcedurePlan | None:
        """Return a plan as it was pinned."""
        row = self.unit.records.with_digest("procedure-plan", pin.id, pin.digest)
        return read(ProcedurePlan, row) if row is not None else None

    def sample(self) -> bool:
        """Whether the treatment that this belongs to was a sample."""
        about = self.row.subject
        row = self.unit.records.latest("treatment-record", about) if about is not None else None
        return row is not None and read(TreatmentRecord, row).sample


def _answers(page: _Page, record: Consultation | FollowUpResponse) -> str:
    return rendering.answers_sheet(page.form(record.form), record, page.locale)


def _consent(page: _Page, record: Consent) -> str:
    plan = page.plan(record.plan)
    return rendering.consent_sheet(record, page.names(), sample=plan is not None and plan.sample)


def _treatment(page: _Page, record: TreatmentRecord) -> str:
    return rendering.treatment_sheet(record, page.locale, page.names(), page.plan(record.plan))


def _follow_up(page: _Page, record: FollowUpPlan) -> str:
    return rendering.follow_up_sheet(record, page.locale, sample=page.sample())


def _paper(page: _Page, record: Model) -> str:
    title = page.row.kind.replace("-", " ").capitalize()
    if isinstance(record, ConsentWithdrawal):
        title = "Withdrawal of a consent"
    return rendering.paper_sheet(title, record.to_document(), page.names())


_SHEETS: Mapping[str, Callable[[_Page, Any], str]] = MappingProxyType(
    {
        "assessment": lambda page, record: rendering.assessment_sheet(record, page.locale, page.names()),
        "consent": _consent,
        "consultation": _answers,
        "follow-up-plan": _follow_up,
        "follow-up-response": _answers,
        "follow-up-review": lambda page, record: rendering.review_sheet(record, page.locale, page.names()),
        "procedure-plan": lambda page, record: rendering.plan_sheet(record, page.locale),
        "treatment-record": _treatment,
    }
)
