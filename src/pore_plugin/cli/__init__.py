"""The command line: every command reads documents, prints a result, and says by its exit code how it went."""

import os
import sys

import typer

from ..contracts import ProblemsError
from . import steps, tools
from .console import Exit, Format, StopError, show_problems

__all__ = ["app", "main"]

app = typer.Typer(
    name="pore-plugin",
    help="Consultation form, procedure template and follow-up schedule for pore treatments.\n\n"
    "Exit codes: 0 ok, 1 findings, 2 usage, 3 could not be done.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
tools.register(app)
steps.register(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit. No traceback is ever printed: it could hold what a patient answered."""
    words = sys.argv[1:] if arguments is None else arguments
    output = Format.JSON if "json" in words or "--format=json" in words else Format.TEXT
    try:
        app(args=words, prog_name="pore-plugin", standalone_mode=True)
    except StopError as stop:
        show_problems(stop.problems, output)
        sys.exit(int(stop.code))
    except ProblemsError as error:
        show_problems(error.problems, output)
        sys.exit(int(Exit.FINDINGS))
    except BrokenPipeError:
        # The reader has gone (`| head`); closing stdout again at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(int(Exit.OK))
    except Exception as error:
        if os.environ.get("PORE_PLUGIN_TRACEBACK") == "1":
            raise
        print(f"pore-plugin: could not be done ({type(error).__name__}).", file=sys.stderr)
        print("Run again with PORE_PLUGIN_TRACEBACK=1 on data that is not a patient's, and report it.", file=sys.stderr)
        sys.exit(int(Exit.FAILED))
