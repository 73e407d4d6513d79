"""Who is erased: at a patient's request, and when the retention period is over; what stands against it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ..clinical.durations import add_local, add_to_date, parse_duration
from ..clinical.treatment.lots import lot_key
from ..contracts import (
    ErasureReport,
    KindCount,
    Mention,
    Problem,
    ProblemsError,
    RetentionPatient,
    RetentionReport,
    Tombstone,
    TombstoneList,
)
from ..storage import Unit
from ..storage.rows import Tombstone as Stone
from ..storage.traces import Traces
from ..validation.jsontext import read_json
from .desk import Desk
from .erasing import kinds, mentions, named_under_hold, remove
from .mentions import places
from .patients import instant, person
from .patients import reason as said_why

__all__ = ["clear", "erase", "retention", "tombstones"]

_HOLD = Problem(
    code="erasure.legal_hold",
    sentence="There is a legal hold on this patient's records.",
    next_step="Nothing is erased while it stands; `pore-plugin patient release` lifts it.",
)
_RETENTION = Problem(
    code="erasure.retention",
    sentence="The clinic's retention period is not over.",
    next_step="Wait for its end, or say with --despite-retention why it must be sooner.",
)
_UNDECIDED = Problem(
    code="erasure.retention_undecided",
    sentence="The clinic settings do not say how long records are kept.",
    next_step="Set policies.retention, or say with --despite-retention why this one must go.",
)
_HELD_ELSEWHERE = Problem(
    code="erasure.named_under_hold",
    sentence="A record of another patient that is under a legal hold names this patient.",
    next_step="That record may not be changed while the hold stands.",
)
_EVENT = Problem(
    code="erasure.adverse_event",
    sentence="An adverse event of this patient is still open.",
    next_step="Keep it with `resolved_at` first, or say with --despite-retention why it must go all the same.",
)
_QUARANTINE = Problem(
    code="erasure.quarantined_lot",
    sentence="This patient was given a lot that is quarantined, and may have to be found for it.",
    next_step="Lift the quarantine first, or say with --despite-retention why it must go all the same.",
)
_NAMES = Problem(
    code="erasure.reason_names",
    sentence="The reason names the patient, and it stays.",
    pointer="/reason",
    next_step="Say why without saying who.",
)


_TOGETHER = 1_000
"""How many people are taken out at once: fewer go through what is kept of others oftener, more ask too much at once."""
_ALWAYS = (_HOLD, _HELD_ELSEWHERE)


@dataclass(frozen=True, slots=True)
class _Person:
    """Everything that decides about an erasure."""

    family: tuple[str, ...]
    last_at: int
    ends: str | None
    against: tuple[Problem, ...]


def erase(
    desk: Desk, patient: str, reason: str, *, apply: bool = False, despite_retention: str | None = None
) -> ErasureReport:
    """Erase a patient under every id, or say what that would remove and what stands against it.

    A legal hold always stands against it, on this patient's records or on one that names the patient; a running
    retention period, an open adverse event and a quarantined lot unless `despite_retention` says why. With something
    against it nothing is erased and the report has `refused`.
    Raises `ProblemsError`: `patient.unknown`, `erasure.reason_names`, `reason.length`.
    """
    reason = said_why(reason, "/reason", 200)
    despite_retention = said_why(despite_retention, "/despite_retention", 200) if despite_retention else None
    with desk.use("patient.erase") as unit:
        whose = _standing(desk, unit, patient)
        if _names(whose.family, f"{reason} {despite_retention}"):
            raise ProblemsError([_NAMES])
        if named_under_hold(unit, whose.family):
            whose = replace(whose, against=(*whose.against, _HELD_ELSEWHERE))
        overruled = {one.code for one in whose.against if one not in _ALWAYS} if despite_retention else set()
        refused = tuple(one for one in whose.against if one.code not in overruled)
        report = _report(desk, unit, whose, refused)
        if refused or not apply:
            return report
        why = f"{reason} Despite retention: {despite_retention}" if overruled else reason
        (stone,) = remove(unit, [whose.family], why)
    cleared, problems = clear(desk)
    return report.model_copy(
        update={
            "patient": None,
            "merged": (),
            "applied": True,
            "scrubbed": cleared,
            "tombstone": _stone(desk, stone),
            "problems": problems,
        }
    )


def retention(desk: Desk, *, apply: bool = False) -> RetentionReport:
    """Say whose retention period is over, and with `apply` erase them; what has to stay says why.

    Raises `ProblemsError` (`retention.undecided`) where the clinic settings have no period.
    """
    period = desk.clinic.policies.retention
    if period is None:
        raise ProblemsError([_UNDECIDED.model_copy(update={"code": "retention.undecided"})])
    with desk.use("retention") as unit:
        over = _over(desk, unit, period)
        going = [whose.family for whose in over if not _stays(whose)]
        found = tuple(_past(desk, unit, whose, apply=apply) for whose in over)
        unit.note(None, due=len(going), applied=apply)
        if apply and going:
            for start in range(0, len(going), _TOGETHER):
                remove(unit, going[start : start + _TOGETHER], "retention")
    # Also where nobody is due: what an earlier erasure could not clear is cleared now.
    cleared, problems = clear(desk) if apply else (False, ())
    return RetentionReport(
        clinic=desk.clinic.id,
        at=desk.instant(),
        by=desk.actor,
        retention=period,
        applied=apply,
        patients=found,
        erased=len(going) if apply else 0,
        kept=len(found) - len(going),
        scrubbed=cleared,
        problems=problems,
    )


def tombstones(desk: Desk) -> TombstoneList:
    """Return the clinic's tombstones, to be kept apart from the database and handed in at a restore."""
    with desk.use("tombstone.list") as unit:
        stones = tuple(_stone(desk, stone) for stone in unit.patients.tombstones())
        check = unit.patients.hash_of("").hex()
        unit.note(None, listed=len(stones))
    return TombstoneList(clinic=desk.clinic.id, generated_at=desk.instant(), key_check=check, tombstones=stones)


