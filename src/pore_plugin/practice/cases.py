"""What the records hold of a case, joined with what was handed in: a host that leaves something out changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeVar

from ..clinical.numbers import spell
from ..clinical.safety.history import merge
from ..clinical.treatment.lots import lot_key
from ..contracts import (
    Approval,
    Assessment,
    Authorisation,
    CaseFile,
    Consent,
    ConsentWithdrawal,
    Consultation,
    LotQuarantine,
    Model,
    Outcome,
    Override,
    Problem,
    ProblemsError,
    ProcedurePlan,
    Product,
    RecordPin,
    RegionDose,
    RegionSide,
    ToxinExposure,
    TreatmentRecord,
    TreatmentReport,
    Vial,
    refusal,
)
from ..storage import Unit
from .desk import Desk
from .keeping import Keeping, kind_of, moment, read, series_of
from .patients import kept_for

__all__ = [
    "Gathering",
    "approvals_of",
    "case_of",
    "completed",
    "earlier_consents",
    "history_of",
    "outcomes_of",
    "quarantines_of",
    "treatments_of",
]

M = TypeVar("M", bound=Model)


IN_ERROR = "entered-in-error"
"""The state of what was kept under a wrong patient and counts for nobody (`practice/patients.py`)."""


def case_of(desk: Desk, plan_id: str) -> CaseFile:
    """Return the records of a planned session as they are kept.

    Raises `ProblemsError` (`record.unknown`) when there is no such plan, or not what it was made from.
    """
    with desk.use("case.read") as unit:
        keeping = Keeping(desk, unit)
        row = unit.records.latest("procedure-plan", plan_id)
        if row is None:
            raise _unknown("procedure-plan")
        plan = read(ProcedurePlan, row)
        bare = CaseFile(
            consultation=_pinned(unit, Consultation, plan.consultation),
            assessment=_pinned(unit, Assessment, plan.assessment),
            plan=plan,
        )
        used = [
            use.vial
            for one in unit.records.of_subject([plan.id], "treatment-record")
            for use in read(TreatmentRecord, one).report.vials
        ]
        kept = [read(Vial, one) for one in unit.records.of_subject([plan.id], "vial")]
        vials = {vial.id: vial for vial in (*kept, *used)}
        whole = completed(keeping, bare.model_copy(update={"vials": tuple(vials.values())}) if vials else bare, None)
        # Of the very consultation that the plan was made from: whether it changed since is what a gate asks.
        return whole.model_copy(update={"consultation": bare.consultation})


def completed(keeping: Keeping, case: CaseFile, at: str | None, report: TreatmentReport | None = None) -> CaseFile:
    """Return a case that was handed in with everything that is kept of it, as it was at a moment.

    What is kept wins over what was handed in. What was handed in and is not kept yet is kept, where it is this
    clinic's and this person's; of anything else the gates speak. Raises `ProblemsError` for each record that was handed
    in and differs from the one that is kept.
    """
    return _Completing(keeping, case, at, report).whole()


class Gathering:
    """Problems of several parts, raised together."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def of(self, part: Callable[[], M], otherwise: M) -> M:
        """Return the part, or the other one where it raises."""
        try:
            return part()
        except ProblemsError as error:
            self.problems += error.problems
            return otherwise

    def done(self) -> None:
        """Raise what there is."""
        if self.problems:
            raise ProblemsError(self.problems)


