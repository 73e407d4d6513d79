"""The toxin that a patient had before: as the answers tell it, and joined with what the clinic recorded."""

from collections import Counter
from collections.abc import Iterable

from ...contracts.answers import Answer, BooleanAnswer, ChoiceAnswer, DateAnswer, DecimalAnswer, RegionMapAnswer
from ...contracts.common import RegionSide
from ...contracts.forms import ConsultationForm
from ...contracts.safety import ToxinExposure
from ..forms.conditions import AnswerIndex, CompiledForm, counted

__all__ = ["exposures", "merge", "reported", "together"]

_EVER = ("pore.q.toxin-ever", "pore.q.toxin-other-since")
_PRODUCT = "pore.q.toxin-product"
_DATE = "pore.q.toxin-date"
_UNITS = "pore.q.toxin-units"
_WHERE = "pore.q.toxin-where"
_REGIONS = "pore.q.toxin-regions"
# What makes an entry; purpose, response and the like describe one but do not make one.
_ENTRY = (_PRODUCT, _DATE, _UNITS, _WHERE, _REGIONS, "pore.q.toxin-purpose", "pore.q.toxin-response")


def exposures(answers: AnswerIndex, form: ConsultationForm | CompiledForm) -> tuple[ToxinExposure, ...]:
    """Return one exposure per answered instance of the toxin history, in the order of the instances.

    Only answers to visible questions count. What was not answered stays missing; where it was given counts as
    elsewhere unless the answer says here. Toxin that was had, without any entry, is one exposure of which nothing
    is known.
    """
    return reported(counted(form, answers))


def reported(kept: AnswerIndex) -> tuple[ToxinExposure, ...]:
    """Return what `exposures` does from answers that were counted already."""
    entries: dict[int, dict[str, Answer]] = {}
    for question in _ENTRY:
        for answer in kept.get(question, ()):
            entries.setdefault(answer.instance or 0, {})[question] = answer
    if not entries:
        had = any(
            isinstance(answer, BooleanAnswer) and answer.value
            for question in _EVER
            for answer in kept.get(question, ())
        )
        return (ToxinExposure(given="elsewhere"),) if had else ()
    return tuple(_exposure(entry) for _, entry in sorted(entries.items()))


def _exposure(entry: dict[str, Answer]) -> ToxinExposure:
    product = inn = units = day = None
    regions: tuple[RegionSide, ...] = ()
    given = entry.get(_WHERE)
    match entry.get(_PRODUCT):
        case ChoiceAnswer(value=code) if code.endswith("botulinumtoxinA"):
            inn = code
        case ChoiceAnswer(value=code) if code != "unknown":
            product = f"pore.product.{code}"
    match entry.get(_UNITS):
        case DecimalAnswer(value=figure) if not figure.startswith("-"):
            units = figure
    match entry.get(_DATE):
        case DateAnswer(value=value):
            day = value
    match entry.get(_REGIONS):
        case RegionMapAnswer(value=marks):
            found = sorted({(mark.region, mark.side or "") for mark in marks})
            regions = tuple(
                RegionSide(region=region, side="left" if side == "left" else "right" if side else None)
                for region, side in found
            )
    here = isinstance(given, ChoiceAnswer) and given.value == "here"
    return ToxinExposure(
        product=product, inn=inn, units=units, date=day, regions=regions, given="here" if here else "elsewhere"
    )


def together(*reports: Iterable[ToxinExposure]) -> tuple[ToxinExposure, ...]:
    """Return what several forms report, in their order.

    A dated entry equal to one of an earlier form is the same treatment; one without a date may be another, and counts.
    """
    found: list[ToxinExposure] = []
    for report in reports:
        earlier = frozenset(found)
        found += [exposure for exposure in report if exposure.date is None or exposure not in earlier]
    return tuple(found)


def merge(history: Iterable[ToxinExposure], reported: Iterable[ToxinExposure]) -> tuple[ToxinExposure, ...]:
    """Return `history` followed by what was reported besides, no treatment twice; what the history has, counts.

    Left out of `reported` is what the history has already: an entry of a treatment record that it has, an entry given
    here on the date and with the product of a treatment recorded here, and an entry equal to one in the history (each
    history entry stands for one). Merging the same report again changes nothing.
    """
    known = tuple(history)
    treatments = {exposure.treatment for exposure in known if exposure.treatment is not None}
    recorded = {
        (exposure.date, name)
        for exposure in known
        if exposure.given == "here" and exposure.date is not None
        for name in (exposure.product, exposure.inn)
        if name is not None
    }
    spare = Counter(known)
    added: list[ToxinExposure] = []
    for exposure in reported:
        if spare[exposure]:
            spare[exposure] -= 1
        elif exposure.treatment in treatments:
            continue
        elif exposure.given == "elsewhere" or (exposure.date, exposure.product or exposure.inn) not in recorded:
            added.append(exposure)
    return known + tuple(added)
