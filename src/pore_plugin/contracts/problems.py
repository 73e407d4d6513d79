"""What can be wrong with a document, said so that the reader can mend it."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .base import Integer, Model, Opt, Sentence

__all__ = ["Problem", "ProblemCode", "ProblemLocation", "ProblemReport", "ProblemsError", "refusal"]

ProblemCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=64)]


class ProblemLocation(Model):
    """Where in a file the problem stands; line and column count from 1."""

    file: str
    line: Annotated[Integer, Field(ge=1)]
    column: Annotated[Integer, Field(ge=1)]


class Problem(Model):
    """One thing that is wrong: FHIR OperationOutcome issue, RFC 9457 problem.

    The sentence and the next step name keys and limits, never a value that a patient or practitioner gave.
    """

    code: ProblemCode = Field(description="Stable dotted code, such as `schema.required`.")
    sentence: Sentence = Field(description="What is wrong, in one sentence.")
    pointer: str = Field(default="", description="RFC 6901 JSON pointer to the place; empty for the whole document.")
    next_step: Sentence = Field(description="What to do about it.")
    severity: Literal["error", "warning"] = "error"
    location: Opt[ProblemLocation] = None
    plugin: Opt[str] = Field(default=None, description="The plug-in that said it or caused it.")
    hook: Opt[str] = Field(default=None, description="The hook that was being called.")


class ProblemReport(Model):
    """All problems of one document at once, in a stable order."""

    problems: tuple[Problem, ...]


class ProblemsError(Exception):
    """Raised with every problem that was found; its text holds codes and pointers only."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(f"{p.code} at {p.pointer or '/'}" for p in self.problems) or "no problem given")

    def report(self) -> ProblemReport:
        """Return the problems as a document."""
        return ProblemReport(problems=self.problems)


def refusal(code: str, sentence: str, next_step: str, pointer: str = "") -> ProblemsError:
    """Return the error of one problem, to be raised."""
    return ProblemsError([Problem(code=code, sentence=sentence, pointer=pointer, next_step=next_step)])
