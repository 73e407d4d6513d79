"""One command for each step of the workflow: a document in, the result out, and with `--database` it is kept.

The examples run on what `pore-plugin demo --out demo-out` leaves behind.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from .. import rendering
from ..contracts import (
    AssessmentRequest,
    ConsentRequest,
    Consultation,
    FollowUpRequest,
    PlanRequest,
    Problem,
    ProblemsError,
    ProcedurePlan,
    ReadinessRequest,
    ReadinessResult,
    ReviewRequest,
    TreatmentRequest,
)
from ..host import HostPlugin
from ..workflow import CONSULTATION_FORM, PoreWorkflow
from ..workflow.shape import Steps
from .clinics import load_clinic
from .console import Format, read_document, results_only, show, show_problems
from .desks import ActorOption, StepsDatabaseOption, desk_for, named_database
from .documents import load_content
from .exits import Exit, StopError, leave, misused
from .files import write

if TYPE_CHECKING:
    from ..practice import Desk, Records

__all__ = [
    "ClinicOption",
    "ContentOption",
    "FormatOption",
    "LocaleOption",
    "Purpose",
    "looked_at",
    "records_at",
    "register",
    "steps_for",
    "workflow_for",
]

S = TypeVar("S", bound=Steps)

ClinicOption = Annotated[
    Path | None,
    typer.Option(
        "--clinic", envvar="PORE_PLUGIN_CLINIC", metavar="FILE", help="The clinic settings (TOML).", show_default=False
    ),
]
ContentOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--content",
        metavar="PATH",
        help="The clinic's own templates, protocols and texts: files or folders.",
        show_default=False,
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="A sheet to read, or one JSON document.")]
LocaleOption = Annotated[str, typer.Option("--locale", metavar="LOCALE", help="Language of the sheets.")]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The JSON document; - for standard input.", show_default=False)
]


class Purpose(StrEnum):
    """The purposes of consent, in the form that every supported typer reads."""

    TREATMENT = "treatment"
    RECORD_PHOTO = "record-photo"
    TEACHING = "teaching"
    MARKETING = "marketing"


follow_up_app = typer.Typer(
    help="Plan what follows a treatment.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


def workflow_for(clinic: Path | None, content: list[Path] | None = None, locale: str = "en") -> PoreWorkflow:
    """Return the workflow for the named settings. Raises `StopError`, also for a language without texts."""
    settings, documents = load_clinic(clinic), load_content(content or ())
    try:
        workflow = PoreWorkflow(settings, content=documents)
    except ProblemsError as error:
        raise StopError(Exit.FAILED, error.problems) from error
    return looked_at(workflow, locale)


@contextmanager
def steps_for(
    clinic: Path | None,
    content: list[Path] | None,
    database: str | None,
    actor: str | None,
    locale: str = "en",
    *,
    keeps: Format | None = None,
) -> Iterator[Steps]:
    """Give the steps on the records of a database where one is named; without one nothing is kept.

    `keeps`: the step keeps its result, and a person who gets it as text is told where. One that keeps nothing makes no
    database either. Raises `StopError`, also for a language without texts.
    """
    place = None
    try:
        if named_database(database) is None:
            yield workflow_for(clinic, content, locale)
        else:
            with desk_for(clinic, database, actor, content, create=keeps is not None) as desk:
                place = desk.database.shown
                yield records_at(desk, locale)
    except typer.Exit:
        _say_where(place, keeps)
        raise
    _say_where(place, keeps)


def _say_where(place: str | None, keeps: Format | None) -> None:
    if keeps is Format.TEXT:
        print(f"Kept in {place}." if place is not None else "Not kept: no database is named.", file=sys.stderr)


def records_at(desk: "Desk", locale: str) -> "Records":
    """Return the steps on the records of a desk. Raises `StopError` where settings and content do not fit."""
    # Imported here: most commands never see a database.
    from ..practice import Records

    records = Records(desk)
    try:
        return looked_at(records, locale)
    except StopError:
        raise
    except ProblemsError as error:
        raise StopError(Exit.FAILED, error.problems) from error


def looked_at(steps: S, locale: str) -> S:
    """Return the steps after saying what is wrong with their extensions. Raises `StopError` for a language."""
    # An off switch that names no extension is said at every step: it must never only look like one.
    show_problems(steps.plugins.problems, Format.TEXT)
    spoken = set(steps.form().model.title)
    if not {locale, locale.partition("-")[0]} & spoken:
        raise misused(
            "locale.missing",
            "The content has no texts in the language that --locale names.",
            f"Use one of: {', '.join(sorted(spoken))}.",
        )
    return steps


def _names(workflow: Steps, locale: str) -> rendering.Names:
    return rendering.names_of(workflow.clinic, (entry.model for entry in workflow.catalogue.entries), locale)


def form(
    form_id: Annotated[str, typer.Argument(metavar="FORM", help="The id of the form.")] = CONSULTATION_FORM,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Print a form as it is answered here.

    It has the questions of installed extensions. The last line of the sheet is the digest that answers are pinned to.

    \b
    Example: pore-plugin form --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale) as steps:
        entry = steps.form(form_id)
        # With its digest, as at the host's door: it completes the pin that answers carry.
        pinned = entry.model.model_copy(update={"digest": entry.pin.digest})
        show(pinned, lambda: f"{rendering.form_sheet(entry.model, locale)}\nDigest {entry.pin.digest}\n", output)


def submit(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check a consultation: the answers to a form.

    Exit code 1 says that it is kept as a draft, and why.

    \b
    Example: pore-plugin submit demo-out/1-treated/01-consultation.json --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, keeps=output) as steps:
        result = steps.submit(read_document(Consultation, file))
        word = "Accepted" if result.accepted else "Kept as a draft"
        show(result, lambda: f"{word}. Digest {result.consultation_digest}\n", output)
        if output is Format.TEXT:
            show_problems(result.problems, output)
        leave(Exit.OK if result.accepted else Exit.FINDINGS)


def assess(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Assess suitability.

    FILE is an assessment-request. Exit code 1 says review or block.

    \b
    Example: pore-plugin assess demo-out/1-treated/02-assessment.request.json --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale, keeps=output) as steps:
        result = steps.assess(read_document(AssessmentRequest, file))
        names = _names(steps, locale)
        show(result, lambda: rendering.assessment_sheet(result.assessment, locale, names), output)
        leave(Exit.FINDINGS if result.assessment.verdict in ("review", "block") else Exit.OK)


def plan(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Plan a session with exact doses.

    FILE is a plan-request. Exit code 1 says that there is no plan, or one that needs a prescriber's review.

    \b
    Example: pore-plugin plan demo-out/1-treated/04-plan.request.json --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale, keeps=output) as steps:
        result = HostPlugin(steps).pore_plan_procedure(read_document(PlanRequest, file))
        sample = result.plan is not None and result.plan.sample
        names = _names(steps, locale)

        def sheet() -> str:
            sheets = [rendering.assessment_sheet(result.assessment, locale, names, sample=sample)]
            sheets += [rendering.missing_sheet(result.missing, names)] if result.missing else []
            sheets += [rendering.plan_sheet(result.plan, locale)] if result.plan is not None else []
            return "\n".join(sheets)

        show(result, sheet, output)
        leave(Exit.FINDINGS if result.plan is None or result.assessment.verdict == "review" else Exit.OK)


def consent(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    text: Annotated[
        Purpose | None,
        typer.Option("--text", help="Print the text to read and sign instead; FILE is then the procedure-plan."),
    ] = None,
    lots: Annotated[
        list[str] | None, typer.Option("--lot", "--batch", metavar="LOT", help="With --text: the lot to name in it.")
    ] = None,
    prescriber: Annotated[
        str | None, typer.Option("--prescriber", metavar="ID", help="With --text: the prescriber to name in it.")
    ] = None,
    operator: Annotated[
        str | None, typer.Option("--operator", metavar="ID", help="With --text: who treats, to name in it.")
    ] = None,
    locale: LocaleOption = "en",
) -> None:
    """Record a consent to a plan, or print the text to sign.

    FILE is a consent-request.

    \b
    Example: pore-plugin consent demo-out/1-treated/09-consent.request.json --clinic demo-out/input/clinic.toml
    Example: pore-plugin consent demo-out/1-treated/04-plan.json --text treatment --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale, keeps=output if text is None else None) as steps:
        if text is None:
            request = read_document(ConsentRequest, file)
            result = steps.consent(request)
            names, sample = _names(steps, locale), request.plan.sample
            show(result, lambda: rendering.consent_sheet(result.consent, names, sample=sample), output)
            return
        sheets = steps.consent_sheets(
            read_document(ProcedurePlan, file), locale, lots=lots or (), prescriber=prescriber, operator=operator
        )
        wanted = next((sheet for sheet in sheets if sheet.purpose == text.value), None)
        if wanted is not None:
            show(wanted, lambda: rendering.consent_text_sheet(wanted), output)
            return
        raise ProblemsError(
            [
                Problem(
                    code="consent.no_text",
                    sentence="The plan has no consent text for this purpose in this market.",
                    pointer="/consent_texts",
                    next_step="Name another purpose, or add a consent text to the template.",
                )
            ]
        )


