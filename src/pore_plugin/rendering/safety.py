"""The verdict and why, and problems with what to do about them."""

from collections.abc import Iterable

from ..clinical.wording.localising import localise
from ..contracts import Assessment, Finding, Problem
from .names import Names
from .words import SIGNS, banner, moment, place, table

__all__ = ["assessment_sheet", "findings_table", "problems_sheet"]


def assessment_sheet(assessment: Assessment, locale: str, names: Names, *, sample: bool = False) -> str:
    """Return the verdict and why."""
    lines = [
        f"# Suitability: {SIGNS[assessment.verdict]}",
        "",
        *banner(sample=sample),
        (
            f"Stage: {assessment.context.stage}. Treatment date: {assessment.context.date}. "
            f"Assessed {moment(assessment.assessed_at)}."
        ),
        "",
    ]
    lines += findings_table(assessment.findings, locale, names)
    if assessment.switched_off:
        lines += [f"Rules this clinic has switched off: {', '.join(assessment.switched_off)}.", ""]
    if assessment.evidence:
        lines += ["## What the evidence says", ""]
        lines += [f"- {localise(text, locale)}" for text in assessment.evidence]
    lines += ["", "The prescriber decides. A review needs a recorded reason; a block needs another answer or product."]
    return "\n".join(lines).rstrip() + "\n"


def findings_table(findings: Iterable[Finding], locale: str, names: Names) -> list[str]:
    rows = []
    for finding in findings:
        where = "; ".join(place(region, names.regions) for region in finding.regions) or "whole session"
        unverified = " *(unverified)*" if finding.unverified else ""
        rows.append(
            (
                f"**{SIGNS[finding.severity]}**",
                finding.code,
                localise(finding.message, locale) + unverified,
                where,
                f"{finding.source} [{finding.mark}]",
            )
        )
    return table(("", "Code", "Why", "Where", "Source"), rows) if rows else ["No findings.", ""]


def problems_sheet(problems: Iterable[Problem]) -> str:
    """Return every problem with where it is and what to do."""
    lines = []
    for problem in problems:
        where = problem.pointer or "/"
        if problem.location:
            where = f"{problem.location.file}:{problem.location.line}:{problem.location.column} {where}"
        by = f" [{problem.plugin}{'.' + problem.hook if problem.hook else ''}]" if problem.plugin else ""
        lines.append(f"- **{problem.code}** {where}{by}: {problem.sentence} *{problem.next_step}*")
    return "\n".join(lines) + "\n"
