"""What the command line and the hook engine report about the installation itself; nothing here is about a patient."""

from typing import Annotated, Literal

from pydantic import Field

from .base import Integer, Model, Opt, Sentence
from .problems import Problem
from .safety import Verdict

__all__ = [
    "ContractEntry",
    "ContractList",
    "DemoCase",
    "DemoReport",
    "LoadReport",
    "PluginEntry",
    "PluginState",
]

PluginState = Literal["active", "quarantined", "disabled", "not-allowed", "incompatible"]


class PluginEntry(Model):
    """One plug-in as the report shows it."""

    name: str
    distribution: Opt[str] = Field(default=None, description="Absent for a plug-in that the host handed in.")
    version: Opt[str] = None
    vendor: Opt[str] = None
    contract: Opt[str] = None
    order: Opt[Integer] = None
    state: PluginState
    reason: Opt[Problem] = Field(default=None, description="Why the plug-in is not active.")
    hooks: tuple[str, ...] = Field(default=(), description="The hooks it implements.")
    adapters: tuple[str, ...] = Field(default=(), description="The kinds of the host adapters it offers.")
    problems: tuple[Problem, ...] = Field(default=(), description="What went wrong while it was active.")


class LoadReport(Model):
    """All plug-ins: the active ones in the order in which they are called, then the others by name."""

    contract_version: str
    entries: Annotated[tuple[PluginEntry, ...], Field()]
    problems: tuple[Problem, ...] = Field(default=(), description="Settings that name no plug-in, and the like.")

    def entry(self, name: str) -> PluginEntry | None:
        """Return the entry of this name, or `None`."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def with_problems(self, problems: tuple[Problem, ...]) -> "LoadReport":
        """Return the report with problems added to the plug-ins they name, each once."""
        names = {entry.name for entry in self.entries}
        entries = tuple(
            entry.model_copy(update={"problems": _joined(entry.problems, problems, {entry.name})})
            for entry in self.entries
        )
        others = tuple(problem for problem in problems if problem.plugin not in names)
        return self.model_copy(
            update={"entries": entries, "problems": _joined(self.problems, others, {p.plugin for p in others})}
        )

    def with_adapters(self, kinds: dict[str, tuple[str, ...]]) -> "LoadReport":
        """Return the report with the adapter kinds that each named plug-in offers."""
        entries = tuple(
            entry.model_copy(update={"adapters": kinds.get(entry.name, entry.adapters)}) for entry in self.entries
        )
        return self.model_copy(update={"entries": entries})


def _joined(
    old: tuple[Problem, ...], new: tuple[Problem, ...], names: set[str | None] | set[str]
) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys((*old, *(problem for problem in new if problem.plugin in names))))


class ContractEntry(Model):
    """A published contract: the name that `validate --contract` takes, the `$id` of its schema, the model's name."""

    name: str
    schema_id: str
    title: str


class ContractList(Model):
    """Every contract that is published, by name."""

    contracts: tuple[ContractEntry, ...]


class DemoCase(Model):
    """One case of the demo: how it was judged, how it ended, and where its sheets are."""

    case: str = Field(description="The name of the case file, without ending.")
    title: Sentence
    verdict: Opt[Verdict] = Field(default=None, description="Absent when the consultation was kept as a draft.")
    ended: Sentence
    folder: str


class DemoReport(Model):
    """What a run of the demo read and left."""

    input: str
    folder: str
    cases: tuple[DemoCase, ...]
