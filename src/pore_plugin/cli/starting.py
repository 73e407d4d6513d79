"""`pore-plugin init`: files to fill in, each written once and never over another."""

import json
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from .console import emit
from .exits import failed, misused
from .files import name_of, write

__all__ = ["register"]

init_app = typer.Typer(
    help="Write a file to fill in.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)
_SCHEMAS = ".schemas"
"""The folder beside a new document that holds its schema. Hidden, so that nobody takes a schema for a document."""
_AUTHOR = ("digest", "review")
"""What was said of the document that a new one is made from, and does not hold for it."""


@init_app.command("clinic")
def init_clinic(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write it; - for standard output.")
    ] = Path("clinic.toml"),
) -> None:
    """Write clinic settings to fill in.

    What must be decided is left empty on purpose: it is refused until it is filled in.

    \b
    Example: pore-plugin init clinic --out clinic.toml
    """
    data = (files("pore_plugin") / "content" / "sample" / "clinic-template.toml").read_bytes()
    if str(out) == "-":
        emit(data.decode())
        return
    _write_new(out, data)


IdOption = Annotated[
    str, typer.Option("--id", metavar="ID", help="The id of the new document, such as acme.template.peel.")
]


OutOption = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="Where to write it, *.json or *.yaml; - for standard output.")
]
FromOption = Annotated[str, typer.Option("--from", metavar="ID", help="The document of the package to begin with.")]


@init_app.command("template")
def init_template(
    identifier: IdOption = "acme.template.new",
    out: OutOption = Path("template.json"),
    source: FromOption = "pore.template.salicylic-peel",
) -> None:
    """Write a procedure template to change.

    Its `$schema` leads to the schema in a hidden folder beside it, for completion in an editor.

    \b
    Example: pore-plugin init template --id acme.template.peel --out demo-out/own/peel.json
    """
    _begin("procedure-template", source, identifier, out)


@init_app.command("schedule")
def init_schedule(
    identifier: IdOption = "acme.schedule.new",
    out: OutOption = Path("schedule.json"),
    source: FromOption = "pore.schedule.peel",
) -> None:
    """Write a follow-up schedule to change.

    \b
    Example: pore-plugin init schedule --id acme.schedule.peel --out demo-out/own/schedule.yaml
    """
    _begin("follow-up-schedule", source, identifier, out)


@init_app.command("protocol")
def init_protocol(
    identifier: IdOption = "acme.protocol.new",
    out: OutOption = Path("protocol.json"),
    source: FromOption = "pore.protocol.sample-salicylic-peel",
) -> None:
    """Write a clinic protocol to change. It stays a sample until `sample` is taken out and `responsible` is filled in.

    \b
    Example: pore-plugin init protocol --id acme.protocol.peel --out demo-out/own/protocol.yaml
    """
    _begin("clinic-protocol", source, identifier, out)


def _begin(contract: str, source: str, identifier: str, out: Path) -> None:
    """Write a document of the package under another id, with its schema beside it."""
    from ..builtin import content
    from ..library.sources import media_of
    from ..schemas import schema_bytes
    from ..validation.explain import nearest

    there = {checked.model.id: checked.document for checked in content() if checked.document["type"] == contract}
    if source not in there:
        guess = nearest(source, there)
        step = f"Did you mean {guess}?" if guess else f"Use one of: {', '.join(sorted(there))}."
        raise misused("usage", f"--from names no {contract} of the package.", step)
    document = {key: value for key, value in there[source].items() if key not in _AUTHOR}
    document |= {"id": identifier, "version": "0.1.0", "status": "draft"}
    schema = f"{_SCHEMAS}/{contract}.json"
    on_paper = str(out) == "-"
    document["$schema"] = document["$schema"] if on_paper else schema
    _checked(contract, document)
    if media_of(out.name) == "yaml":
        from ..validation.yamlwriting import write_yaml

        del document["$schema"]
        data = f"# yaml-language-server: $schema={schema}\n".encode() + write_yaml(document)
    else:
        data = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    if on_paper:
        emit(data.decode())
        return
    _write_new(out, data)
    write(out.parent / schema, schema_bytes(contract))


def _checked(contract: str, document: dict[str, Any]) -> None:
    """Refuse an id that is none."""
    from ..contracts import ProblemsError
    from ..validation import check

    try:
        check(contract, document)
    except ProblemsError as error:
        step = error.problems[0].next_step
        raise misused("usage", "--id is no id of a content document.", step) from error


def _write_new(out: Path, data: bytes) -> None:
    if out.exists():
        sentence = f"{name_of(out)} exists already and is left as it is."
        raise failed("init.exists", sentence, "Choose another name with --out.")
    write(out, data)
    emit(f"Wrote {name_of(out)}. Fill it in, then run: pore-plugin validate {quote(name_of(out))}")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(init_app, name="init")
