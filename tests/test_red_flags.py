"""Red flags: which are raised, what is said at once, what the clinic has to do."""

from __future__ import annotations

from functools import partial

import pytest

from factories import MESSAGES
from follow_up_examples import clinic, inputs, schedule_of, sourced
from pore_plugin.clinical.follow_up.calendar import calendar_for
from pore_plugin.clinical.follow_up.red_flags import raised, tasks
from pore_plugin.clinical.follow_up.scheduling import schedule
from pore_plugin.clinical.keys import record_key
from pore_plugin.clinical.wording.localising import fill_text
from pore_plugin.contracts import (
    BooleanAnswer,
    BooleanQuestion,
    ChoiceAnswer,
    ChoiceQuestion,
    Condition,
    ConsultationForm,
    EmergencyNumbers,
    Market,
    Option,
    ProblemsError,
    RaisedFlag,
    RedFlag,
    Section,
    ShowWhen,
    SourcedFlag,
)

NUMBERS = EmergencyNumbers(emergency="999", advice="111", clinic="020 7946 0000")
CALENDAR = calendar_for(clinic(), [2026])
KEYS = partial(record_key, "clinic-1", "response-1")


def flag(code: str, urgency: str, *conditions: Condition) -> RedFlag:
    return RedFlag.model_validate(
        {
            "code": code,
            "urgency": urgency,
            "when": ShowWhen(conditions=conditions),
            "sign": {"en": f"Sign {code}."},
            "source": "a source",
            "mark": "V",
        }
    )


def yes(name: str) -> Condition:
    return Condition(question=f"pore.q.{name}", operator="=", value=True)


def asked(name: str, **more: object) -> BooleanQuestion:
    return BooleanQuestion.model_validate({"type": "boolean", "id": f"pore.q.{name}", "text": {"en": name}, **more})


LID = ChoiceQuestion(
    type="choice",
    id="pore.q.lid",
    text={"en": "Lid"},
    options=tuple(Option(code=code, text={"en": code}) for code in ("none", "one", "both")),
)
FORM = ConsultationForm(
    type="consultation-form",
    id="pore.form.red-flags",
    version="1.0.0",
    title={"en": "Red flags"},
    kind="follow-up",
    sections=(
        Section(
            id="pore.section.signs",
            title={"en": "Signs"},
            questions=(
                asked("any"),
                asked("breathing", show_when=ShowWhen(conditions=(yes("any"),))),
                asked("vision"),
                asked("fever"),
                LID,
            ),
        ),
    ),
    red_flags=(
        flag("fever", "same-day", yes("fever")),
        flag("lid", "same-day", Condition(question="pore.q.lid", operator="=", value="one")),
        flag("lid", "emergency", Condition(question="pore.q.lid", operator="=", value="one"), yes("vision")),
        flag("vision", "advice", yes("vision")),
        flag("breathing", "emergency", yes("breathing")),
    ),
)
NO = SourcedFlag(value=True, source="a source", mark="V", checked_on="2026-11-22")
MARKET = Market(
    id="UK",
    countries=("GB",),
    age_min=sourced("18", "a"),
    cooling_off=sourced("48", "h"),
    in_person_exam=NO,
    operator_may_differ=NO,
    emergency_instruction={"en": "Call {emergency} now. Then call {clinic}."},
    advice_instruction={"en": "Call {advice} now. Then call {clinic}."},
    same_day_instruction={"en": "Call {clinic} today."},
)


def say(**answers: bool | str) -> tuple[RaisedFlag, ...]:
    given = [
        BooleanAnswer(question=f"pore.q.{name}", type="boolean", value=value)
        if isinstance(value, bool)
        else ChoiceAnswer(question=f"pore.q.{name}", type="choice", value=value)
        for name, value in answers.items()
    ]
    return raised(FORM, given, MARKET, NUMBERS)


def test_no_sign_raises_no_flag() -> None:
    assert say() == ()
    assert say(breathing=False, vision=False, fever=False, lid="none") == ()


@pytest.mark.parametrize(
    ("name", "urgency", "instruction"),
    [
        ("breathing", "emergency", "Call 999 now. Then call 020 7946 0000."),
        ("vision", "advice", "Call 111 now. Then call 020 7946 0000."),
        ("fever", "same-day", "Call 020 7946 0000 today."),
    ],
)
def test_a_sign_gives_the_markets_instruction_with_the_clinics_numbers(
    name: str, urgency: str, instruction: str
) -> None:
    (found,) = say(**{name: True})
    assert (found.code, found.urgency, found.sign) == (name, urgency, {"en": f"Sign {name}."})
    assert found.instruction == {"en": instruction}


