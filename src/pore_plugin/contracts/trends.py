"""The outcomes of one patient, treatment by treatment, each against its own baseline."""

from typing import Literal

from pydantic import Field

from .base import DecimalString, Id, Instant, Model, Opt, RecordId, Text, UnitId, Version, Zone
from .follow_up import OutcomeTrend

__all__ = ["OutcomeReport", "ReportedInstrument", "TreatmentOutcomes"]


class ReportedInstrument(Model):
    """What the values of an instrument mean: its name, range, direction and unit."""

    id: Id
    version: Version
    title: Text
    minimum: Opt[DecimalString] = Field(default=None, description="The least value, in `unit`.")
    maximum: Opt[DecimalString] = Field(default=None, description="The greatest value, in `unit`.")
    direction: Literal["higher-is-better", "lower-is-better", "none"] = Field(description="Which way is better.")
    unit: UnitId
    range_verified: bool = Field(description="False when no source that was read gives the range.")


class TreatmentOutcomes(Model):
    """The trends after one treatment, up to the next one."""

    treatment: RecordId
    treated_at: Instant = Field(description="When the treatment began; its baseline was measured by then.")
    trends: tuple[OutcomeTrend, ...]
    non_response: Opt[Text] = Field(default=None, description="What to do; present when a trend has the flag.")


class OutcomeReport(Model):
    """The trend on each instrument against baseline, for each treatment of one patient, the earliest first."""

    clinic: RecordId
    patient: RecordId
    at: Instant = Field(description="When the report was made.")
    zone: Zone
    instruments: tuple[ReportedInstrument, ...]
    treatments: tuple[TreatmentOutcomes, ...]
