"""Reading the code of a pack."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from ..rendering import scan_sheet
from ..scanning import read_scan
from .console import Format, results_only, show
from .exits import Exit, leave
from .steps import FormatOption

__all__ = ["register"]


def scan(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help="What the scanner sends, or the line printed by the code; - for stdin."),
    ],
    output: FormatOption = Format.TEXT,
) -> None:
    """Read the GS1 code on a pack: product number, lot, expiry, serial number.

    Nothing is guessed: what could not be read is said, and is typed as it is printed. With - the separator of the
    code survives. Exit code 1 when something could not be read.

    \b
    Example: pore-plugin scan '(01)05012345678900(17)270331(10)C1234(21)7K2'
    """
    if text == "-":
        text = sys.stdin.buffer.read(1 << 16).decode("utf-8", "replace")
    read = read_scan(text, datetime.now(UTC).date())
    show(read, lambda: scan_sheet(read), output)
    leave(Exit.FINDINGS if any(problem.severity == "error" for problem in read.problems) else Exit.OK)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(results_only(scan))
