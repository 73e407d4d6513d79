"""The clinic that a command works for."""

from pathlib import Path

from ..contracts import Clinic, ProblemsError
from .exits import Exit, StopError, misused
from .files import name_of, read

__all__ = ["load_clinic"]


def load_clinic(path: Path | None) -> Clinic:
    """Return the checked clinic settings. Without them nothing runs: there is no default clinic or market."""
    if path is None:
        raise misused(
            "clinic.missing",
            "No clinic settings were named, and there is no default clinic.",
            "Give --clinic FILE, or write one with `pore-plugin init clinic`.",
        )
    # Imported here: the content is read only for somebody who has settings.
    from ..library.settings import check_settings

    try:
        return check_settings(read(path), file=name_of(path)).model
    except ProblemsError as error:
        raise StopError(Exit.FAILED, error.problems) from error
