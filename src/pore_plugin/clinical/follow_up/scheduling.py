"""From a follow-up schedule and a treatment to dated steps.

`draft` dates every step at its plain offset, as plug-ins see it; `apply_edits` amends the schedule and places the
steps where the clinic is open; `schedule` is `apply_edits` without edits. Each starts from the same inputs, so doing
it again gives the same plan with the same keys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeAlias

from ...contracts import (
    Calendar,
    FollowUpEdit,
    FollowUpPlan,
    FollowUpSchedule,
    FollowUpStep,
    FrozenMap,
    Pin,
    Product,
    RecordPin,
    StepChange,
    Text,
)
from ..durations import add_to_date, instant_of, parse_duration, to_utc
from ..figures import usable
from ..keys import keys_of
from ..numbers import exact
from ..safety.intervals import retreatment
from ..wording.localising import fill_text
from .amending import AmendedStep, amend
from .slots import BUILT_IN, OPEN_SEARCH, inside_hours, nearest_slot
from .windows import Anchor

__all__ = ["FollowUpInputs", "Placer", "apply_edits", "draft", "schedule", "years_of"]

Placer: TypeAlias = Callable[[FollowUpStep, FollowUpPlan, Calendar], tuple[str, FollowUpStep] | None]
"""Asks the plug-ins to place a step: the one that answered and its step; after `None` it is placed here.