class _Completing:
    def __init__(self, keeping: Keeping, case: CaseFile, at: str | None, report: TreatmentReport | None) -> None:
        self.keeping = keeping
        self.unit = keeping.unit
        self.case = case
        self.at = at
        self.report = report
        self.patient = case.plan.patient
        # After a correction the session is somebody else's than its documents say.
        self.owner = keeping.whose("procedure-plan", case.plan.id) or kept_for(keeping.unit, self.patient, case.plan.id)
        self.family = keeping.family(self.owner)
        self.found = Gathering()

    def whole(self) -> CaseFile:
        """Return the case with what is kept in it."""
        case = self.case
        members: dict[str, Any] = {}
        consultation = self.newest(self.joined(case.consultation, "/consultation", strict=True))
        assessment = self.joined(case.assessment, "/assessment")
        plan = self.joined(case.plan, "/plan")
        members |= {"consultation": consultation, "assessment": assessment, "plan": plan}
        day_form = self.day_form(plan)
        if day_form is not None:
            members["day_form"] = day_form
        consents = self.consents(plan)
        members["consents"] = consents
        members["withdrawals"] = self.all_of(
            case.withdrawals, "/withdrawals", self.of_subject(ConsentWithdrawal, (one.id for one in consents))
        )
        members["overrides"] = self.all_of(
            case.overrides, "/overrides", self.of_subject(Override, [case.consultation.id])
        )
        members["authorisations"] = self.all_of(case.authorisations, "/authorisations", self.authorisations(plan))
        members["approvals"] = self.all_of(case.approvals, "/approvals", approvals_of(self.unit))
        vials = self.vials()
        members["vials"] = vials
        members["quarantines"] = self.all_of(case.quarantines, "/quarantines", quarantines_of(self.unit, vials))
        members["history"] = self.history()
        self.found.done()
        return case.model_copy(update={name: value for name, value in members.items() if value != getattr(case, name)})

    def joined(self, record: M, pointer: str, *, strict: bool = False, subject: str | None = None) -> M:
        """Return what counts for a record that was handed in; one of somebody else is left to the gates."""
        if not self.keeping.mine(record, self.patient):
            return record
        patient = self.patient if isinstance(record, ConsentWithdrawal) else None
        return self.found.of(
            lambda: self.keeping.join(record, f"/case{pointer}", patient=patient, subject=subject, strict=strict),
            record,
        )

    def all_of(self, handed: Iterable[M], pointer: str, kept: Iterable[M]) -> tuple[M, ...]:
        """Return what was handed in, as it counts, and what is kept besides."""
        found = {}
        for position, record in enumerate(handed):
            counts = self.joined(record, f"{pointer}/{position}")
            found[counts.id] = counts  # type: ignore[attr-defined]
        return tuple({**found, **{record.id: record for record in kept}}.values())  # type: ignore[attr-defined]

    def newest(self, consultation: Consultation) -> Consultation:
        """Return the answers as they were last given by the moment that is asked about."""
        rows = [
            row
            for row in self.unit.records.revisions("consultation", consultation.id)
            if row.patient in self.family and (self.at is None or row.at <= moment(self.at))
        ]
        return read(Consultation, rows[-1]) if rows else consultation

    def day_form(self, plan: ProcedurePlan) -> Consultation | None:
        """Return the answers of the day: those that were handed in, or later ones that are kept."""
        handed = self.case.day_form
        if handed is not None:
            handed = self.newest(self.joined(handed, "/day_form"))
        last = handed
        for row in self.unit.records.of_patient(self.family, "consultation"):
            if self.at is not None and row.at > moment(self.at):
                continue
            answers = read(Consultation, row)
            if answers.form.id == plan.day_form and (last is None or row.at > moment(last.occurred_at)):
                last = answers
        return last

    def consents(self, plan: ProcedurePlan) -> tuple[Consent, ...]:
        """Return the consents to the plan and, beside one, earlier ones to the same, which spare the cooling-off."""
        kept = self.of_subject(Consent, [plan.id])
        mine = self.all_of(self.case.consents, "/consents", kept)
        if not any(one.plan.id == plan.id for one in mine):
            return mine
        same = [one for one in _consents(self.unit, self.family) if one.substance == plan.substance]
        return tuple({one.id: one for one in (*mine, *same)}.values())

    def authorisations(self, plan: ProcedurePlan) -> Iterator[Authorisation]:
        for row in _newest(self.unit.records.of_patient(self.family, "authorisation")):
            one = read(Authorisation, row)
            if row.state == IN_ERROR:
                continue
            if (one.template, one.product) == (plan.template.id, plan.product_id):
                yield one

    def vials(self) -> tuple[Vial, ...]:
        """Return the vials with those before who got something from them, as far as it is known here."""
        handed = {vial.id: vial for vial in self.case.vials}
        if self.report is not None:
            # What was really used counts, and a plan's vial that stayed closed does not.
            handed = {use.vial.id: use.vial for use in self.report.vials} or handed
        return tuple(self.used_before(vial, position) for position, vial in enumerate(handed.values()))

    def used_before(self, vial: Vial, position: int) -> Vial:
        pointer = f"/vials/{position}"
        kept = self.unit.records.latest("vial", vial.id)
        known = read(Vial, kept).used_for if kept is not None else ()
        self.joined(vial, pointer, subject=self.case.plan.id)
        mine = {self.keeping.hidden(name) for name in self.family}
        series = {self.report.id, self.report.amends} if self.report is not None else set()
        before = [
            self.keeping.hidden(use.patient)
            for use in self.unit.lots.uses_of_vial(lot_key(vial.lot), vial.id)
            if use.patient not in self.family
            and use.treatment not in series
            and (self.at is None or use.at < moment(self.at))
        ]
        others = [*vial.used_for, *(name for name in (*known, *before) if name not in mine)]
        told = {self.keeping.hidden(name) for name in vial.used_for}
        used_for = tuple(dict.fromkeys(name for name in others if name not in told))
        return vial if used_for == vial.used_for else vial.model_copy(update={"used_for": used_for})

    def history(self) -> tuple[ToxinExposure, ...]:
        apart = {self.report.id, self.report.amends} if self.report is not None else set()
        kept = history_of(self.keeping, self.owner, self.at, apart=apart)
        # A case read back may hold the very treatment that is amended.
        handed = [one for one in self.case.history if one.treatment is None or one.treatment not in apart]
        return merge(kept, handed)

    def of_subject(self, contract: type[M], subjects: Iterable[str]) -> list[M]:
        rows = self.unit.records.of_subject(subjects, kind_of(contract))
        return [read(contract, row) for row in rows if row.state != IN_ERROR]