def _over(desk: Desk, unit: Unit, period: str) -> list[_Person]:
    """Return the people whose retention period is over, with what stands against erasing them."""
    quarantined, today = _quarantined(unit), desk.today()
    people = [_standing(desk, unit, head, quarantined) for head in _long_ago(desk, unit, period)]
    over = [whose for whose in people if whose.ends is not None and whose.ends < today]
    held = named_under_hold(unit, [name for whose in over for name in whose.family])
    return [
        replace(whose, against=(*whose.against, _HELD_ELSEWHERE)) if held.intersection(whose.family) else whose
        for whose in over
    ]


def _stays(whose: _Person) -> tuple[Problem, ...]:
    return tuple(one for one in whose.against if one is not _RETENTION)


def _past(desk: Desk, unit: Unit, whose: _Person, *, apply: bool) -> RetentionPatient:
    kept = _stays(whose)
    return RetentionPatient(
        patient=None if apply and not kept else whose.family[0],
        last_at=instant(desk, whose.last_at),
        ended=whose.ends or "",
        kept_because=kept,
        records=sum(one.count for one in kinds(unit, whose.family)),
    )


def _names(family: Iterable[str], said: str) -> bool:
    return any(re.search(rf"(?<![A-Za-z0-9-]){re.escape(name)}(?![A-Za-z0-9-])", said) for name in family)


def _standing(desk: Desk, unit: Unit, patient: str, quarantined: frozenset[str] | None = None) -> _Person:
    rows = person(unit, patient)
    family = tuple(row.patient for row in rows)
    last_at = max(row.last_at for row in rows)
    period = desk.clinic.policies.retention
    ends = None if period is None else _end(desk, last_at, period)
    against = [_HOLD] if any(row.hold_why is not None for row in rows) else []
    if ends is None:
        against.append(_UNDECIDED)
    elif ends >= desk.today():
        against.append(_RETENTION)
    events = {row.id: row for row in unit.records.of_patient(family, "adverse-event")}
    if any(row.state == "active" for row in events.values()):
        against.append(_EVENT)
    if _lots(unit, family) & (_quarantined(unit) if quarantined is None else quarantined):
        against.append(_QUARANTINE)
    return _Person(family, last_at, ends, tuple(against))


