"""Red flags in an answered form: which are raised, what the patient is told at once, what the clinic has to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...contracts import (
    Answer,
    Calendar,
    ConsultationForm,
    EmergencyNumbers,
    Market,
    RaisedFlag,
    RedFlag,
    StaffTask,
    Text,
)
from ..durations import instant_of, load_zone, local_date, to_utc
from ..forms.conditions import CompiledWhen, compile_when, holds, index
from ..wording.localising import fill, fill_text
from .calendar import next_open

__all__ = ["CompiledFlags", "compile_flags", "raised", "tasks"]

_ORDER = ("emergency", "advice", "same-day")


@dataclass(frozen=True, slots=True)
class CompiledFlags:
    """The red flags of a form prepared for many calls of `raised`, the most urgent first."""

    flags: tuple[tuple[RedFlag, CompiledWhen], ...]


def compile_flags(form: ConsultationForm) -> CompiledFlags:
    """Prepare the red flags of a form."""
    ordered = sorted(form.red_flags, key=lambda flag: _ORDER.index(flag.urgency))
    return CompiledFlags(tuple((flag, compile_when(flag.when)) for flag in ordered))


def raised(
    form: ConsultationForm | CompiledFlags, answers: Iterable[Answer], market: Market, numbers: EmergencyNumbers
) -> tuple[RaisedFlag, ...]:
    """Return the red flags that the answers raise, emergencies first, each with the market's instruction.

    Every answer counts, one to a hidden question too: a sign once given is not taken back by another answer. Of
    flags with the same code the most urgent is kept.
    """
    found = index(answers)
    values = {"emergency": numbers.emergency, "advice": numbers.advice, "clinic": numbers.clinic}
    instructions = {
        "emergency": market.emergency_instruction,
        "advice": market.advice_instruction,
        "same-day": market.same_day_instruction,
    }
    flags: dict[str, RaisedFlag] = {}
    compiled = form if isinstance(form, CompiledFlags) else compile_flags(form)
    for flag, when in compiled.flags:
        if flag.code not in flags and holds(when, found):
            flags[flag.code] = RaisedFlag(
                code=flag.code,
                urgency=flag.urgency,
                sign=flag.sign,
                instruction=fill_text(instructions[flag.urgency], values),
            )
    return tuple(flags.values())


def tasks(
    flags: Iterable[RaisedFlag],
    at: str,
    calendar: Calendar,
    keys: Callable[[str], str],
    messages: Mapping[str, Text],
) -> tuple[StaffTask, ...]:
    """Return one task per flag, due for the clinic's staff; `keys` gives a task's key for a flag's code.

    `messages` has the title for each urgency, such as `task-emergency`, with a place for the `{sign}`.

    Emergencies and signs of distant spread are due at once, whatever the hour. A same-day sign waits for the
    clinic's next opening on the same local date; when there is none today, it is due at once too.
    """
    zone = load_zone(calendar.zone)
    now = instant_of(to_utc(at), zone)
    opening = next_open(calendar, now)
    today = opening is not None and local_date(opening, zone) == local_date(now, zone)
    made = []
    for flag in flags:
        waits = flag.urgency == "same-day" and today
        made.append(
            StaffTask(
                key=keys(flag.code),
                code=flag.code,
                title=dict(_titles(messages[f"task-{flag.urgency}"], flag.sign)),
                due=opening if waits and opening is not None else now,
                ignores_hours=not waits,
            )
        )
    return tuple(made)


def _titles(title: Mapping[str, str], sign: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield locale and title; where the title lacks the locale the sign stands alone, never in another language."""
    for locale, said in sign.items():
        yield locale, fill(title[locale], {"sign": said}) if locale in title else said
