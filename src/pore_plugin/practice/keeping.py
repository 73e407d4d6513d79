"""How each record of the workflow is kept: whose it is, what it belongs to, when it was, and what may follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..clinical.keys import record_key
from ..contracts import (
    AdverseEvent,
    Approval,
    Assessment,
    Authorisation,
    Consent,
    ConsentWithdrawal,
    Consultation,
    Event,
    FollowUpMove,
    FollowUpPlan,
    FollowUpResponse,
    FollowUpReview,
    Instrument,
    LotQuarantine,
    Model,
    Outcome,
    Override,
    PatientRef,
    Pin,
    ProblemsError,
    ProcedurePlan,
    Product,
    RegionMap,
    TreatmentRecord,
    Vial,
    canonical,
    refusal,
)
from ..contracts.canonical import record_digest
from ..storage import Unit
from .contents import keep_content, shelve_approval
from .mentions import NOBODY
from .patients import kept_for, refuse_erased

if TYPE_CHECKING:
    from ..storage.rows import RecordRow
    from .desk import Desk

__all__ = [
    "WAYS",
    "Keeping",
    "Way",
    "contract_of",
    "differs",
    "event_of",
    "kind_of",
    "moment",
    "read",
    "series_of",
]

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How one kind of record is kept.

    `through` is the kind of the subject whose patient is also that of a record that names none. `again` says what
    another document under the same id is: a new revision (`anew`), a new revision when it only adds the members that
    end the record (`ended`), or refused (`never`). What only a step makes is `made`: nobody hands it in otherwise.
    `stays` are states that the same document, handed in again, does not take back.
    """

    contract: type[Model]
    at: Callable[[Any], str | None]
    patient: Callable[[Any], str | PatientRef | None] = lambda _: None
    subject: Callable[[Any], str | None] = lambda _: None
    through: str | None = None
    state: Callable[[Any], str] = lambda _: "completed"
    again: Literal["anew", "ended", "never"] = "never"
    ends: tuple[str, ...] = ()
    stays: frozenset[str] = frozenset()
    made: bool = False


def _patient(record: Any) -> str | PatientRef:
    patient: str | PatientRef = record.patient
    return patient


def _until(member: str, ended: str) -> Callable[[Any], str]:
    return lambda record: "active" if getattr(record, member) is None else ended


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "adverse-event": Way(
            contract=AdverseEvent,
            at=lambda r: r.onset,
            patient=_patient,
            subject=lambda r: r.treatment,
            state=_until("resolved_at", "resolved"),
            again="ended",
            ends=("resolved_at",),
        ),
        "approval": Way(
            contract=Approval,
            at=lambda r: r.approved_at,
            subject=lambda r: r.document.id,
            state=_until("withdrawn_at", "withdrawn"),
            again="ended",
            ends=("withdrawn_at",),
        ),
        "assessment": Way(
            contract=Assessment,
            at=lambda r: r.assessed_at,
            patient=lambda r: r.context.patient,
            subject=lambda r: r.consultation.id if r.consultation else None,
            again="anew",
            made=True,
        ),
        "authorisation": Way(
            contract=Authorisation,
            at=lambda r: r.issued_at,
            patient=_patient,
            state=_until("revoked_at", "revoked"),
            again="ended",
            ends=("revoked_at",),
        ),
        "consent": Way(contract=Consent, at=lambda r: r.given_at, patient=_patient, subject=lambda r: r.plan.id),
        "consent-withdrawal": Way(
            contract=ConsentWithdrawal, at=lambda r: r.withdrawn_at, subject=lambda r: r.consent, through="consent"
        ),
        "consultation": Way(
            contract=Consultation, at=lambda r: r.occurred_at, patient=_patient, state=lambda r: r.status, again="anew"
        ),
        "follow-up-move": Way(
            contract=FollowUpMove, at=lambda r: r.at, subject=lambda r: r.follow_up_plan, through="follow-up-plan"
        ),
        "follow-up-plan": Way(
            contract=FollowUpPlan,
            at=lambda r: r.anchor,
            patient=_patient,
            subject=lambda r: r.treatment.id,
            state=lambda _: "active",
            again="anew",
            made=True,
        ),
        "follow-up-response": Way(
            contract=FollowUpResponse,
            at=lambda r: r.occurred_at,
            patient=_patient,
            subject=lambda r: r.follow_up_plan.id,
            state=lambda r: r.status,
            again="anew",
        ),
        "follow-up-review": Way(
            contract=FollowUpReview,
            at=lambda r: r.reviewed_at,
            patient=_patient,
            subject=lambda r: r.response.id,
            again="anew",
            made=True,
        ),
        "lot-quarantine": Way(
            contract=LotQuarantine,
            at=lambda r: r.at,
            state=_until("lifted_at", "lifted"),
            again="ended",
            ends=("lifted_at", "lifted_by", "lift_reason"),
        ),
        "outcome": Way(contract=Outcome, at=lambda r: r.at),
        "override": Way(contract=Override, at=lambda r: r.at, patient=_patient, subject=lambda r: r.consultation.id),
        "procedure-plan": Way(
            contract=ProcedurePlan,
            at=lambda r: r.created_at,
            patient=_patient,
            subject=lambda r: r.consultation.id,
            state=lambda r: "draft" if r.draft else "active",
            again="anew",
            stays=frozenset({"completed"}),
            made=True,
        ),
        "treatment-record": Way(
            contract=TreatmentRecord,
            at=lambda r: r.report.started_at,
            patient=_patient,
            subject=lambda r: r.plan.id,
            stays=frozenset({"amended"}),
        ),
        "vial": Way(contract=Vial, at=lambda r: r.reconstituted_at, state=lambda _: "active", again="anew"),
    }
)
"""Every contract that is kept as a record, by its name; the name is the kind of the record."""

