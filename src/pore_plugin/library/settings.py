"""Clinic settings files: their form, and whether zone, market, country and holidays are known."""

from __future__ import annotations

from ..builtin import markets
from ..clinical.settings import place_problems
from ..contracts import Clinic, Problem, ProblemLocation, ProblemsError
from ..validation import Checked, check_toml
from ..validation.tomltext import locate_toml, read_toml

__all__ = ["check_settings"]


def check_settings(data: bytes, *, file: str) -> Checked[Clinic]:
    """Return the checked settings. Raises `ProblemsError` with everything that is wrong, form and place at once."""
    found: list[Problem] = []
    checked: Checked[Clinic] | None = None
    try:
        checked = check_toml(Clinic, data, file=file)
    except ProblemsError as error:
        found = list(error.problems)
    known = {problem.pointer for problem in found}
    found += [problem for problem in _place(data, file) if problem.pointer not in known]
    if found or checked is None:
        raise ProblemsError(found)
    return checked


def _place(data: bytes, file: str) -> list[Problem]:
    """Return what is wrong with the clinic's place, as far as the file can be read."""
    try:
        document = read_toml(data)
    except ProblemsError:
        return []
    said = {
        key: value if isinstance(value := document.get(key), str) and value else None
        for key in ("zone", "market", "country", "subdivision")
    }
    problems = place_problems(markets(), **said)
    places = locate_toml(data.decode(), (problem.pointer for problem in problems))
    there = {at: ProblemLocation(file=file, line=line, column=column) for at, (line, column) in places.items()}
    return [problem.model_copy(update={"location": there[problem.pointer]}) for problem in problems]
