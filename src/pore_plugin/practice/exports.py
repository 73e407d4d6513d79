"""Everything that is kept of a patient: as one document, and as an archive for people and machines."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from .. import rendering
from ..contracts import (
    DOCUMENTS,
    Assessment,
    Consent,
    Consultation,
    ConsultationForm,
    FollowUpPlan,
    FollowUpResponse,
    FollowUpReview,
    FrozenMap,
    KeptMessage,
    KeptRecord,
    KeptResult,
    KeptStep,
    Model,
    PatientExport,
    Pin,
    ProblemsError,
    ProcedurePlan,
    TreatmentRecord,
    digest,
)
from ..rendering import custody as sheets
from ..storage import Unit
from ..storage.rows import RecordRow
from ..storage.traces import Traces
from ..validation import check
from ..validation.jsontext import read_json
from .auditing import audit_entries
from .desk import Desk
from .patients import entry_of, everything, instant, person

__all__ = ["archive", "export_patient"]


def export_patient(desk: Desk, patient: str) -> PatientExport:
    """Return everything that is kept of a person under every id: records in every revision, with the documents.

    A record whose bytes are not those that its digest was made of says `redacted`. Raises `ProblemsError`
    (`patient.unknown`).
    """
    with desk.use("patient.export") as unit:
        export, _ = _export(desk, unit, patient)
    return export


def archive(desk: Desk, patient: str, locale: str = "en") -> tuple[PatientExport, bytes]:
    """Return the same, and a ZIP file of it: `export.json`, every record's bytes as they are kept, and sheets to read.

    A sheet is made from the content that the record pins. Raises `ProblemsError` (`patient.unknown`).
    """
    with desk.use("patient.export") as unit:
        export, rows = _export(desk, unit, patient)
        sheet = _sheets(desk, unit, locale)
        files: dict[str, bytes] = {}
        shown: list[tuple[KeptRecord, str]] = []
        records = []
        for number, (kept, row) in enumerate(zip(export.records, rows, strict=True), 1):
            stem = f"{number:04}-{row.kind}-r{row.revision}"
            named = kept.model_copy(update={"file": f"records/{stem}.json"})
            files[f"records/{stem}.json"] = row.document
            files[f"sheets/{stem}.md"] = sheet(row).encode()
            shown.append((named, f"sheets/{stem}.md"))
            records.append(named)
        export = export.model_copy(update={"records": tuple(records)})
    index = sheets.export_index(export, shown, locale).encode()
    return export, _zipped(desk, {"index.md": index, "export.json": export.to_json(), **files})


def _export(desk: Desk, unit: Unit, patient: str) -> tuple[PatientExport, list[RecordRow]]:
    people = person(unit, patient)
    family = [row.patient for row in people]
    rows = everything(unit, family)
    results = Traces(unit).results_of(family)
    steps = unit.follow_ups.of_patient(family)
    return PatientExport(
        clinic=desk.clinic.id,
        patient=family[0],
        ids=tuple(family),
        generated_at=desk.instant(),
        generated_by=desk.actor,
        entry=entry_of(desk, people),
        records=tuple(_kept(desk, row, family[0]) for row in rows),
        steps=tuple(
            KeptStep(
                key=step.key,
                plan=step.plan,
                treatment=step.treatment,
                step=step.step,
                state=step.state,
                due=instant(desk, step.due),
                moved_at=instant(desk, step.moved_at),
                moves=tuple(unit.follow_ups.moves(step.key)),
            )
            for step in steps
        ),
        outbox=tuple(
            KeptMessage(
                number=row.seq,
                key=row.key,
                topic=row.topic,
                subject=row.subject,
                state=row.state,
                at=instant(desk, row.at),
                attempts=row.attempts,
                document=_document(row.document),
            )
            for row in unit.outbox.of_patient(family)
        ),
        results=tuple(KeptResult(key=key, at=instant(desk, at), document=_document(data)) for key, at, data in results),
        audit=audit_entries(desk, unit.audit.of_patient(family)),
    ), rows


def _kept(desk: Desk, row: RecordRow, patient: str) -> KeptRecord:
    document = read_json(row.document)
    return KeptRecord(
        kind=row.kind,
        id=row.id,
        revision=row.revision,
        patient=row.patient or patient,
        belongs_to=row.subject,
        state=row.state,
        happened_at=instant(desk, row.at),
        recorded_at=instant(desk, row.recorded_at),
        recorded_by=row.recorded_by,
        digest=row.digest,
        redacted=digest(document) != row.digest,
        document=_frozen(document),
    )


def _document(data: bytes) -> Any:
    return _frozen(read_json(data))


def _frozen(value: Any) -> Any:
    """Return a JSON value as contracts hold one."""
    if isinstance(value, dict):
        return FrozenMap({key: _frozen(item) for key, item in value.items() if item is not None})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value


def _sheets(desk: Desk, unit: Unit, locale: str) -> Callable[[RecordRow], str]:
    """Return what makes a sheet of a record, from the content that it pins."""
    catalogue = desk.workflow.catalogue
    names = rendering.names_of(desk.clinic, (entry.model for entry in catalogue.entries), locale)

    def form(pin: Pin) -> ConsultationForm | None:
        held = unit.content.get(pin.id, pin.version)
        if held is not None and held.digest == pin.digest:
            return check(ConsultationForm, held.canonical).model
        try:
            model = catalogue.pinned(pin).model
        except ProblemsError:
            return None
        return model if isinstance(model, ConsultationForm) else None

    def answers(record: Consultation | FollowUpResponse) -> str | None:
        asked = form(record.form)
        return None if asked is None else rendering.answers_sheet(asked, record, locale)

    make: Mapping[type[Model], Callable[[Any], str | None]] = {
        Assessment: lambda one: rendering.assessment_sheet(one, locale, names),
        Consent: lambda one: rendering.consent_sheet(one, names),
        Consultation: answers,
        FollowUpPlan: lambda one: rendering.follow_up_sheet(one, locale),
        FollowUpResponse: answers,
        FollowUpReview: lambda one: rendering.review_sheet(one, locale, names),
        ProcedurePlan: lambda one: rendering.plan_sheet(one, locale),
        TreatmentRecord: lambda one: rendering.treatment_sheet(one, locale, names),
    }

    def sheet(row: RecordRow) -> str:
        contract = DOCUMENTS.get(row.kind)
        body: str | None = None
        if contract is not None and contract in make:
            # A record of an older version may not be one of today any more; its own members are always shown.
            try:
                body = make[contract](contract.from_json(row.document))
            except (ProblemsError, ValueError):
                body = None
        whole = body if body is not None else sheets.record_sheet(row.kind, read_json(row.document))
        return sheets.with_state(whole, row.state)

    return sheet


def _zipped(desk: Desk, files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    moment = desk.now().timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, moment)
            info.external_attr = 0o600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, data)
    return out.getvalue()
