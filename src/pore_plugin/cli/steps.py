"""One command for each step of the workflow: a document in, the result out."""

from pathlib import Path
from typing import Annotated

import typer

from .. import rendering
from ..contracts import (
    AssessmentRequest,
    ConsentRequest,
    Consultation,
    FollowUpRequest,
    PlanRequest,
    ReadinessRequest,
    ReadinessResult,
    ReviewRequest,
    TreatmentRequest,
)
from ..workflow import CONSULTATION_FORM, PoreWorkflow
from .console import Exit, Format, leave, load_clinic, read_document, show, show_problems, write

__all__ = ["follow_up_app", "register"]

ClinicOption = Annotated[
    Path | None,
    typer.Option("--clinic", envvar="PORE_PLUGIN_CLINIC", help="The clinic settings file (TOML).", show_default=False),
]
FormatOption = Annotated[Format, typer.Option("--format", help="Text to read, or the JSON document.")]
LocaleOption = Annotated[str, typer.Option("--locale", help="Language of the texts.")]
FileArgument = Annotated[Path, typer.Argument(help="The JSON document, or - for standard input.", show_default=False)]

follow_up_app = typer.Typer(help="Follow-up plans.", no_args_is_help=True)


def workflow_for(clinic: Path | None) -> PoreWorkflow:
    """Return the workflow for the named settings."""
    return PoreWorkflow(load_clinic(clinic))


