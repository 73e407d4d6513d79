"""Clinic settings files: their form, and whether zone, market, country and holidays are known."""

from pathlib import Path

from ..clinical.settings import place_problems
from ..contracts import Clinic, Problem, ProblemLocation, ProblemsError
from ..validation import check_toml
from ..validation.tomltext import locate_toml, read_toml
from .exits import Exit, StopError, misused
from .files import name_of, read

__all__ = ["check_clinic", "load_clinic"]


def check_clinic(data: bytes, *, file: str) -> Clinic:
    """Return the checked settings. Raises `ProblemsError` with everything that is wrong, form and place at once."""
    found: list[Problem] = []
    clinic: Clinic | None = None
    try:
        clinic = check_toml(Clinic, data, file=file).model
    except ProblemsError as error:
        found = list(error.problems)
    known = {problem.pointer for problem in found}
    found += [problem for problem in _place(data, file) if problem.pointer not in known]
    if found or clinic is None:
        raise ProblemsError(found)
    return clinic


def _place(data: bytes, file: str) -> list[Problem]:
    """Return what is wrong with the clinic's place, as far as the file can be read."""
    # Imported here: the content is read only for somebody who has settings.
    from ..builtin import markets

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
    return [
        problem.model_copy(
            update={
                "location": ProblemLocation(
                    file=file, line=places[problem.pointer][0], column=places[problem.pointer][1]
                )
            }
        )
        for problem in problems
    ]


def load_clinic(path: Path | None) -> Clinic:
    """Return the checked clinic settings. Without them nothing runs: there is no default clinic or market."""
    if path is None:
        raise misused(
            "clinic.missing",
            "No clinic settings were named, and there is no default clinic.",
            "Give --clinic FILE, or write one with `pore-plugin init clinic`.",
        )
    try:
        return check_clinic(read(path), file=name_of(path))
    except ProblemsError as error:
        raise StopError(Exit.FAILED, error.problems) from error