_KINDS = MappingProxyType({way.contract: kind for kind, way in WAYS.items()})


AHEAD = 300
"""How many seconds a moment may lie ahead of the desk's clock: clocks differ. Our design choice."""


def kind_of(contract: type[Model]) -> str:
    """Return the kind that records of a contract are kept as. Raises `KeyError` for what is no record."""
    return _KINDS[contract]


def contract_of(kind: str) -> type[Model]:
    """Return the contract of a kind of record. Raises `ProblemsError` (`record.kind`) for a kind that is not kept."""
    if kind not in WAYS:
        raise refusal("record.kind", "Nothing is kept under this name.", f"Use one of: {', '.join(sorted(WAYS))}.")
    return WAYS[kind].contract


def moment(instant: str) -> int:
    """Return an instant in seconds since 1970."""
    return int(datetime.fromisoformat(instant).timestamp())


def differs(kind: str, pointer: str = "") -> ProblemsError:
    """Return the error for another document under the id of a record that is kept."""
    return refusal(
        "record.differs",
        f"Another {kind} is kept under this id, and what is kept is never replaced.",
        "Hand in the record as it was kept, or give a new one an id of its own.",
        f"{pointer}/id",
    )


def read(contract: type[M], row: RecordRow) -> M:
    """Return the record of a row, from the very bytes that were kept."""
    return contract.from_json(row.document)


def series_of(treatment: TreatmentRecord) -> str:
    """Return the id of the first record of a treatment, which its amendments name."""
    return treatment.report.amends or treatment.id


def event_of(clinic: str, kind: str, subject: str, at: str, *related: str) -> Event:
    """Return an event; its id is the one that the workflow gives to the same event."""
    key = record_key(clinic, subject, f"event.{kind}.{at}")
    return Event(id=key, type=kind, clinic=clinic, subject=subject, at=at, related=related)


