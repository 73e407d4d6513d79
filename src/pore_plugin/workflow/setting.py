"""What every step looks at: the clinic, the content it works with, the extensions, and the rules made ready."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import local
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ..builtin import Builtin, markets
from ..catalogue import Catalogue, Entry, compose_form
from ..clinical.durations import load_zone
from ..clinical.follow_up.calendar import HolidayBook
from ..clinical.forms.conditions import AnswerIndex, Looked, index, look
from ..clinical.forms.responses import FormIndex
from ..clinical.keys import clinic_keys
from ..clinical.planning.drafting import Numbers, PreparedPlan, prepare_plan, resolve_numbers
from ..clinical.safety import suitability
from ..clinical.safety.evidence import evidence_for
from ..clinical.safety.history import merge, reported, together
from ..clinical.settings import settings_problems
from ..clinical.treatment.approvals import is_approved
from ..clinical.wording.localising import localise
from ..contracts import (
    Approval,
    Assessment,
    AssessmentContext,
    Clinic,
    ClinicProtocol,
    ConsentText,
    Consultation,
    ConsultationForm,
    ContentDocument,
    Event,
    EvidenceBase,
    Finding,
    FollowUpResponse,
    HostInfo,
    Market,
    Model,
    Pin,
    Problem,
    ProblemsError,
    ProcedureTemplate,
    Product,
    RecordPin,
    RegionMap,
    RegionSide,
    SafetyRules,
)
from ..contracts.canonical import record_digest
from ..hooks import BUILTIN, CONTRACT_VERSION, Dispatcher, Extensions, LoadReport
from .messages import messages
from .policies import quarantine_findings, unknown_names
from .remembering import ByIdentity

__all__ = ["Setting", "model_of", "problem"]

M = TypeVar("M", bound=Model)
D = TypeVar("D", bound=ContentDocument)
Response = Consultation | FollowUpResponse
_MOST_FIGURES = 100
"""How many choices of template, product, protocol and regions are kept prepared."""


def problem(code: str, sentence: str, next_step: str, pointer: str = "") -> ProblemsError:
    """Return the error of one problem, to be raised."""
    return ProblemsError([Problem(code=code, sentence=sentence, pointer=pointer, next_step=next_step)])


def _out_of_range(error: OverflowError | ValidationError) -> ProblemsError:
    where = ""
    if isinstance(error, ValidationError):
        # Names of models and members only: pydantic's own sentences may repeat a value.
        entries = error.errors(include_input=False, include_url=False)
        members = {str(entry["loc"][0]) for entry in entries if entry["loc"]}
        where = f" ({error.title}: {', '.join(sorted(members)[:8])})"
    return problem(
        "step.out_of_range",
        f"A moment or figure that follows from this input is past what a record can hold{where}.",
        "Check dates and figures: the years are 1900 to 2199, a figure has at most 32 characters.",
    )


def model_of(entry: Entry[Any], contract: type[M]) -> M:
    """Return the entry's document as the contract it is known to be."""
    model = entry.model
    if not isinstance(model, contract):
        raise TypeError(f"{entry.pin.id} is not a {contract.__name__}")
    return model


class _Worked(local):
    """The questions that one step call has put to the rules, in its thread alone, until the step is over."""

    def __init__(self) -> None:
        self.depth = 0
        self.findings: dict[tuple[object, ...], tuple[Finding, ...]] = {}