def _end(desk: Desk, last_at: int, period: str) -> str:
    """Return the last local day of the period; hours round up to the day that they end on."""
    zone = ZoneInfo(desk.clinic.zone)
    last = datetime.fromtimestamp(last_at, zone)
    if parse_duration(period).clock:
        return add_local(last.isoformat(), period, zone)[:10]
    return add_to_date(last.date(), period).isoformat()


def _long_ago(desk: Desk, unit: Unit, period: str) -> list[str]:
    """Return the ids in use of patients with something from before the period; who is past it is looked at after."""
    heads = (unit.patients.head(row.patient) for row in unit.patients.last_before(_begin(desk, period)))
    return list(dict.fromkeys(heads))


def _begin(desk: Desk, period: str) -> int:
    """Return a moment that is never before the one from which the period ends today."""
    today, span = desk.now(), parse_duration(period)
    if span.clock:
        return int((today - span.elapsed).timestamp())
    days = {"D": 1, "W": 7, "M": 28, "Y": 365}[span.unit]
    return int((today - timedelta(days=max(0, span.amount * days - 1))).timestamp())


def _quarantined(unit: Unit) -> frozenset[str]:
    documents = (read_json(row.document) for row in unit.records.of_kind("lot-quarantine"))
    return frozenset(lot_key(one["lot"]) for one in documents if "lifted_at" not in one)


def _lots(unit: Unit, family: Iterable[str]) -> frozenset[str]:
    documents = (read_json(row.document) for row in unit.records.of_patient(family, "treatment-record"))
    return frozenset(lot_key(use["vial"]["lot"]) for one in documents for use in one["report"].get("vials", ()))


def _report(desk: Desk, unit: Unit, whose: _Person, refused: tuple[Problem, ...]) -> ErasureReport:
    rows = Traces(unit).rows_of(whose.family)
    return ErasureReport(
        clinic=desk.clinic.id,
        patient=whose.family[0],
        at=desk.instant(),
        by=desk.actor,
        applied=False,
        merged=whose.family[1:],
        last_at=instant(desk, whose.last_at),
        retention=desk.clinic.policies.retention,
        retention_ends=whose.ends,
        records=kinds(unit, whose.family),
        rows=tuple(KindCount(kind=name.replace("_", "-"), count=count) for name, count in sorted(rows.items())),
        mentions=tuple(
            Mention(kind=row.kind, id=row.id, revision=row.revision, pointers=places(document, whose.family))
            for row, document in mentions(unit, whose.family)
        ),
        backups=_copies(desk, unit),
        refused=refused,
    )


def clear(desk: Desk) -> tuple[bool, tuple[Problem, ...]]:
    """Clear the live files. What is erased stays erased where that fails, and the next erasure clears them too."""
    try:
        desk.database.scrub()
    except ProblemsError as error:
        return False, error.problems
    return True, ()


def _copies(desk: Desk, unit: Unit) -> tuple[str, ...]:
    """Return what is known of copies: those that a migration made, and those that the audit tells of."""
    named = [read_json(row.details) for row in unit.audit.of_action("backup") if row.details is not None]
    files = [one["file"] for one in named if isinstance(one, dict) and isinstance(one.get("file"), str)]
    files += [str(file) for file in desk.database.migration_backups()]
    return tuple(dict.fromkeys(files))


def _stone(desk: Desk, stone: Stone) -> Tombstone:
    said = read_json(stone.document)
    return Tombstone(
        patient_hash=stone.patient_hash.hex(),
        at=instant(desk, stone.at),
        by=stone.by,
        reason=stone.reason,
        counts=tuple(KindCount.model_validate(one) for one in said["counts"]),
    )
