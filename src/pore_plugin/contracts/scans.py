"""What the code on a pack says."""

from typing import Annotated

from pydantic import Field

from .base import LocalDate, Model, Opt
from .problems import Problem
from .products import Lot

__all__ = ["Scan"]


class Scan(Model):
    """A scanned GS1 code, read: what is on it, and what could not be read. Nothing in it is guessed."""

    gtin: Opt[Annotated[str, Field(pattern=r"^[0-9]{14}$")]] = Field(
        default=None, description="The product's number with a check digit that fits, filled up to 14 digits."
    )
    lot: Opt[Lot] = Field(default=None, description="AI 10. Absent too where a lost separator may have falsified it.")
    expiry: Opt[LocalDate] = Field(default=None, description="AI 17: the last day of use.")
    serial: Opt[Annotated[str, Field(pattern=r"^[!-~]{1,20}$")]] = Field(
        default=None, description="AI 21: the number of this one pack."
    )
    problems: tuple[Problem, ...] = Field(default=(), description="What could not be read, and what to do instead.")