class Setting:
    """Clinic, catalogue, composed forms and extensions, put together once; what is added later only saves work.

    Raises `ProblemsError` when settings or content do not hold together. A broken extension is left out and shown by
    `plugins`.
    """

    def __init__(
        self,
        clinic: Clinic,
        extensions: Extensions,
        content: Iterable[bytes | Mapping[str, Any] | Entry[Any]],
        package_version: str,
    ) -> None:
        self.clinic = clinic
        known = markets()
        faults = settings_problems(clinic, known)
        if faults:
            raise ProblemsError(faults)
        self.zone: ZoneInfo = load_zone(clinic.zone)
        self.market: Market = next(market for market in known.markets if market.id == clinic.market)
        self.hooks = Dispatcher(extensions, Builtin(assess=self._by_rules)).started(
            HostInfo(
                package_version=package_version,
                contract_version=CONTRACT_VERSION,
                clinic=clinic.id,
                market=clinic.market,
                zone=clinic.zone,
            )
        )
        contributed = self.hooks.register_content()
        catalogue = Catalogue.build(contributed.items, content)
        problems = [*contributed.problems, *catalogue.problems]
        self.forms: dict[str, Entry[ConsultationForm]] = {}
        for base in catalogue.of_type(ConsultationForm):
            questions = self.hooks.register_questions(base.model)
            composed = compose_form(base, questions.items, regions=catalogue.ids("region"))
            problems += [*questions.problems, *composed.problems]
            self.forms[base.pin.id] = composed.entry
        self.catalogue = catalogue.with_entries(self.forms.values())
        self.plugins: LoadReport = self.hooks.report.with_problems(tuple(problems))
        rules = self._ours(SafetyRules)
        self.rules = suitability.compile_rules(rules.model)
        self.rules_digest = rules.pin.digest
        self.messages = messages(self.catalogue)
        self.regions = self._regions()
        self.evidence = self._evidence()
        self.products = {entry.pin.id: entry.model for entry in self.catalogue.of_type(Product)}
        misspelt = unknown_names(
            clinic,
            rules={rule.code for rule in rules.model.rules},
            products=self.products,
            regions={region.id for region in self.regions.regions},
        )
        if unknown := tuple(misspelt):
            raise ProblemsError(unknown)
        self._quarantined = quarantine_findings(self.plugins)
        self.anaesthetics = {
            anaesthetic.id: anaesthetic.local_anaesthetic
            for entry in self.catalogue.of_type(ProcedureTemplate)
            for anaesthetic in entry.model.anaesthetics
        }
        self.holidays = HolidayBook()
        self._indexes: dict[str, FormIndex] = {}
        self._figures: dict[tuple[object, ...], Numbers | PreparedPlan] = {}
        self._keys = clinic_keys(clinic.id)
        self._pins: ByIdentity[RecordPin] = ByIdentity()
        self._looked: ByIdentity[Looked] = ByIdentity()
        self._worked = _Worked()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Put the same question to the rules once until the step is over.

        What follows from good input may still be past what a record can hold, such as a day after the year 2199:
        that gives a `ProblemsError` too.
        """
        worked = self._worked
        worked.depth += 1
        try:
            yield
        except (OverflowError, ValidationError) as error:
            raise _out_of_range(error) from None
        finally:
            worked.depth -= 1
            if not worked.depth:
                worked.findings.clear()

    def _ours(self, contract: type[D]) -> Entry[D]:
        for entry in self.catalogue.of_type(contract):
            if entry.origin == BUILTIN:
                return entry
        raise problem("catalogue.incomplete", f"The content has no {contract.__name__}.", "Install the package again.")

    def _regions(self) -> RegionMap:
        """Return our regions and charts with those that extensions add."""
        maps = [entry.model for entry in self.catalogue.of_type(RegionMap)]
        return self._ours(RegionMap).model.model_copy(
            update={
                "regions": tuple(region for one in maps for region in one.regions),
                "charts": tuple(chart for one in maps for chart in one.charts),
            }
        )

    def _evidence(self) -> EvidenceBase:
        """Return our evidence statements and thresholds with those that extensions add."""
        bases = [entry.model for entry in self.catalogue.of_type(EvidenceBase)]
        return self._ours(EvidenceBase).model.model_copy(
            update={
                "statements": tuple(statement for base in bases for statement in base.statements),
                "thresholds": tuple(threshold for base in bases for threshold in base.thresholds),
            }
        )

    # -- look-ups -----------------------------------------------------------------------------------------------

    def form(self, form_id: str) -> Entry[ConsultationForm]:
        """Return a form as it is answered here, extension questions included."""
        entry = self.forms.get(form_id)
        return entry if entry is not None else self.catalogue.get(ConsultationForm, form_id)

    def form_index(self, pin: Pin) -> FormIndex:
        """Return the pinned form, made ready. Raises `ProblemsError` for a form this catalogue never had."""
        known = self._indexes.get(pin.digest)
        if known is None:
            entry = self.catalogue.pinned(pin)
            known = self._indexes[pin.digest] = FormIndex(model_of(entry, ConsultationForm))
        return known

    def figures(
        self,
        template: Entry[ProcedureTemplate],
        product: Entry[Product] | None,
        protocol: Entry[ClinicProtocol] | None,
        regions: tuple[RegionSide, ...],
        anaesthetic: str | None,
    ) -> Numbers | PreparedPlan:
        """Return the plan that a template, product and protocol give for these regions, as far as their figures go.

        It rests on content and settings alone, so it is prepared once and serves every patient; what is missing or
        wrong is in the numbers that come back instead.
        """
        key = (template.pin, product and product.pin, protocol and protocol.pin, regions, anaesthetic)
        known = self._figures.get(key)
        if known is None:
            numbers = resolve_numbers(
                template.model,
                market=self.market.id,
                region_map=self.regions,
                evidence=self.evidence,
                messages=self.messages,
                product=product.model if product else None,
                protocol=protocol.model if protocol else None,
                regions=regions,
                anaesthetic=anaesthetic,
                accepted=self.clinic.policies.accepted_suggestions,
            )
            if len(self._figures) >= _MOST_FIGURES:
                self._figures.clear()
            known = self._figures[key] = numbers if numbers.problems else prepare_plan(numbers)
        return known

    def pin(self, document_id: str) -> Pin:
        """Return the pin of a content document in its newest version."""
        if document_id in self.forms:
            return self.forms[document_id].pin
        for entry in self.catalogue.entries:
            if entry.pin.id == document_id:
                return self.catalogue.get(entry.contract, document_id).pin
        raise problem(
            "catalogue.unknown", "The catalogue has no document with this id.", "Correct the id, or add the document."
        )

    def template(self, template_id: str) -> ProcedureTemplate:
        """Return a procedure template in its newest version."""
        return self.catalogue.get(ProcedureTemplate, template_id).model

    def template_pinned(self, pin: Pin) -> ProcedureTemplate:
        """Return a procedure template in the pinned version."""
        return model_of(self.catalogue.pinned(pin), ProcedureTemplate)

    def consent_text(self, text_id: str) -> Entry[ConsentText] | None:
        """Return a consent text that may be signed now; `None` when it is retired or gone."""
        return self.catalogue.find(ConsentText, text_id)

    def titles(self, locale: str) -> dict[str, str]:
        """Return the regions' names in a locale, by id."""
        return {region.id: localise(region.title, locale) for region in self.regions.regions}

    def approved(self, pin: Pin, approvals: Iterable[Approval], at: str) -> bool:
        """Return whether a prescriber of this clinic has approved these very bytes and the approval holds then."""
        return is_approved(pin, approvals, self.clinic, datetime.fromisoformat(at))

    def looked(self, response: Response) -> Looked:
        """Return the questions that a response's answers show on its form, and the answers that count."""
        return self._looked.of(response, lambda: look(self.form_index(response.form).compiled, index(response.answers)))

    def record_pin(self, record: Model) -> RecordPin:
        """Return the id and digest that pin a record."""
        return self._pins.of(
            record,
            lambda: RecordPin(id=record.id, digest=record_digest(record)),  # type: ignore[attr-defined]
        )

    def key(self, record: str, step: str) -> str:
        """Return the deterministic id of what a step makes from a record."""
        return self._keys(record, step)

    def event(self, kind: str, subject: str, at: str, *related: str, of: str | None = None) -> Event:
        """Return an event; its id is the same when the same step is done again.

        `of`: the digest of a record whose moment stays when it is made anew, which then is told anew.
        """
        return Event(
            id=self.key(subject, f"event.{kind}.{of or at}"),
            type=kind,
            clinic=self.clinic.id,
            subject=subject,
            at=at,
            related=related,
        )

    # -- assessing ----------------------------------------------------------------------------------------------

    def assess(
        self,
        context: AssessmentContext,
        consultation: Consultation | None,
        day_form: Consultation | None,
        template: ProcedureTemplate | None,
        at: str,
    ) -> Assessment:
        """Ask our own rules and every extension, and join what they find; nothing lowers a verdict."""
        context, findings = self.findings(context, consultation, day_form, template)
        record = consultation.id if consultation is not None else context.patient.id
        return Assessment(
            id=self.key(record, f"assessment.{context.stage}.{at}"),
            clinic=self.clinic.id,
            consultation=self.record_pin(consultation) if consultation is not None else None,
            day_form=self.record_pin(day_form) if day_form is not None else None,
            rules=self.rules_digest,
            context=context,
            assessed_at=at,
            findings=findings,
            switched_off=suitability.switched_off(
                self.rules,
                context,
                products=self.products,
                market=self.market,
                policies=self.clinic.policies,
            ),
            evidence=evidence_for(
                context,
                self.evidence,
                products=self.products,
                regions=self.regions,
                none=self.messages["evidence-none"],
            ),
            verdict=suitability.verdict(findings),
        )

    def findings(
        self,
        context: AssessmentContext,
        consultation: Consultation | None,
        day_form: Consultation | None,
        template: ProcedureTemplate | None,
    ) -> tuple[AssessmentContext, tuple[Finding, ...]]:
        """Return what an assessment finds, with the context it looked at; the same question is put once a step."""
        context = self._with_history(context, template, consultation, day_form)
        worked = self._worked
        question = (context, id(consultation), id(day_form), id(template))
        found = worked.findings.get(question)
        if found is None:
            asked = self.hooks.assess_suitability(consultation, template, context, day_form)
            found = suitability.join(asked.findings, self._quarantined)
            if worked.depth:
                worked.findings[question] = found
        return context, found

    def _by_rules(
        self,
        consultation: Consultation | None,
        template: ProcedureTemplate | None,
        context: AssessmentContext,
        day_form: Consultation | None,
    ) -> Sequence[Finding]:
        return suitability.assess(
            self.rules,
            context,
            answers=self._counted(consultation),
            day_answers=self._counted(day_form) if day_form is not None else None,
            products=self.products,
            regions=self.regions,
            evidence=self.evidence,
            market=self.market,
            policies=self.clinic.policies,
            anaesthetics=self.anaesthetics,
        )

    def _counted(self, response: Consultation | None) -> AnswerIndex:
        return {} if response is None else self.looked(response)[1]

    def _with_history(
        self, context: AssessmentContext, template: ProcedureTemplate | None, *responses: Consultation | None
    ) -> AssessmentContext:
        """Join what the answers say of earlier toxin into the history.

        Only a procedure without toxin plans none; elsewhere a list of no doses means that nothing is planned yet.
        """
        told = together(*(reported(self._counted(response)) for response in responses if response is not None))
        changes: dict[str, Any] = {"history": merge(context.history, told)}
        if context.product is None and not context.planned:
            changes["planned"] = () if template is not None and template.injection is None else None
        return context.model_copy(update=changes)