def ready(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """List every reason not to treat now.

    FILE is a readiness-request. Exit code 1 says that there is a reason.

    \b
    Example: pore-plugin ready demo-out/1-treated/11-readiness.request.json --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale) as steps:
        request = read_document(ReadinessRequest, file)
        readiness = steps.ready(request)
        names = _names(steps, locale)
        show(
            ReadinessResult(readiness=readiness),
            lambda: rendering.readiness_sheet(readiness, locale, names, sample=request.case.plan.sample),
            output,
        )
        leave(Exit.OK if readiness.ready else Exit.FINDINGS)


def treat(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Record a treatment that happened.

    FILE is a treatment-request. Exit code 1 lists what needs a deviation with its reason; nothing is recorded then.

    \b
    Example: pore-plugin treat demo-out/1-treated/12-treatment.request.json --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale, keeps=output) as steps:
        request = read_document(TreatmentRequest, file)
        result = steps.treat(request)
        names = _names(steps, locale)
        show(result, lambda: rendering.treatment_sheet(result.treatment, locale, names, request.case.plan), output)


def follow_up_plan(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
    ics: Annotated[
        Path | None, typer.Option("--ics", metavar="FILE", help="Also write the visits to this file, as iCalendar.")
    ] = None,
) -> None:
    """Make the dated follow-up plan of a treatment.

    FILE is a follow-up-request.

    \b
    Example: pore-plugin follow-up plan demo-out/1-treated/13-schedule.request.json --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale, keeps=output) as steps:
        request = read_document(FollowUpRequest, file)
        result = HostPlugin(steps).pore_follow_up_schedule(request)
        if ics is not None:
            from ..clinical.follow_up.ical import to_ical

            stamp = request.treatment.report.ended_at
            write(ics, to_ical(result.follow_up_plan, clinic_name=steps.clinic.name, stamp=stamp))
        sample = request.treatment.sample
        show(result, lambda: rendering.follow_up_sheet(result.follow_up_plan, locale, sample=sample), output)


def review(
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: StepsDatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Review a follow-up response.

    FILE is a review-request. Exit code 1 says that there is a red flag, or that something is wrong with the answers.

    \b
    Example: pore-plugin review demo-out/1-treated/15-review-2-w4.request.json --clinic demo-out/input/clinic.toml
    """
    with steps_for(clinic, content, database, actor, locale, keeps=output) as steps:
        request = read_document(ReviewRequest, file)
        result = steps.review(request)
        names, sample = _names(steps, locale), request.treatment.sample
        show(result, lambda: rendering.review_sheet(result.review, locale, names, sample=sample), output)
        if output is Format.TEXT:
            show_problems(result.review.problems, output)
        leave(Exit.FINDINGS if result.review.flags or not result.review.accepted else Exit.OK)


def register(app: typer.Typer) -> None:
    """Add the commands of the steps."""
    for command in (form, submit, assess, plan, consent, ready, treat, review):
        app.command()(results_only(command))
    follow_up_app.command("plan")(results_only(follow_up_plan))
    app.add_typer(follow_up_app, name="follow-up")