def approvals_of(unit: Unit) -> list[Approval]:
    """Return every approval that is kept, as it stands now."""
    return [read(Approval, row) for row in unit.records.of_kind("approval")]


def quarantines_of(unit: Unit, vials: Iterable[Vial]) -> list[LotQuarantine]:
    """Return the quarantines that stand, and those of these vials that did."""
    keys = {lot_key(vial.lot) for vial in vials}
    found = [(row.state, read(LotQuarantine, row)) for row in unit.records.of_kind("lot-quarantine")]
    return [one for state, one in found if state == "active" or lot_key(one.lot) in keys]


def treatments_of(unit: Unit, patient: str) -> list[TreatmentRecord]:
    """Return the treatments of a person, each as its last amendment has it, oldest first."""
    newest: dict[str, TreatmentRecord] = {}
    for row in sorted(
        unit.records.of_patient(unit.patients.family(patient), "treatment-record"), key=lambda row: row.recorded_at
    ):
        record = read(TreatmentRecord, row)
        if row.state != "amended" or series_of(record) not in newest:
            newest[series_of(record)] = record
    return sorted(newest.values(), key=lambda one: moment(one.report.started_at))


def history_of(
    keeping: Keeping, patient: str, at: str | None, *, apart: Iterable[str | None] = ()
) -> tuple[ToxinExposure, ...]:
    """Return the toxin that a person got here before a moment, leaving out the treatments `apart`."""
    left_out = set(apart)
    return tuple(
        _exposure(keeping, record)
        for record in treatments_of(keeping.unit, patient)
        if record.product is not None
        and record.report.doses
        and not {series_of(record), record.id} & left_out
        and (at is None or moment(record.report.started_at) < moment(at))
    )


def outcomes_of(unit: Unit, patient: str, at: str) -> list[Outcome]:
    """Return what was measured of a person up to a moment, oldest first."""
    rows = _newest(unit.records.of_patient(unit.patients.family(patient), "outcome"))
    return [read(Outcome, row) for row in rows if row.at <= moment(at)]


def earlier_consents(
    keeping: Keeping, plan: ProcedurePlan, handed: Iterable[Consent], given_at: str
) -> tuple[Consent, ...]:
    """Return the consents to the same that were given before and not taken back by then."""
    unit = keeping.unit
    kept = [one for one in _consents(unit, unit.patients.family(plan.patient)) if one.substance == plan.substance]
    every = {one.id: one for one in (*handed, *kept)}
    back = {row.subject for row in unit.records.of_subject(every, "consent-withdrawal") if row.at <= moment(given_at)}
    return tuple(one for one in every.values() if one.id not in back and moment(one.given_at) < moment(given_at))


def _consents(unit: Unit, family: Iterable[str]) -> list[Consent]:
    rows = unit.records.of_patient(family, "consent")
    # What was signed in a wrong patient's name spares nobody the cooling-off.
    return [one for one in (read(Consent, row) for row in rows if row.state != IN_ERROR) if one.purpose == "treatment"]


def _exposure(keeping: Keeping, record: TreatmentRecord) -> ToxinExposure:
    assert record.product is not None  # noqa: S101  the caller looked
    product: Product = keeping.desk.workflow.catalogue.pinned(record.product).model
    doses = tuple(
        RegionDose(region=one.region, units=one.units, **({"side": one.side} if one.side else {}))
        for one in record.report.doses
    )
    return ToxinExposure(
        product=product.id,
        inn=product.inn,
        unit_id=product.unit_id,
        units=spell(sum((Fraction(dose.units) for dose in doses), Fraction(0))),
        date=record.date,
        regions=tuple(
            RegionSide(region=one.region, **({"side": one.side} if one.side else {})) for one in record.report.doses
        ),
        given="here",
        treatment=series_of(record),
        doses=doses,
    )


def _pinned(unit: Unit, contract: type[M], pin: RecordPin) -> M:
    kind = kind_of(contract)
    row = unit.records.with_digest(kind, pin.id, pin.digest)
    if row is None:
        raise _unknown(kind)
    return read(contract, row)


def _unknown(kind: str) -> ProblemsError:
    return refusal(
        "record.unknown",
        f"No {kind} is kept under this id with these bytes.",
        "Check the id; what was made without a database has to be handed in.",
    )


def _newest(rows: Iterable[Any]) -> list[Any]:
    return list({(row.kind, row.id): row for row in rows}.values())