class Keeping:
    """What keeps records in one use case: the desk's content and the transaction's tables together."""

    def __init__(self, desk: Desk, unit: Unit) -> None:
        self.desk = desk
        self.unit = unit
        self._names: dict[str, Pin] | None = None
        self._families: dict[str, frozenset[str]] = {}
        self._kept: set[Pin] = set()

    def keep(
        self, record: Model, *, patient: str | None = None, subject: str | None = None, anew: bool = False
    ) -> bool:
        """Keep a record with the content that it was made with, and return whether anything was written.

        `patient` and `subject` are for kinds that do not say them. `anew` appends a revision where the kind would be
        refused. Raises `ProblemsError`: `record.differs`, `record.clinic`, `record.unknown_patient`, `patient.host`,
        `erasure.buried`.
        """
        kind = kind_of(type(record))
        way = WAYS[kind]
        record = self._discreet(record)
        if getattr(record, "clinic", self.desk.clinic.id) != self.desk.clinic.id:
            raise refusal(
                "record.clinic",
                "This record belongs to another clinic.",
                "Use the settings of that clinic: nothing of one clinic is kept with another.",
                "/clinic",
            )
        record_id, digest = self._id(record), record_digest(record)
        newest = self.unit.records.latest(kind, record_id)
        state = way.state(record)
        if newest is not None and newest.digest == digest and newest.state in way.stays:
            return False
        if newest is not None and newest.digest != digest and not anew and not self._may_follow(way, newest, record):
            if self._was_before(way, newest, record):
                return False
            raise differs(kind)
        at = moment(said) if (said := way.at(record)) is not None else self.unit.now
        if newest is not None and not self._of_one(newest, way.patient(record) or patient):
            raise differs(kind)
        about = subject or way.subject(record)
        if way.through is not None and about is not None:
            patient = self.whose(way.through, about) or patient
        whose = self._noted(self._owner(way.patient(record) or patient, record_id, about), at)
        pins = [(pin.id, pin.version, pin.digest) for pin in self._pins(record)]
        before = newest.revision if newest is not None else 0
        row = self.unit.records.put(
            kind,
            record_id,
            record.to_json(),
            digest,
            at=at,
            patient=whose,
            subject=about,
            state=state,
            pins=pins,
            revise=True,
        )
        written = row.revision != before
        if written and isinstance(record, Approval):
            shelve_approval(self.unit, record)
        return written

    def join(
        self,
        record: M,
        pointer: str = "",
        *,
        patient: str | None = None,
        subject: str | None = None,
        strict: bool = False,
    ) -> M:
        """Return the record that counts for one that was handed in, which is kept where nothing is kept under its id.

        What is kept wins: a copy from before a record was ended is read as it stands now, and answers are a draft
        where they were kept as one. `strict` refuses a new revision. Raises `ProblemsError`, with `pointer` before each
        of its pointers.
        """
        kind = kind_of(type(record))
        way = WAYS[kind]
        revisions = self.unit.records.revisions(kind, self._id(record))
        digest = record_digest(self._discreet(record))
        same = [row for row in revisions if row.digest == digest]
        if revisions and not same:
            # A record that an erased patient was taken out of keeps its digest, and is known by its bytes.
            data = canonical(record.to_document())
            same = [row for row in revisions if row.document == data]
        if revisions and not same and self._was_before(way, revisions[-1], record):
            return read(type(record), revisions[-1])
        if revisions and not same and (strict or way.made):
            raise differs(kind, pointer)
        if revisions and not self._of_one(revisions[-1], way.patient(record) or patient):
            raise differs(kind, pointer)
        if same and kind != "vial":
            return read(type(record), revisions[-1] if way.again == "ended" else same[-1])
        if not same:
            try:
                self.keep(record, patient=patient, subject=subject)
            except ProblemsError as error:
                raise ProblemsError(
                    one.model_copy(update={"pointer": pointer + one.pointer}) for one in error.problems
                ) from None
        return record

    def whose(self, kind: str, record_id: str) -> str | None:
        """Return the patient that a kept record belongs to, or nothing where there is no such record."""
        row = self.unit.records.latest(kind, record_id)
        return row.patient if row is not None else None

    def family(self, patient: str) -> frozenset[str]:
        """Return every id that stands for a person, the one that was asked for among them."""
        if patient not in self._families:
            self._families[patient] = frozenset({patient, *self.unit.patients.family(patient)})
        return self._families[patient]

    def mine(self, record: Any, patient: str) -> bool:
        """Whether a record that was handed in is of this clinic and of this person; nothing else is kept with them."""
        whose = getattr(record, "patient", patient)
        name = whose.id if isinstance(whose, PatientRef) else whose
        return getattr(record, "clinic", self.desk.clinic.id) == self.desk.clinic.id and name in {
            patient,
            *self.unit.patients.family(patient),
        }

    def event(self, kind: str, subject: str, at: str, *related: str) -> Event:
        """Return an event of this clinic."""
        return event_of(self.desk.clinic.id, kind, subject, at, *related)

    def hidden(self, patient: str) -> str:
        """Return what stands for another patient where only that it is another one matters."""
        return f"earlier-{self.unit.patients.hash_of(patient).hex()[:32]}"

    def _of_one(self, row: RecordRow, patient: str | PatientRef | None) -> bool:
        """Whether a kept record is of the same person as the one with its id."""
        name = patient.id if isinstance(patient, PatientRef) else patient
        if row.patient is None or name in (None, NOBODY) or row.patient == name:
            return True
        return row.patient in self.family(name) or row.patient in self.family(kept_for(self.unit, name, row.id))

    def _owner(self, named: str | PatientRef | None, record_id: str, about: str | None) -> str | PatientRef | None:
        """Return whose a record is: of the patient it names, or of the one that its session was corrected to."""
        if named is None:
            return None
        name = named.id if isinstance(named, PatientRef) else named
        right = kept_for(self.unit, name, record_id, *([about] if about is not None else []))
        return named if right == name else right

    def _discreet(self, record: M) -> M:
        """Keep of a vial that others got something from it, and not who: nobody would find it there to erase it."""
        if not isinstance(record, Vial) or not record.used_for:
            return record
        names = (name if name.startswith("earlier-") else self.hidden(name) for name in record.used_for)
        return record.model_copy(update={"used_for": tuple(dict.fromkeys(names))})

    def _may_follow(self, way: Way, newest: RecordRow, record: Model) -> bool:
        if way.again != "ended":
            return way.again == "anew"
        return _ends(way, read(type(record), newest), record)

    def _was_before(self, way: Way, newest: RecordRow, record: Model) -> bool:
        """Whether this is a copy from before the record was ended."""
        return way.again == "ended" and _ends(way, record, read(type(record), newest))

    def _id(self, record: Any) -> str:
        record_id: str = record.id
        return record_id

    def _noted(self, patient: str | PatientRef | None, at: int) -> str | None:
        if patient is None:
            return None
        name, host = (patient.id, patient.host) if isinstance(patient, PatientRef) else (patient, None)
        refuse_erased(self.unit, name, at)
        known = self.unit.patients.get(name)
        if known is None and host is None:
            raise refusal(
                "record.unknown_patient",
                "Nothing of this patient is kept here yet.",
                "Submit the patient's consultation first.",
                "/patient",
            )
        if known is not None and host is not None and known.host != host:
            raise refusal(
                "patient.host",
                "This patient's id is kept here for a patient of another host system.",
                "Give the patients of each system ids that the other does not use.",
                "/patient/host",
            )
        self.unit.patients.note(name, host or (known.host if known is not None else ""), at)
        return name

    def _pins(self, record: Model) -> list[Pin]:
        """Return the content that a record names, its bytes kept: what it pins, and what its ids are called by."""
        named: dict[Pin, None] = {}
        for value in _values(record):
            if isinstance(value, Pin):
                named[value] = None
            elif isinstance(value, str) and (pin := self._named().get(value)) is not None:
                named[pin] = None
        catalogue = self.desk.workflow.catalogue
        self._kept |= {pin for pin in named if pin not in self._kept and keep_content(self.unit, catalogue, pin)}
        return [pin for pin in named if pin in self._kept]

    def _named(self) -> dict[str, Pin]:
        """Return the documents that give names to ids in records: regions, products, instruments."""
        if self._names is None:
            self._names = {}
            for entry in _naming(self.desk):
                inside = (entry.model.id,) if not isinstance(entry.model, RegionMap) else ()
                regions = (region.id for region in entry.model.regions) if isinstance(entry.model, RegionMap) else ()
                self._names |= dict.fromkeys((*inside, *regions), entry.pin)
        return self._names


def _naming(desk: Desk) -> Iterator[Any]:
    for contract in (RegionMap, Product, Instrument):
        yield from desk.workflow.catalogue.of_type(contract)


def _ends(way: Way, before: Model, after: Model) -> bool:
    """Whether one record is the other with nothing added but what ends it."""
    first, then = before.to_document(), after.to_document()
    return not any(key in first for key in way.ends) and first == {
        key: value for key, value in then.items() if key not in way.ends
    }


def _values(value: object) -> Iterator[object]:
    """Yield every pin and every text of a record, at any depth."""
    if isinstance(value, Pin | str):
        yield value
    elif isinstance(value, Model):
        for member in value.__dict__.values():
            yield from _values(member)
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _values(member)
    elif isinstance(value, tuple | list):
        for member in value:
            yield from _values(member)