The step of the built-in is what `slots.place_step` gave, and is taken as it is.
"""


@dataclass(frozen=True, kw_only=True)
class FollowUpInputs:
    """Everything a follow-up plan is made from.

    `anchor` is the end of the treatment, `date` its day in the clinic's zone. `forms` has the pins of all forms by
    id; `requested` the on-request steps that somebody asked for. `product` is the one that was given, `None` after a
    treatment without; `accepted` the keys of the suggestions that the clinic accepts (`Policies`).
    `fallback` is what a re-treatment limit that nobody read counts as (`suitability.CompiledRules.fallback`).
    `messages` has `retreat-label` and `retreat-unverified`, the reasons for the first day of a next treatment.
    `card` fills the placeholders of the red-flag card. `series` is the id of the first record where a treatment
    record was amended, so that the steps keep their keys.
    """

    schedule: FollowUpSchedule
    pin: Pin
    treatment: RecordPin
    clinic: str
    patient: str
    anchor: str
    date: str
    calendar: Calendar
    forms: Mapping[str, Pin]
    messages: Mapping[str, Text]
    fallback: Sequence[tuple[int, str]]
    requested: frozenset[str] = frozenset()
    product: Product | None = None
    accepted: Collection[str] = ()
    card: Mapping[str, str] = field(default_factory=FrozenMap[str])
    series: str | None = None

    @cached_property
    def key(self) -> Callable[[str], str]:
        """What gives the key of a step of this treatment."""
        return keys_of(self.clinic, self.series or self.treatment.id)


def draft(inputs: FollowUpInputs) -> FollowUpPlan:
    """Return the plan with every step at its plain offset, before anybody edits or places it.

    Raises `ProblemsError` with `zone.unknown`, or with `time.out_of_range` beyond the year 2199.
    """
    anchor = Anchor.at(inputs.anchor, inputs.calendar.zone)
    amended = [AmendedStep(step) for step in inputs.schedule.steps]
    return _plan(inputs, anchor, amended, [_dated(inputs, anchor, one) for one in _asked_for(inputs, amended)], ())


def schedule(inputs: FollowUpInputs, placer: Placer | None = None) -> FollowUpPlan:
    """Return the plan with every step placed. Raises as `draft` does."""
    return apply_edits(inputs, (), placer)


def apply_edits(
    inputs: FollowUpInputs,
    edits: Iterable[tuple[str, FollowUpEdit]],
    placer: Placer | None = None,
    drafted: FollowUpPlan | None = None,
) -> FollowUpPlan:
    """Return the plan after the edits, each given with its plug-in, with every step placed.

    `drafted` is the `draft` of the same inputs, where the caller has it: without edits its steps are dated already.

    Edits that a required step, a window or another edit of the same step forbids are dropped, and so are placements
    outside a window; the plan's flags name their authors. A removed step stays, cancelled, with the reason. Raises
    as `draft` does.
    """
    anchor = Anchor.at(inputs.anchor, inputs.calendar.zone)
    flags: list[str] = []
    amended: Sequence[AmendedStep] = [AmendedStep(step) for step in inputs.schedule.steps]
    edits = tuple(edits)
    if edits:
        amended, dropped = amend(inputs.schedule.steps, edits, fits=anchor.fits, forms=inputs.forms)
        flags += dropped
    if edits or drafted is None:
        steps = [_dated(inputs, anchor, one) for one in _asked_for(inputs, amended)]
        # Only plug-ins look at the plan while its steps are being placed.
        unplaced = _plan(inputs, anchor, amended, steps, ()) if placer else None
    else:
        dated = {step.step: step for step in drafted.steps}
        steps = [dated[one.step.id] for one in _asked_for(inputs, amended)]
        unplaced = drafted
    placed = []
    for step in steps:
        theirs = _theirs(step, unplaced, inputs, anchor, placer, flags) if placer and unplaced else None
        placed.append(theirs or nearest_slot(step, anchor, inputs.calendar))
    flags += _concerns(inputs, anchor, amended, placed)
    return _plan(inputs, anchor, amended, placed, flags)


def years_of(schedule: FollowUpSchedule, anchor: str) -> tuple[int, ...]:
    """Return the years whose holidays a calendar for this schedule must know, from the anchor to the last step."""
    start = to_utc(anchor).date()
    last = start
    for step in schedule.steps:
        for duration in (step.offset, step.latest or "P0D"):
            span = parse_duration(duration)
            last = max(last, start + span.elapsed if span.clock else add_to_date(start, span))
    margin = timedelta(days=1)
    return tuple(range((start - margin).year, (last + OPEN_SEARCH + margin).year + 1))


def _asked_for(inputs: FollowUpInputs, amended: Iterable[AmendedStep]) -> Iterator[AmendedStep]:
    return (one for one in amended if one.step.offered == "always" or one.step.id in inputs.requested)


def _dated(inputs: FollowUpInputs, anchor: Anchor, amended: AmendedStep) -> FollowUpStep:
    step = amended.step
    earliest, latest = anchor.window(step)
    return FollowUpStep(
        key=inputs.key(step.id),
        step=step.id,
        kind=step.kind,
        title=step.title,
        purpose=step.purpose,
        due=instant_of(anchor.due(step), anchor.zone),
        earliest=None if earliest is None else instant_of(earliest, anchor.zone),
        latest=None if latest is None else instant_of(latest, anchor.zone),
        state="cancelled" if amended.removed else "planned",
        required=step.required,
        on_request=step.offered == "on-request",
        form=inputs.forms.get(step.form) if step.form else None,
        instruments=step.instruments,
        photographs=step.photographs,
        primary_outcome=step.primary_outcome,
        closes_watch=step.closes_watch,
        no_show=step.no_show,
        stop_when=step.stop_when,
        changes=amended.changes,
    )


def _theirs(
    step: FollowUpStep,
    plan: FollowUpPlan,
    inputs: FollowUpInputs,
    anchor: Anchor,
    placer: Placer,
    flags: list[str],
) -> FollowUpStep | None:
    """Return the step where a plug-in placed it, `None` when none did or where it may not be."""
    answer = None if step.state == "cancelled" else placer(step, plan, inputs.calendar)
    if answer is None:
        return None
    plugin, theirs = answer
    if plugin == BUILT_IN:
        return theirs
    if not _allowed(step, theirs, anchor):
        flags.append(
            f"The place that {plugin} gave step {step.step} was dropped: it lies outside the window or changes more."
        )
        return None
    due = instant_of(to_utc(theirs.due), anchor.zone)
    change = StepChange(plugin=plugin, change="placed", reason="Placed by this plug-in.")
    return step.model_copy(update={"due": due, "changes": (*step.changes, change)})


def _allowed(step: FollowUpStep, theirs: FollowUpStep, anchor: Anchor) -> bool:
    if theirs.model_copy(update={"due": step.due, "changes": step.changes}) != step:
        return False
    due = to_utc(theirs.due)
    return due >= (anchor.moment if step.earliest is None else to_utc(step.earliest)) and (
        step.latest is None or due <= to_utc(step.latest)
    )


def _plan(
    inputs: FollowUpInputs,
    anchor: Anchor,
    amended: Iterable[AmendedStep],
    steps: Iterable[FollowUpStep],
    flags: Iterable[str],
) -> FollowUpPlan:
    schedule = inputs.schedule
    ordered = sorted(((to_utc(step.due), step.step, step) for step in steps), key=lambda one: one[:2])
    closing = {one.step.id for one in amended if one.step.closes_watch and not one.removed}
    watch = _watch_until(inputs, anchor, [due for due, name, _ in ordered if name in closing])
    retreat, unverified = _retreat(inputs)
    return FollowUpPlan(
        id=inputs.key("follow-up-plan"),
        clinic=inputs.clinic,
        patient=inputs.patient,
        treatment=inputs.treatment,
        schedule=inputs.pin,
        zone=inputs.calendar.zone,
        anchor=instant_of(anchor.moment, anchor.zone),
        steps=tuple(step for _, _, step in ordered),
        watch_until=None if watch is None else instant_of(watch, anchor.zone),
        watch_form=inputs.forms.get(schedule.watch_form) if schedule.watch_form else None,
        retreat_not_before=retreat,
        retreat_reason=None
        if retreat is None
        else inputs.messages["retreat-unverified" if unverified else "retreat-label"],
        retreat_unverified=unverified,
        red_flag_card=schedule.red_flag_card and fill_text(schedule.red_flag_card, inputs.card),
        flags=tuple(flags),
    )


def _retreat(inputs: FollowUpInputs) -> tuple[str | None, bool]:
    """Return the first day of a next treatment, and whether the label row alone could not say so."""
    if inputs.product is None:
        return None, False
    found = retreatment(
        date.fromisoformat(inputs.date), (inputs.product,), fallback=inputs.fallback, accepted=inputs.accepted
    )
    return found.day.isoformat(), found.verified != found.day


def _watch_until(inputs: FollowUpInputs, anchor: Anchor, closing: Sequence[datetime]) -> datetime | None:
    """Return the later of the visits that close the watch and the end of its last day; `None` without a watch."""
    days = _watch_days(inputs)
    last_day = () if days is None else (anchor.end_of_day(days),)
    return None if inputs.schedule.watch is None else max((*closing, *last_day), default=None)


def _watch_days(inputs: FollowUpInputs) -> int | None:
    watch = inputs.schedule.watch
    if watch is None or watch.value is None or watch.unit != "d":
        return None
    if usable(watch, f"{inputs.schedule.id}/watch", inputs.accepted) is None:
        return None
    # A part of a day keeps the watch open for the whole of it.
    return -(-exact(watch.value) // 1)


def _concerns(
    inputs: FollowUpInputs, anchor: Anchor, amended: Sequence[AmendedStep], placed: Sequence[FollowUpStep]
) -> Iterator[str]:
    """Yield what a person should look at."""
    calendar = inputs.calendar
    known = {day[:4] for day in calendar.holidays}
    for step in placed:
        due = to_utc(step.due)
        if step.kind != "visit" or step.state == "cancelled" or due.astimezone(anchor.zone).date() == anchor.day:
            continue
        # A step without changes was found open by the built-in at its very offset.
        if step.changes and not inside_hours(step, calendar):
            yield f"The clinic is not open when the visit {step.step} is due; its window has no better place."
        if known and step.due[:4] not in known:
            yield f"The public holidays of {step.due[:4]} are not known, so the visit {step.step} may fall on one."
    for one in amended:
        if one.step.form is not None and one.step.form not in inputs.forms:
            yield f"The form of step {one.step.id} does not exist."
    if inputs.schedule.watch is not None and _watch_days(inputs) is None:
        yield "The length of the red-flag watch has no verified figure; it ends with the visit that closes it."
    if inputs.schedule.watch_form is not None and inputs.schedule.watch_form not in inputs.forms:
        yield "The form of the red-flag watch does not exist."
    unknown = inputs.requested - {one.step.id for one in amended}
    if unknown:
        yield f"Steps were requested that the schedule does not have: {', '.join(sorted(unknown))}."
