"""Composed forms: a base form with the questions of extensions, pinned like every other document."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..clinical.wording.texts import check_document
from ..contracts import (
    ConsultationForm,
    Problem,
    ProblemsError,
    QuestionContribution,
    RegionMapQuestion,
    composed_version,
    digest,
)
from ..hooks import Contributed
from ..validation import check
from .entries import Entry
from .locales import locales_of, missing_locales

__all__ = ["Composed", "compose_form"]

_HOOK = "pore_register_questions"
_OWN_TO_BASE = ("digest", "review")
"""What was said of the base form does not hold for the composed one."""

Contribution = Contributed[QuestionContribution]


@dataclass(frozen=True, slots=True)
class Composed:
    """The composed form, and why contributions were left out of it."""

    entry: Entry[ConsultationForm]
    problems: tuple[Problem, ...] = ()


def compose_form(
    base: Entry[ConsultationForm],
    contributions: Iterable[Contribution],
    *,
    regions: Container[str] | None = None,
) -> Composed:
    """Return the base form with the contributed questions, or the base itself when none is left.

    Questions go to the end of their section, new sections to the end of the form, in the order given. What one
    plug-in contributes is taken whole or left out whole. The composed form is a draft without a review; its version
    is that of the base, `+`, and twelve digits of the digest it has under the base's version. `regions` are the ids
    that a region-map question may name.
    """
    form = base.model
    if not isinstance(form, ConsultationForm):
        raise TypeError("only forms are composed")
    by_plugin: dict[str, list[Contribution]] = {}
    for contribution in contributions:
        by_plugin.setdefault(contribution.plugin, []).append(contribution)
    problems: list[Problem] = []
    for plugin, own in by_plugin.items():
        found = [*_misfits(form, own, regions), *_clashes(plugin, by_plugin)]
        if not found:
            found = _refusals(base, own)
        if found:
            problems += [_attributed(problem, plugin) for problem in found]
    left_out = {problem.plugin for problem in problems}
    kept = [item for plugin, own in by_plugin.items() if plugin not in left_out for item in own]
    if not kept:
        return Composed(base, tuple(problems))
    document = _document(base, kept)
    document["version"] = composed_version(base.pin.version, digest(document))
    checked = check(ConsultationForm, document)
    return Composed(Entry(checked.model, checked.document, base.origin), tuple(problems))


def _document(base: Entry[ConsultationForm], contributions: Sequence[Contribution]) -> dict[str, Any]:
    document = {key: value for key, value in base.document.items() if key not in _OWN_TO_BASE}
    sections: dict[str, dict[str, Any]] = {section["id"]: section for section in document["sections"]}
    named: dict[str, list[str]] = {}
    for contribution in contributions:
        value = contribution.value
        if value.section not in sections:
            sections[value.section] = {"id": value.section, "title": dict(value.section_title or {}), "questions": []}
        source = contribution.document or value.to_document()
        sections[value.section]["questions"].append(source["question"])
        named.setdefault(contribution.plugin, []).append(value.question.id)
    document["status"] = "draft"
    document["sections"] = list(sections.values())
    document["contributions"] = [{"plugin": plugin, "questions": ids} for plugin, ids in named.items()]
    return document


def _refusals(base: Entry[ConsultationForm], own: Sequence[Contribution]) -> list[Problem]:
    """Say what is wrong with the base and one plug-in's questions together: conditions see nobody else's."""
    try:
        check(ConsultationForm, _document(base, own))
    except ProblemsError as error:
        return list(error.problems)
    return []


def _misfits(base: ConsultationForm, own: Sequence[Contribution], regions: Container[str] | None) -> list[Problem]:
    known = {section.id for section in base.sections}
    wanted = locales_of(base)
    found: list[Problem] = []
    for index, contribution in enumerate(own):
        value = contribution.value
        if value.section not in known and value.section_title is None:
            found.append(
                _problem(
                    "form.unknown_section",
                    f"The form {base.id} has no section {value.section}.",
                    f"/{index}/section",
                    "Name a section of the base form, or give a section of one's own a section_title.",
                )
            )
        elif value.section_title is not None and value.section in {section.id for section in base.sections}:
            found.append(
                _problem(
                    "form.section_title",
                    f"The section {value.section} belongs to the form and has its title.",
                    f"/{index}/section_title",
                    "Leave section_title out.",
                )
            )
        known.add(value.section)
        found += [
            _problem(
                "locale.missing",
                f"The question {value.question.id} lacks the locale {locale}, which the form has.",
                f"/{index}{pointer}",
                f"Add the text in {locale}.",
            )
            for pointer, locale in missing_locales(value, wanted)
        ]
        found += [
            problem.model_copy(update={"pointer": f"/{index}{problem.pointer}"}) for problem in check_document(value)
        ]
        if regions is not None and isinstance(value.question, RegionMapQuestion):
            found += [
                _problem(
                    "catalogue.unknown_region",
                    f"The question {value.question.id} names a region that the catalogue does not have.",
                    f"/{index}/question/regions/{place}",
                    "Use a region of the region map.",
                )
                for place, region in enumerate(value.question.regions)
                if region not in regions
            ]
    return found


def _clashes(plugin: str, by_plugin: dict[str, list[Contribution]]) -> list[Problem]:
    found: list[Problem] = []
    mine = {item.value.question.id for item in by_plugin[plugin]}
    opened = {item.value.section for item in by_plugin[plugin] if item.value.section_title is not None}
    for other, theirs in by_plugin.items():
        if other == plugin:
            continue
        shared = mine & {item.value.question.id for item in theirs}
        shared |= opened & {item.value.section for item in theirs if item.value.section_title is not None}
        found += [
            _problem(
                "catalogue.duplicate",
                f"{identifier} is contributed by {' and by '.join(sorted((plugin, other)))}; neither is taken.",
                "",
                "Disable one of the two.",
            )
            for identifier in sorted(shared)
        ]
    return found


def _problem(code: str, sentence: str, pointer: str, next_step: str) -> Problem:
    return Problem(code=code, sentence=sentence, pointer=pointer, next_step=next_step)


def _attributed(problem: Problem, plugin: str) -> Problem:
    sentence = f"The questions of {plugin} are left out. {problem.sentence}"[:4000]
    return problem.model_copy(update={"sentence": sentence, "plugin": plugin, "hook": _HOOK})