def test_emergencies_come_first() -> None:
    assert [one.code for one in say(fever=True, vision=True, breathing=True)] == ["breathing", "vision", "fever"]


def test_of_one_code_the_most_urgent_flag_is_kept() -> None:
    assert [(one.code, one.urgency) for one in say(lid="one")] == [("lid", "same-day")]
    both = say(lid="one", vision=True)
    assert [(one.code, one.urgency) for one in both] == [("lid", "emergency"), ("vision", "advice")]


def test_an_answer_to_a_hidden_question_still_raises_its_flag() -> None:
    assert [one.code for one in say(any=False, breathing=True)] == ["breathing"]


@pytest.mark.parametrize("at", ["2026-03-02T10:30:00+00:00", "2026-03-07T03:00:00+00:00", "2026-04-03T23:30:00+01:00"])
@pytest.mark.parametrize("name", ["breathing", "vision"])
def test_an_emergency_makes_a_task_that_is_due_now_whatever_the_hour(name: str, at: str) -> None:
    (task,) = tasks(say(**{name: True}), at, CALENDAR, KEYS, MESSAGES)
    assert (task.due, task.ignores_hours) == (at, True)
    assert task.key == record_key("clinic-1", "response-1", name)
    assert task.code == name
    assert f"Sign {name}." in task.title["en"]


@pytest.mark.parametrize(
    ("at", "due", "ignores_hours"),
    [
        ("2026-03-02T10:30:00+00:00", "2026-03-02T10:30:00+00:00", False),
        ("2026-03-02T03:00:00+00:00", "2026-03-02T09:00:00+00:00", False),
        # No opening is left today: waiting for the next would not be the same day.
        ("2026-03-02T18:00:00+00:00", "2026-03-02T18:00:00+00:00", True),
        ("2026-03-07T11:00:00+00:00", "2026-03-07T11:00:00+00:00", True),
        # Today on the clinic's clocks, not on those of whoever wrote the instant.
        ("2026-03-02T01:00:00-05:00", "2026-03-02T09:00:00+00:00", False),
    ],
)
def test_a_same_day_sign_is_due_today(at: str, due: str, ignores_hours: bool) -> None:
    (task,) = tasks(say(fever=True), at, CALENDAR, KEYS, MESSAGES)
    assert (task.due, task.ignores_hours) == (due, ignores_hours)


def test_every_flag_makes_one_task_with_its_own_key() -> None:
    found = say(fever=True, vision=True, breathing=True, lid="one")
    made = tasks(found, "2026-03-02T10:30:00+00:00", CALENDAR, KEYS, MESSAGES)
    assert [one.code for one in made] == [one.code for one in found]
    assert len({one.key for one in made}) == 4


def test_placeholders_are_filled_in_every_locale() -> None:
    text = {"en": "Call {emergency}, %s", "de": "Ruf {emergency}"}
    assert fill_text(text, {"emergency": "112"}) == {"en": "Call 112, %s", "de": "Ruf 112"}


def test_an_instruction_with_an_unknown_placeholder_is_refused_rather_than_shown() -> None:
    market = MARKET.model_copy(update={"advice_instruction": {"en": "Call {hotline}."}})
    with pytest.raises(ProblemsError) as refused:
        raised(FORM, [BooleanAnswer(question="pore.q.vision", type="boolean", value=True)], market, NUMBERS)
    assert [one.code for one in refused.value.problems] == ["text.placeholder"]


def test_a_task_speaks_no_other_language_than_the_sign() -> None:
    (found,) = say(vision=True)
    (task,) = tasks(
        [found.model_copy(update={"sign": {"en": "Double vision.", "de": "Doppelbilder."}})],
        "2026-03-02T10:30:00+00:00",
        CALENDAR,
        KEYS,
        MESSAGES,
    )
    assert task.title == {
        "en": "Sign of distant spread reported: call the patient now. Double vision.",
        "de": "Doppelbilder.",
    }


def test_a_red_flag_card_with_an_unknown_placeholder_is_refused() -> None:
    wrong = schedule_of().model_copy(update={"red_flag_card": {"en": "Call {hotline}."}})
    with pytest.raises(ProblemsError) as refused:
        schedule(inputs(wrong))
    assert [one.code for one in refused.value.problems] == ["text.placeholder"]
