"""Calling the extension hooks: in a fixed order, each plug-in alone, every return checked, every failure attributed.

No failure of a plug-in leaves a method of the dispatcher, except `KeyboardInterrupt`, and `ExtensionError` in
strict mode. Each hook has its failure policy in the contract table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..contracts import (
    AssessmentContext,
    Calendar,
    Consultation,
    ConsultationForm,
    ContentItem,
    Event,
    Finding,
    FollowUpEdit,
    FollowUpPlan,
    FollowUpResponse,
    FollowUpStep,
    HostAdapterSpec,
    HostInfo,
    LoadReport,
    Problem,
    ProblemsError,
    ProcedureTemplate,
    QuestionContribution,
    TreatmentRecord,
)
from .discovery import Extensions
from .faults import LOG, ExtensionError, fault, nearest, raised
from .inputs import Lent
from .inspection import BUILTIN, Loaded, inspected
from .policies import failed_finding, foreign, misplaced, mutated, signed, unavailable_finding
from .results import Answered, Collected, Edits, Findings, Placed
from .returns import Contributed, foreign_ids, items_of, read_item
from .table import EXTENSION_HOOKS

__all__ = ["Dispatcher"]

_WHOLE_SENTENCES = frozenset({"extension.failed", "extension.mutated_input"})
"""Problems whose sentence names plug-in and hook already."""


@dataclass(frozen=True, slots=True)
class _Call:
    plugin: Loaded
    caller: Callable[..., Any]
    trusted: bool
    takes: tuple[str, ...]
    """The arguments that the implementation names; pluggy passes it no other."""


@dataclass(slots=True)
class _Answer:
    plugin: Loaded
    items: list[Contributed[Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    said_none: bool = True


class Dispatcher:
    """Calls the hooks of the built-in and of the active extensions. It never changes; steps that do return another."""

    def __init__(self, extensions: Extensions, builtin: object | None = None) -> None:
        """Take the extensions and the built-in plug-in. Raises what is wrong with the built-in, if anything is."""
        self._extensions = extensions
        if builtin is None or isinstance(builtin, Loaded):
            self._builtin = builtin
        else:
            self._builtin = inspected(BUILTIN, builtin, "pore-plugin", None)
        self._calls = {name: self._calls_of(name) for name in EXTENSION_HOOKS}
        self._report: LoadReport | None = None

    @property
    def report(self) -> LoadReport:
        """The load report, the built-in first, with the host adapters that are offered and what went wrong there.

        The plug-ins are asked for their adapters the first time; the report is remembered.
        """
        if self._report is None:
            self._report = self._reported()
        return self._report

    def _reported(self) -> LoadReport:
        report = self._extensions.report
        if self._builtin is not None:
            report = report.model_copy(update={"entries": (self._builtin.entry, *report.entries)})
        adapters = self.register_host_adapters()
        kinds: dict[str, tuple[str, ...]] = {}
        for item in adapters.items:
            kinds[item.plugin] = (*kinds.get(item.plugin, ()), item.value.kind)
        return report.with_adapters(kinds).with_problems(adapters.problems)

    def started(self, host: HostInfo) -> Dispatcher:
        """Tell every plug-in about the host; return the dispatcher to go on with.

        Those that failed are not in it, and its report names them.
        """
        failed: dict[str, Problem] = {}
        for call in self._calls["pore_startup"]:
            answer = self._ask("pore_startup", call, {"host": host})
            if answer.problems and not call.trusted:
                failed[call.plugin.name] = answer.problems[0]
        # Always another one: what a plug-in offered before it was told is not what it offers now.
        return Dispatcher(self._extensions.without(failed) if failed else self._extensions, self._builtin)

    def register_content(self) -> Collected[ContentItem]:
        """Return the content documents of all plug-ins, the built-in's first."""
        return self._collect("pore_register_content", {})

    def register_questions(self, form: ConsultationForm) -> Collected[QuestionContribution]:
        """Return the questions that plug-ins add to a base form."""
        return self._collect("pore_register_questions", {"form": form})

    def register_host_adapters(self) -> Collected[HostAdapterSpec]:
        """Return the adapters on offer. A kind that several plug-ins offer is nobody's, and a problem names them."""
        found: Collected[HostAdapterSpec] = self._collect("pore_register_host_adapters", {})
        authors: dict[str, list[str]] = {}
        for item in found.items:
            authors.setdefault(item.value.kind, []).append(item.plugin)
        problems = list(found.problems)
        for kind, names in sorted(authors.items()):
            if len(names) > 1:
                sentence = f"The host adapter {kind} is offered more than once, by {' and '.join(sorted(names))}."
                problems += [
                    fault("host_adapter.duplicate", sentence, "Disable all but one of them.", plugin=name)
                    for name in sorted(set(names))
                ]
        kept = tuple(item for item in found.items if len(authors[item.value.kind]) == 1)
        return Collected(kept, tuple(problems))

    def adapter(self, kind: str) -> HostAdapterSpec:
        """Return the adapter of a kind. Raises `ProblemsError` with the reasons when none is on offer."""
        found = self.register_host_adapters()
        for item in found.items:
            if item.value.kind == kind:
                return item.value
        known = [item.value.kind for item in found.items]
        sentence = f"No extension offers the host adapter that the settings name.{nearest(kind, known)}"
        missing = fault("host_adapter.missing", sentence, "Install the extension that offers it, or correct its name.")
        raise ProblemsError([missing, *found.problems])

    def validate_answers(self, form: ConsultationForm, answers: Consultation | FollowUpResponse) -> Answered:
        """Return what plug-ins find wrong with answers that fit the form."""
        problems: list[Problem] = []
        accepted = True
        for call in self._calls["pore_validate_answers"]:
            answer = self._ask("pore_validate_answers", call, {"form": form, "answers": answers})
            accepted = accepted and not answer.problems
            for item in answer.items:
                attribution = {"plugin": answer.plugin.name, "hook": "pore_validate_answers"}
                problems.append(item.value.model_copy(update=attribution))
                accepted = accepted and item.value.severity != "error"
            problems += answer.problems
        return Answered(tuple(problems), accepted)

    def assess_suitability(
        self,
        consultation: Consultation | None,
        template: ProcedureTemplate | None,
        context: AssessmentContext,
        day_form: Consultation | None = None,
    ) -> Findings:
        """Return the findings of the built-in and of every plug-in; a failure is a finding too."""
        arguments = {"consultation": consultation, "template": template, "context": context, "day_form": day_form}
        findings: list[Finding] = []
        problems: list[Problem] = []
        answered = False
        for call in self._calls["pore_assess_suitability"]:
            answer = self._ask("pore_assess_suitability", call, arguments)
            name = answer.plugin.name
            for item in answer.items:
                own = item.value.plugin == name
                findings.append(item.value if own else item.value.model_copy(update={"plugin": name}))
            problems += answer.problems
            if call.trusted:
                answered = not answer.problems and not answer.said_none
            elif answer.problems:
                findings.append(failed_finding(answer.plugin))
        if not answered:
            findings.insert(0, unavailable_finding())
        return Findings(tuple(findings), tuple(problems))

    def amend_follow_up(
        self, follow_up_plan: FollowUpPlan, treatment: TreatmentRecord, template: ProcedureTemplate
    ) -> Edits:
        """Return the edits of every plug-in; whoever applies them drops the conflicting ones."""
        arguments = {"follow_up_plan": follow_up_plan, "treatment": treatment, "template": template}
        items: list[Contributed[FollowUpEdit]] = []
        flags: list[str] = []
        problems: list[Problem] = []
        for call in self._calls["pore_amend_follow_up"]:
            answer = self._ask("pore_amend_follow_up", call, arguments)
            if answer.problems:
                flags.append(f"The extension {answer.plugin.label} failed; its edits of the follow-up were dropped.")
            else:
                items += answer.items
            problems += answer.problems
        return Edits(tuple(items), tuple(flags), tuple(problems))

    def place_follow_up_step(self, step: FollowUpStep, follow_up_plan: FollowUpPlan, calendar: Calendar) -> Placed:
        """Return the step as the first plug-in places it; the built-in answers last. Without it, the step as it is."""
        arguments = {"step": step, "follow_up_plan": follow_up_plan, "calendar": calendar}
        problems: list[Problem] = []
        for call in self._calls["pore_place_follow_up_step"]:
            answer = self._ask("pore_place_follow_up_step", call, arguments)
            problems += answer.problems
            for item in answer.items:
                if call.trusted:
                    return Placed(item.value, BUILTIN, tuple(problems))
                wrong = misplaced(step, item.value, follow_up_plan)
                if wrong is None:
                    return Placed(signed(step, item.value, answer.plugin.name), answer.plugin.name, tuple(problems))
                problems.append(self._noted(answer.plugin, "pore_place_follow_up_step", wrong))
        return Placed(step, BUILTIN, tuple(problems))

    def on_event(self, event: Event) -> tuple[Problem, ...]:
        """Tell every plug-in that something happened; return what went wrong, already logged."""
        problems: list[Problem] = []
        for call in self._calls["pore_on_event"]:
            problems += self._ask("pore_on_event", call, {"event": event}).problems
        return tuple(problems)

    def _calls_of(self, hook: str) -> tuple[_Call, ...]:
        calls = [_call_of(plugin, hook, trusted=False) for plugin in self._extensions.plugins if hook in plugin.hooks]
        if self._builtin is not None and hook in self._builtin.hooks:
            own = _call_of(self._builtin, hook, trusted=True)
            calls.insert(len(calls) if EXTENSION_HOOKS[hook].mode == "first" else 0, own)
        return tuple(calls)

    def _collect(self, hook: str, arguments: dict[str, Any]) -> Collected[Any]:
        """Collect contributions; one with a problem is left out whole."""
        items: list[Contributed[Any]] = []
        problems: list[Problem] = []
        for call in self._calls[hook]:
            answer = self._ask(hook, call, arguments)
            if not answer.problems:
                items += answer.items
            problems += answer.problems
        return Collected(tuple(items), tuple(problems))

    def _ask(self, hook: str, call: _Call, arguments: dict[str, Any]) -> _Answer:
        """Call one plug-in and check what it returns; everything it does happens inside this guard.

        `frozen` does not stop a plug-in that writes past it: an outside one works on copies of its own.
        """
        answer = _Answer(call.plugin)
        lent = None if call.trusted else Lent(arguments, call.takes)
        try:
            self._take(hook, call, call.caller(**(arguments | lent.copies if lent else arguments)), answer)
        except ProblemsError as error:
            answer.problems += [self._noted(call.plugin, hook, problem, error) for problem in error.problems]
        except (Exception, SystemExit) as error:
            problem = raised(error, call.plugin.label, plugin=call.plugin.name, hook=hook)
            answer.problems.append(self._noted(call.plugin, hook, problem, error))
        if lent and not lent.untouched():
            answer.problems.append(self._noted(call.plugin, hook, mutated(call.plugin.label, hook)))
        return answer

    def _take(self, hook: str, call: _Call, returned: Any, answer: _Answer) -> None:
        mode = EXTENSION_HOOKS[hook].mode
        if mode != "first":
            returned = returned[0] if returned else None
        if returned is None:
            return
        answer.said_none = False
        if mode in ("once", "notify"):
            raise ProblemsError([fault("extension.invalid_return", "This hook returns nothing.", "Tell its author.")])
        if mode == "first":
            value, document = read_item(hook, returned, trusted=call.trusted)
            answer.items.append(Contributed(call.plugin.name, value, document))
            return
        for index, item in enumerate(items_of(hook, returned)):
            try:
                value, document = read_item(hook, item, trusted=call.trusted)
                outside = [] if call.trusted else [foreign(at) for at in foreign_ids(value, call.plugin.vendor)]
                if outside:
                    raise ProblemsError(outside)
            except ProblemsError as error:
                moved = [
                    problem.model_copy(update={"pointer": f"/{index}{problem.pointer}"}) for problem in error.problems
                ]
                answer.problems += [self._noted(call.plugin, hook, problem, error) for problem in moved]
            else:
                answer.items.append(Contributed(call.plugin.name, value, document))

    def _noted(self, plugin: Loaded, hook: str, problem: Problem, cause: BaseException | None = None) -> Problem:
        """Attribute and log a failure, or raise it in strict mode."""
        sentence = problem.sentence
        if problem.code not in _WHOLE_SENTENCES:
            sentence = f"What {plugin.label} returned from {hook} is not allowed. {sentence}"[:4000]
        problem = problem.model_copy(update={"sentence": sentence, "plugin": plugin.name, "hook": hook})
        if self._extensions.strict:
            raise ExtensionError([problem]) from cause
        LOG.warning("%s in %s: %s (%s)", plugin.label, hook, problem.code, type(cause).__name__)
        return problem


def _call_of(plugin: Loaded, hook: str, *, trusted: bool) -> _Call:
    caller = getattr(plugin.manager.hook, hook)
    (implementation,) = caller.get_hookimpls()
    return _Call(plugin, caller, trusted, tuple(implementation.argnames))
