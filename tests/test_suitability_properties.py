"""What holds for every patient: more information never makes a verdict milder, and order never matters."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.clinical.forms.conditions import index
from pore_plugin.clinical.safety.suitability import UNAVAILABLE, compile_rules, join, verdict
from pore_plugin.contracts import AssessmentContext
from suitability_cases import (
    CLEAN,
    CLEAN_DAY,
    compiled,
    context,
    findings,
    past,
    place,
    policies,
    products,
    rules,
)
from suitability_cases import (
    given as answers_of,
)

DAY = date(2026, 6, 15)
ORDER = ("clear", "inform", "review", "block")
REGIONS = ("forehead", "nose", "cheek left", "cheek right", "chin", "infraorbital left", "other")
SHORT = sorted(product.removeprefix("pore.product.") for product in products())
CODES = {
    "pregnancy": ["none", "possible", "breast-feeding"],
    "allergies": ["none", "albumin", "lactose", "milk-protein", "local-anaesthetic", "botulinum-toxin"],
    "health-conditions": ["none", "bleeding-disorder", "keloid-tendency", "g6pd-deficiency"],
    "medicines": ["none", "aminoglycoside", "anticoagulant", "magnesium"],
    "skin-at-site": ["none", "infection", "pustular-acne"],
    "eyes": ["none", "dry-eye"],
    "capacity-concerns": ["none", "coerced"],
}

dates = st.integers(0, 200).map(lambda days: (DAY - timedelta(days=days)).isoformat())
exposures = st.builds(
    lambda product, day, units, where, given, treatment: past(
        product, day, units, *where, given=given, **({"treatment": treatment} if given == "here" else {})
    ),
    st.none() | st.sampled_from([*SHORT, "onabotulinumtoxinA", "incobotulinumtoxinA", "gone"]),
    st.none() | dates,
    st.none() | st.sampled_from(["4", "20", "390", "0.5"]),
    st.lists(st.sampled_from(REGIONS), max_size=2),
    st.sampled_from(["here", "elsewhere"]),
    st.sampled_from(["t1", "t2"]),
)
planned = st.lists(
    st.builds(lambda where, units: f"{where} {units}", st.sampled_from(REGIONS[:-1]), st.sampled_from(["4", "22"])),
    max_size=3,
)


@st.composite
def contexts(draw: st.DrawFn, *, topping_up: bool = False) -> AssessmentContext:
    history = draw(st.lists(exposures, max_size=4))
    more: dict[str, Any] = {"stage": draw(st.sampled_from(["booking", "consultation", "plan", "treatment"]))}
    if topping_up and draw(st.booleans()):
        history.append(past("bocouture-uk", draw(dates), "4", "nose", given="here", treatment="t1"))
        more |= {"session": "top-up", "tops_up": "t1"}
    if draw(st.booleans()):
        more["anaesthetic"] = draw(st.sampled_from(["emla", "lmx4", "none"]))
    if draw(st.booleans()):
        more["regions"] = [place(text) for text in draw(st.lists(st.sampled_from(REGIONS), max_size=2, unique=True))]
    birth = draw(st.sampled_from(["1940-02-29", "1961-06-15", "1990-01-01", "2008-06-16"]))
    more["patient"] = {"host": "memory", "id": "p1", "birth_date": birth}
    product = draw(st.none() | st.sampled_from([*SHORT, "gone"]))
    return context(product, draw(st.none() | planned), history=history, **more)  # type: ignore[no-any-return]


multi = st.fixed_dictionaries(
    {}, optional={name: st.lists(st.sampled_from(codes), min_size=1, unique=True) for name, codes in CODES.items()}
)
settings_ = st.sampled_from(
    [
        policies(),
        policies(top_up_window={"first_day": 10, "last_day": 28}),
        policies(switched_off_rules=["NEEDLE", "MILK", "TOXOTHER", "DRYEYE"]),
        policies(
            dose_figures=[
                {"product": "pore.product.botox-uk", "region": "pore.region.nose", "units": "2", "reason": "r"},
                {"product": "pore.product.bocouture-uk", "region": "pore.region.nose", "units": "2", "reason": "r"},
            ]
        ),
    ]
)
markets = st.sampled_from(["UK", "EU", "US"])


def consultation(codes: dict[str, list[str]]) -> Any:
    return answers_of({**CLEAN, **{name: ("multi-choice", value) for name, value in codes.items()}})


def day_form(codes: dict[str, list[str]]) -> Any:
    asked = {name: ("multi-choice", value) for name, value in codes.items() if name in CLEAN_DAY}
    return answers_of({**CLEAN_DAY, **asked})


def rank(found: Any) -> int:
    return ORDER.index(verdict(found))


@given(contexts(topping_up=True), exposures, multi, markets, settings_)
def test_another_exposure_never_makes_the_verdict_milder(
    about: AssessmentContext, more: dict[str, Any], codes: dict[str, list[str]], in_market: str, policy: Any
) -> None:
    document = about.to_document()
    document["history"] = [*document.get("history", []), more]
    longer = AssessmentContext.model_validate_json(json.dumps(document))
    answers = consultation(codes)
    fewer = findings(about, in_market, answers=answers, policies=policy)
    assert rank(findings(longer, in_market, answers=answers, policies=policy)) >= rank(fewer)


@given(contexts(topping_up=True), multi, multi, markets, settings_)
def test_the_day_form_never_makes_the_verdict_milder_and_takes_nothing_back(
    about: AssessmentContext,
    codes: dict[str, list[str]],
    on_the_day: dict[str, list[str]],
    in_market: str,
    policy: Any,
) -> None:
    answers, day = consultation(codes), day_form(on_the_day)
    alone = findings(about, in_market, answers=answers, policies=policy)
    joined = findings(about, in_market, answers=answers, day_answers=day, policies=policy)
    assert rank(joined) >= rank(alone)
    assert {(one.code, one.case) for one in joined} >= {(one.code, one.case) for one in alone}


@given(contexts(), multi, st.sampled_from(sorted(CODES)), st.data(), markets, settings_)
def test_another_sign_never_makes_the_verdict_milder(
    about: AssessmentContext,
    codes: dict[str, list[str]],
    question: str,
    data: st.DataObject,
    in_market: str,
    policy: Any,
) -> None:
    sign = data.draw(st.sampled_from(CODES[question]))
    more = {**codes, question: sorted({*codes.get(question, ["none"]), sign})}
    fewer = findings(about, in_market, answers=consultation(codes), policies=policy)
    assert rank(findings(about, in_market, answers=consultation(more), policies=policy)) >= rank(fewer)


@given(contexts(topping_up=True), multi, multi, markets, settings_, st.randoms(use_true_random=False))
def test_order_never_matters(
    about: AssessmentContext,
    codes: dict[str, list[str]],
    on_the_day: dict[str, list[str]],
    in_market: str,
    policy: Any,
    random: Any,
) -> None:
    def shuffled(items: Any) -> Any:
        mixed = list(items)
        random.shuffle(mixed)
        return mixed

    answers, day = consultation(codes), day_form(on_the_day)
    first = findings(about, in_market, answers=answers, day_answers=day, policies=policy)
    mixed = about.model_copy(
        update={
            "history": tuple(shuffled(about.history)),
            "planned": None if about.planned is None else tuple(shuffled(about.planned)),
            "regions": tuple(shuffled(about.regions)),
        }
    )
    again = findings(
        mixed,
        in_market,
        rules=compile_rules(rules().model_copy(update={"rules": tuple(shuffled(rules().rules))})),
        answers=index(shuffled(one for many in answers.values() for one in many)),
        day_answers=index(shuffled(one for many in day.values() for one in many)),
        products=dict(shuffled(products().items())),
        policies=policy,
    )
    assert again == first
    assert join(shuffled(first)) == first


@given(contexts(topping_up=True), multi, markets, settings_)
def test_no_situation_makes_a_shipped_rule_fail(
    about: AssessmentContext, codes: dict[str, list[str]], in_market: str, policy: Any
) -> None:
    found = findings(about, in_market, answers=consultation(codes), policies=policy)
    assert UNAVAILABLE not in {one.code for one in found}
    assert findings(about, in_market, rules=rules(), answers=consultation(codes), policies=policy) == found


@given(contexts(), multi, markets)
def test_region_findings_name_regions_in_view_only(
    about: AssessmentContext, codes: dict[str, list[str]], in_market: str
) -> None:
    regional = {rule.code for rule in rules().rules if rule.regional}
    view = {(one.region, one.side) for one in about.planned or about.regions}
    for one in findings(about, in_market, rules=compiled(), answers=consultation(codes)):
        if one.code not in regional:
            assert one.regions == ()
        elif view:
            assert {(spot.region, spot.side) for spot in one.regions} <= view
