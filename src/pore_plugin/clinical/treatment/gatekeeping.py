"""What the gates before a treatment look at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from ...contracts import CaseFile, Clinic, Finding, Market, Pin, Problem, Product, RecordPin, RegionDose
from ..durations import load_zone, local_date, to_utc

__all__ = ["Gatekeeping"]


@dataclass(frozen=True)
class Gatekeeping:
    """All that the gates look at, made once per question.

    `findings` are those of the plan-stage assessment joined with a fresh assessment on the day; `pins` maps the
    id of each consent text to its current pin; `consultation`, `plan` and `assessment` pin the records as read.
    `prescriber` is the one named for this treatment, `None` where nobody was; `doses` are the planned ones, or
    after a treatment the given ones; `answers` and `day_answers` are what is wrong with the two responses against
    the forms that they pin. `asked_at` is when somebody asks, where that is known to be another moment than `at`: a
    host's clock lags, and a lot that is quarantined at either moment is not used.
    """

    case: CaseFile
    clinic: Clinic
    market: Market
    product: Product | None
    findings: tuple[Finding, ...]
    pins: Mapping[str, Pin]
    consultation: RecordPin
    plan: RecordPin
    assessment: RecordPin
    operator: str
    prescriber: str | None
    doses: tuple[RegionDose, ...]
    at: str
    answers: tuple[Problem, ...] = ()
    day_answers: tuple[Problem, ...] = ()
    asked_at: str | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        return load_zone(self.clinic.zone)

    @cached_property
    def now(self) -> datetime:
        return to_utc(self.at)

    @cached_property
    def moments(self) -> tuple[datetime, ...]:
        return (self.now,) if self.asked_at is None else (self.now, to_utc(self.asked_at))

    @cached_property
    def today(self) -> date:
        return self.local_day(self.at)

    def with_findings(self, findings: tuple[Finding, ...]) -> "Gatekeeping":
        """Return the same question with the findings filled in."""
        return replace(self, findings=findings)

    def local_day(self, instant: str) -> date:
        return local_date(instant, self.zone)
