"""Papers that no step makes: kept after a look at what they refer to, corrected by appending."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from ..clinical.follow_up.outcomes import check_outcomes
from ..clinical.treatment.lots import lot_key
from ..contracts import (
    AdverseEvent,
    Approval,
    Authorisation,
    Consent,
    ConsentWithdrawal,
    ContentDocument,
    Event,
    Instrument,
    LotQuarantine,
    Model,
    Outcome,
    Override,
    Problem,
    ProblemsError,
    ProcedureTemplate,
    Product,
    TreatmentRecord,
    Vial,
    refusal,
)
from .desk import Desk
from .keeping import AHEAD, WAYS, Keeping, kind_of, moment, read, series_of
from .patients import kept_for

__all__ = ["PAPERS", "amend", "keep"]

M = TypeVar("M", bound=Model)
Checks = Iterator[Problem]


def keep(desk: Desk, paper: Model, *, patient: str | None = None) -> bool:
    """Keep a paper and tell what happened; return whether it was not kept before.

    `patient` is whose an outcome is, which does not say so itself. Raises `ProblemsError` for everything that speaks
    against it: what it refers to is not kept here or is another patient's (`record.unknown`, `record.patient`),
    another paper has its id (`record.differs`), a step makes it (`record.has_step`).
    """
    return _kept(desk, paper, patient, why=None)


def amend(desk: Desk, paper: Model, *, why: str, patient: str | None = None) -> bool:
    """Append a correction of a paper that is kept under its id; what was kept stays.

    Raises `ProblemsError` (`record.not_amended`) for what is never corrected under its own id.
    """
    kind = kind_of(type(paper)) if type(paper) in _CHECKS else ""
    if kind in _NOT_AMENDED or not kind:
        raise refusal(
            "record.not_amended",
            "A record of this kind is not corrected under its own id.",
            _NOT_AMENDED.get(kind, "Do its step again; a treatment is amended by a report with `amends`."),
        )
    return _kept(desk, paper, patient, why=why)


def _kept(desk: Desk, paper: Model, patient: str | None, *, why: str | None) -> bool:
    if type(paper) not in _CHECKS:
        raise refusal(
            "record.has_step",
            "No paper of this kind is kept by hand: a step of the workflow makes it.",
            f"Do its step, or hand in one of: {', '.join(sorted(PAPERS))}.",
        )
    kind = kind_of(type(paper))
    told: tuple[Event, ...] = ()
    with desk.use(f"{kind}.{'amend' if why else 'keep'}") as unit:
        keeping = Keeping(desk, unit)
        before = unit.records.latest(kind, paper.id)  # type: ignore[attr-defined]
        found = [*_future(desk, paper), *_CHECKS[type(paper)](keeping, paper, patient)]
        if why is not None and before is None:
            found += refusal("record.unknown", f"No {kind} is kept under this id.", "Keep it first.", "/id").problems
        if found:
            raise ProblemsError(found)
        whose = patient if isinstance(paper, Outcome) else None
        new = keeping.keep(paper, patient=whose, anew=why is not None)
        if new:
            named = unit.records.latest(kind, paper.id)  # type: ignore[attr-defined]
            assert named is not None  # noqa: S101
            if why is not None:
                unit.note(named.patient, amended=kind, why=why)
            told = desk.tell(unit, _events(keeping, kind, paper, amended=why is not None), patient=named.patient)
    desk.publish(told)
    return new


def _future(desk: Desk, paper: Model) -> Checks:
    for name in _PAST.get(type(paper), ()):
        at = getattr(paper, name)
        if at is not None and moment(at) > moment(desk.instant()) + AHEAD:
            yield _problem(
                "record.future",
                "The record tells of a moment that lies in the future.",
                "Correct the moment, or the clock of the machine.",
                f"/{name}",
            )


_PAST: Mapping[type[Model], tuple[str, ...]] = MappingProxyType(
    {
        AdverseEvent: ("onset", "resolved_at"),
        ConsentWithdrawal: ("withdrawn_at",),
        Outcome: ("at",),
        Vial: ("reconstituted_at",),
    }
)
_NOT_AMENDED = {
    "adverse-event": "Keep it again with `resolved_at` once it is over; anything else is an event of its own.",
    "consent-withdrawal": "A consent that was taken back by mistake is given again.",
    "override": "Record another override.",
}


def _events(keeping: Keeping, kind: str, paper: Any, *, amended: bool) -> Iterator[Event]:
    what, at = _TOLD[kind](paper)
    if amended:
        what, at = f"{what.partition('.')[0]}.corrected", None
    about = WAYS[kind].subject(paper) if not isinstance(paper, Approval) else None
    yield keeping.event(what, paper.id, at or keeping.desk.instant(), *((about,) if about is not None else ()))


_TOLD: Mapping[str, Callable[[Any], tuple[str, str | None]]] = MappingProxyType(
    {
        "adverse-event": lambda r: (
            ("adverse_event.resolved", r.resolved_at) if r.resolved_at else ("adverse_event.reported", r.recorded_at)
        ),
        "approval": lambda r: (
            ("approval.withdrawn", r.withdrawn_at) if r.withdrawn_at else ("approval.given", r.approved_at)
        ),
        "authorisation": lambda r: (
            ("authorisation.revoked", r.revoked_at) if r.revoked_at else ("authorisation.issued", r.issued_at)
        ),
        "consent-withdrawal": lambda r: ("consent.withdrawn", r.withdrawn_at),
        "lot-quarantine": lambda r: ("lot.released", r.lifted_at) if r.lifted_at else ("lot.quarantined", r.at),
        "outcome": lambda r: ("outcome.recorded", r.at),
        "override": lambda r: ("override.recorded", r.at),
        "vial": lambda r: ("vial.registered", r.reconstituted_at),
    }
)


# -- what a paper refers to ---------------------------------------------------------------------------------------


def _adverse_event(keeping: Keeping, paper: AdverseEvent, _: str | None) -> Checks:
    yield from _of_patient(keeping, "treatment-record", paper.treatment, paper.patient, "/treatment")
    yield from _somebody(keeping, paper.recorded_by, "/recorded_by")
    yield from _content(keeping, Product, paper.product, "/product")
    if paper.resolved_at is not None and moment(paper.resolved_at) < moment(paper.onset):
        yield _problem(
            "adverse_event.time_order",
            "The adverse event was resolved before it began.",
            "Correct the moment.",
            "/resolved_at",
        )
    yield from _of_treatment(keeping, paper)


def _of_treatment(keeping: Keeping, paper: AdverseEvent) -> Checks:
    """Yield the lots that the treatment never used, in none of its amendments."""
    records = keeping.unit.records
    row = records.latest("treatment-record", paper.treatment)
    if row is None or not paper.lots:
        return
    named = series_of(read(TreatmentRecord, row))
    lots: dict[str, str] = {}
    for other in records.of_subject([row.subject or ""], "treatment-record"):
        treatment = read(TreatmentRecord, other)
        if series_of(treatment) == named:
            numbing = treatment.report.anaesthetic
            used = [use.vial.lot for use in treatment.report.vials]
            used += [numbing.lot] if numbing is not None and numbing.lot is not None else []
            lots |= {lot_key(lot): lot for lot in used}
    for position, lot in enumerate(paper.lots):
        if lot_key(lot) not in lots:
            yield _problem(
                "event.lot",
                "The treatment used no vial of this lot.",
                f"Name one of its lots: {', '.join(sorted(lots.values()))}." if lots else "Leave the lot out.",
                f"/lots/{position}",
            )


def _approval(keeping: Keeping, paper: Approval, _: str | None) -> Checks:
    yield from _somebody(keeping, paper.approved_by, "/approved_by")
    try:
        keeping.desk.workflow.catalogue.pinned(paper.document)
    except ProblemsError as error:
        yield from (one.model_copy(update={"pointer": "/document"}) for one in error.problems)


def _authorisation(keeping: Keeping, paper: Authorisation, _: str | None) -> Checks:
    yield from _known(keeping, paper.patient)
    yield from _somebody(keeping, paper.prescriber, "/prescriber")
    yield from _content(keeping, ProcedureTemplate, paper.template, "/template")
    yield from _content(keeping, Product, paper.product, "/product")


def _withdrawal(keeping: Keeping, paper: ConsentWithdrawal, _: str | None) -> Checks:
    yield from _somebody(keeping, paper.recorded_by, "/recorded_by")
    row = keeping.unit.records.latest("consent", paper.consent)
    if row is None:
        yield _unknown("consent", "/consent")
    elif moment(paper.withdrawn_at) < moment(read(Consent, row).given_at):
        yield _problem(
            "withdrawal.time_order",
            "The consent was taken back before it was given.",
            "Correct the moment.",
            "/withdrawn_at",
        )


def _quarantine(keeping: Keeping, paper: LotQuarantine, _: str | None) -> Checks:
    yield from _somebody(keeping, paper.by, "/by")
    yield from _content(keeping, Product, paper.product, "/product")


def _outcome(keeping: Keeping, paper: Outcome, patient: str | None) -> Checks:
    if patient is None:
        yield _problem(
            "record.whose", "An outcome does not say whose it is.", "Name the patient: --patient ID.", "/patient"
        )
    else:
        yield from _known(keeping, patient)
    instruments = [e.model for e in keeping.desk.workflow.catalogue.entries if e.contract is Instrument]
    for one in check_outcomes([paper], instruments):
        yield one.model_copy(update={"pointer": one.pointer.removeprefix("/0")})


def _override(keeping: Keeping, paper: Override, _: str | None) -> Checks:
    yield from _of_patient(keeping, "consultation", paper.consultation.id, paper.patient, "/consultation/id")
    yield from _somebody(keeping, paper.prescriber, "/prescriber")
    pin = paper.consultation
    if keeping.unit.records.latest("consultation", pin.id) is not None and not keeping.unit.records.with_digest(
        "consultation", pin.id, pin.digest
    ):
        yield _problem(
            "record.other_digest",
            "The consultation that this pins has never had these answers here.",
            "Pin the consultation as it was submitted.",
            "/consultation/digest",
        )


def _vial(keeping: Keeping, paper: Vial, _: str | None) -> Checks:
    yield from _content(keeping, Product, paper.product, "/product")


_CHECKS: Mapping[type[Model], Callable[[Keeping, Any, str | None], Checks]] = MappingProxyType(
    {
        AdverseEvent: _adverse_event,
        Approval: _approval,
        Authorisation: _authorisation,
        ConsentWithdrawal: _withdrawal,
        LotQuarantine: _quarantine,
        Outcome: _outcome,
        Override: _override,
        Vial: _vial,
    }
)
PAPERS = frozenset(kind_of(contract) for contract in _CHECKS)
"""The kinds of record that are kept by `keep`; every other kind has a step."""


def _of_patient(keeping: Keeping, kind: str, record_id: str, patient: str, pointer: str) -> Checks:
    row = keeping.unit.records.latest(kind, record_id)
    if row is None:
        yield _unknown(kind, pointer)
    elif row.patient not in keeping.family(kept_for(keeping.unit, patient, record_id)):
        yield _problem(
            "record.patient",
            f"The {kind} that this refers to is another patient's.",
            "Correct the patient, or what it refers to.",
            "/patient",
        )


def _known(keeping: Keeping, patient: str) -> Checks:
    if keeping.unit.patients.get(patient) is None:
        yield _problem(
            "record.unknown_patient",
            "Nothing of this patient is kept here yet.",
            "Submit the patient's consultation first.",
            "/patient",
        )


def _somebody(keeping: Keeping, person: str, pointer: str) -> Checks:
    if keeping.desk.clinic.person(person) is None:
        people = ", ".join(one.id for one in keeping.desk.clinic.people)
        yield _problem("record.person", "This is nobody of the clinic settings.", f"Use one of: {people}.", pointer)


def _content(keeping: Keeping, contract: type[ContentDocument], content_id: str | None, pointer: str) -> Checks:
    if content_id is None:
        return
    try:
        keeping.desk.workflow.catalogue.get(contract, content_id)
    except ProblemsError as error:
        yield from (one.model_copy(update={"pointer": pointer}) for one in error.problems)


def _unknown(kind: str, pointer: str) -> Problem:
    return _problem(
        "record.unknown",
        f"The {kind} that this refers to is not kept here.",
        "Correct the id, or keep that record first.",
        pointer,
    )


def _problem(code: str, sentence: str, next_step: str, pointer: str) -> Problem:
    return Problem(code=code, sentence=sentence, next_step=next_step, pointer=pointer)
