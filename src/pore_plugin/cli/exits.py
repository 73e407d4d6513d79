"""How a command leaves: its exit code, and the problems that it names."""

from collections.abc import Iterable
from enum import IntEnum

import typer

from ..contracts import Problem, ProblemsError

__all__ = ["Exit", "StopError", "failed", "leave", "misused"]


class Exit(IntEnum):
    """What the command's exit code says."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    FAILED = 3


class StopError(ProblemsError):
    """Leave with a code after printing problems."""

    def __init__(self, code: Exit, problems: Iterable[Problem]) -> None:
        super().__init__(problems)
        self.code = code


def failed(code: str, sentence: str, next_step: str) -> StopError:
    """Return the stop for something that could not be done."""
    return StopError(Exit.FAILED, [Problem(code=code, sentence=sentence, next_step=next_step)])


def misused(code: str, sentence: str, next_step: str) -> StopError:
    """Return the stop for a command line that asks for something there is not."""
    return StopError(Exit.USAGE, [Problem(code=code, sentence=sentence, next_step=next_step)])


def leave(code: Exit) -> None:
    """Leave with a code other than 0."""
    if code is not Exit.OK:
        raise typer.Exit(int(code))
