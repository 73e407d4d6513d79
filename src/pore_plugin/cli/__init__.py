"""The command line: every command reads documents, prints a result, and says by its exit code how it went."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from ..contracts import Problem, ProblemsError
from . import (
    approvals,
    custody,
    demonstration,
    follow_ups,
    library,
    outcomes,
    overlays,
    patients,
    recalls,
    records,
    scans,
    starting,
    steps,
    tools,
    validating,
)
from .console import Format, emit, show_problems, speak_utf8
from .exits import Exit, StopError

__all__ = ["app", "main"]

# Of the errors of its parser typer publishes this one; what the others share with it stands right above it.
_UsageError: type[Any] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="pore-plugin",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        emit(f"pore-plugin {version('pore-plugin')}")
        raise typer.Exit


@app.callback()
def pore_plugin(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Consultation form, procedure template and follow-up schedule for pore treatments.

    Exit codes: 0 ok, 1 findings, 2 usage, 3 could not be done.

    \b
    Example: pore-plugin demo --out demo-out
    """


demonstration.register(app)
steps.register(app)
records.register(app)
scans.register(app)
validating.register(app)
tools.register(app)
starting.register(app)
library.register(app)
approvals.register(app)
overlays.register(app)
patients.register(app)
custody.register(app)
follow_ups.register(app)
outcomes.register(app)
recalls.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. No traceback is ever printed: it could hold what a patient answered."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = typer.main.get_command(app)
    output = _format(words, frozenset(_valued(command)))
    speak_utf8()
    try:
        code = command.main(args=words, prog_name="pore-plugin", standalone_mode=False)
    except StopError as stop:
        show_problems(stop.problems, output)
        code = stop.code
    except ProblemsError as error:
        show_problems(error.problems, output)
        code = Exit.FINDINGS
    except _UsageError as error:
        code = _misused(error, output)
    except Exception as error:
        if os.environ.get("PORE_PLUGIN_TRACEBACK") == "1":
            raise
        step = "Run again with PORE_PLUGIN_TRACEBACK=1 on data that is not a patient's, and report it."
        code = _not_done(f"This could not be done ({type(error).__name__})", step, output)
    sys.exit(int(code or 0))


def _misused(error: Any, output: Format) -> Exit:
    """Say what is wrong with the command line: the usage as the parser prints it, or a problem."""
    if output is Format.JSON:
        where = f" {error.ctx.command_path}" if error.ctx else ""
        sentence = str(error.format_message())[:4000] or "There is no command."
        step = f"See `{where.strip() or 'pore-plugin'} --help`."
        show_problems([Problem(code="usage", sentence=sentence, next_step=step)], output)
    else:
        error.show()
    return Exit.USAGE


def _not_done(what: str, next_step: str, output: Format) -> Exit:
    show_problems([Problem(code="internal", sentence=f"{what}.", next_step=next_step)], output)
    return Exit.FAILED


def _format(words: Sequence[str], valued: frozenset[str]) -> Format:
    """Return the format that a command line asks for, as its parser reads it, also where the parser refuses the line.

    `valued` are the options that take the next word as their value: `--clinic json` asks for nothing.
    """
    said = Format.TEXT.value
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if word.startswith("--format="):
            said = word.partition("=")[2]
        elif word in valued:
            value = next(rest, "")
            said = value if word == "--format" else said
    return Format.JSON if said == Format.JSON.value else Format.TEXT


def _valued(command: Any) -> Iterator[str]:
    """Yield every option of a command and those below it that takes a value."""
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.is_flag:
            yield from parameter.opts
    for below in getattr(command, "commands", {}).values():
        yield from _valued(below)