def form(
    form_id: Annotated[str, typer.Argument(help="Which form.")] = CONSULTATION_FORM,
    clinic: ClinicOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Print a form as it is answered here, with the questions of extensions.

    Example: pore-plugin form --clinic clinic.toml --format json > form.json
    """
    entry = workflow_for(clinic).form(form_id)
    sheet = rendering.form_sheet(entry.model, locale) if output is Format.TEXT else ""
    show(entry.model, f"{sheet}\nDigest {entry.pin.digest}\n", output)


def submit(file: FileArgument, clinic: ClinicOption = None, output: FormatOption = Format.TEXT) -> None:
    """Check a consultation (the answers to a form); exit code 1 keeps it a draft.

    Example: pore-plugin submit consultation.json --clinic clinic.toml
    """
    result = workflow_for(clinic).submit(read_document(Consultation, file).model)
    word = "Accepted" if result.accepted else "Kept as a draft"
    show(result, f"{word}. Digest {result.consultation_digest}\n", output)
    if output is Format.TEXT:
        show_problems(result.problems, output)
    leave(Exit.OK if result.accepted else Exit.FINDINGS)


def assess(
    file: FileArgument, clinic: ClinicOption = None, output: FormatOption = Format.TEXT, locale: LocaleOption = "en"
) -> None:
    """Assess suitability (an assessment-request); exit code 1 for review or block.

    Example: pore-plugin assess request.json --clinic clinic.toml
    """
    workflow = workflow_for(clinic)
    result = workflow.assess(read_document(AssessmentRequest, file).model)
    show(result, rendering.assessment_sheet(result.assessment, locale, workflow.region_titles(locale)), output)
    leave(Exit.FINDINGS if result.assessment.verdict in ("review", "block") else Exit.OK)


def plan(
    file: FileArgument, clinic: ClinicOption = None, output: FormatOption = Format.TEXT, locale: LocaleOption = "en"
) -> None:
    """Plan a session with exact doses (a plan-request); exit code 1 when there is no plan or it needs a review.

    Example: pore-plugin plan request.json --clinic clinic.toml --format json > plan.json
    """
    workflow = workflow_for(clinic)
    result = workflow.plan(read_document(PlanRequest, file).model)
    sample = result.plan is not None and result.plan.sample
    titles = workflow.region_titles(locale)
    sheets = [rendering.assessment_sheet(result.assessment, locale, titles, sample=sample)]
    if result.missing:
        sheets.append(rendering.missing_sheet(result.missing))
    if result.plan is not None:
        sheets.append(rendering.plan_sheet(result.plan, locale))
    show(result, "\n".join(sheets), output)
    leave(Exit.FINDINGS if result.plan is None or result.assessment.verdict == "review" else Exit.OK)


def consent(
    file: FileArgument,
    clinic: ClinicOption = None,
    output: FormatOption = Format.TEXT,
    text: Annotated[bool, typer.Option("--text", help="Print the texts to read and sign instead.")] = False,
) -> None:
    """Record a consent to a plan (a consent-request), or print the texts to sign.

    Example: pore-plugin consent request.json --clinic clinic.toml --text
    """
    workflow = workflow_for(clinic)
    request = read_document(ConsentRequest, file).model
    if text:
        for sheet in workflow.consent_sheets(request.plan, request.locale):
            if sheet.purpose == request.purpose:
                show(sheet, rendering.consent_text_sheet(sheet), output)
        return
    result = workflow.consent(request)
    show(result, rendering.consent_sheet(result.consent, sample=request.plan.sample), output)


def ready(
    file: FileArgument, clinic: ClinicOption = None, output: FormatOption = Format.TEXT, locale: LocaleOption = "en"
) -> None:
    """List every reason not to treat now (a readiness-request); exit code 1 when there is one.

    Example: pore-plugin ready request.json --clinic clinic.toml
    """
    workflow = workflow_for(clinic)
    request = read_document(ReadinessRequest, file).model
    readiness = workflow.ready(request)
    titles = workflow.region_titles(locale)
    sheet = rendering.readiness_sheet(readiness, locale, titles, sample=request.case.plan.sample)
    show(ReadinessResult(readiness=readiness), sheet, output)
    leave(Exit.OK if readiness.ready else Exit.FINDINGS)


def treat(
    file: FileArgument, clinic: ClinicOption = None, output: FormatOption = Format.TEXT, locale: LocaleOption = "en"
) -> None:
    """Record a treatment that happened (a treatment-request).

    Example: pore-plugin treat request.json --clinic clinic.toml --format json > treatment.json
    """
    workflow = workflow_for(clinic)
    result = workflow.treat(read_document(TreatmentRequest, file).model)
    show(result, rendering.treatment_sheet(result.treatment, locale, workflow.region_titles(locale)), output)


@follow_up_app.command("plan")
def follow_up_plan(
    file: FileArgument,
    clinic: ClinicOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
    ics: Annotated[Path | None, typer.Option("--ics", help="Also write the visits as iCalendar to this file.")] = None,
) -> None:
    """Make the dated follow-up plan of a treatment (a follow-up-request).

    Example: pore-plugin follow-up plan request.json --clinic clinic.toml --ics visits.ics
    """
    workflow = workflow_for(clinic)
    request = read_document(FollowUpRequest, file).model
    result = workflow.follow_up(request)
    if ics is not None:
        from ..clinical.ical import to_ical

        calendar = to_ical(
            result.follow_up_plan, clinic_name=workflow.clinic.name, stamp=request.treatment.report.ended_at
        )
        write(ics, calendar)
    sheet = rendering.follow_up_sheet(result.follow_up_plan, locale, sample=request.treatment.sample)
    show(result, sheet, output)


def review(
    file: FileArgument, clinic: ClinicOption = None, output: FormatOption = Format.TEXT, locale: LocaleOption = "en"
) -> None:
    """Review a follow-up response (a review-request); exit code 1 when it raises a red flag or has problems.

    Example: pore-plugin review request.json --clinic clinic.toml
    """
    workflow = workflow_for(clinic)
    request = read_document(ReviewRequest, file).model
    result = workflow.review(request)
    titles = workflow.region_titles(locale)
    show(result, rendering.review_sheet(result.review, locale, titles, sample=request.treatment.sample), output)
    if output is Format.TEXT:
        show_problems(result.review.problems, output)
    leave(Exit.FINDINGS if result.review.flags or not result.review.accepted else Exit.OK)


def register(app: typer.Typer) -> None:
    """Add the commands of the steps."""
    for command in (form, submit, assess, plan, consent, ready, treat, review):
        app.command()(command)
    app.add_typer(follow_up_app, name="follow-up")
