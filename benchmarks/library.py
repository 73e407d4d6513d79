"""A library of templates: validated by ours as one package, and by others as far as they go, on the same files."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from timing import by_turns, bytecode

from pore_plugin.builtin import documents, sample
from pore_plugin.schemas import schema_bytes
from pore_plugin.validation.yamlwriting import write_yaml

__all__ = ["imports", "templates", "validations"]

_PACKAGE = 100
"""A package of so many templates is timed as one process, from its start to its end."""
_YAML_SHARE = 50
"""YAML is slow, so only one in so many is read as YAML too."""
_RAW = """
import json, sys, jsonschema_rs
from pathlib import Path
schema, folder = map(Path, sys.argv[1:])
decide = jsonschema_rs.validator_for(json.loads(schema.read_bytes()), validate_formats=True).is_valid
assert all([decide(json.loads(path.read_bytes())) for path in folder.iterdir()])
"""
"""The limit: each file read by `json` and decided, and nothing else."""
_UNCHANGED = """
import json, sys
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from pore_plugin.cli.clinics import load_clinic
from pore_plugin.practice import Desk
from pore_plugin.practice.library import Library
from pore_plugin.storage import Database

clinic, database, turns = sys.argv[1:]
taken = {"hash": [], "again": []}
with Database.open(database) as opened:
    library = Library(Desk(opened, load_clinic(Path(clinic)), actor="benchmark", installed=False))
    for _ in range(int(turns)):
        started = perf_counter()
        for path in Path(".").iterdir():
            sha256(path.read_bytes()).hexdigest()
        taken["hash"].append(perf_counter() - started)
        started = perf_counter()
        counts = library.import_([Path(".")]).counts
        taken["again"].append(perf_counter() - started)
        assert counts.unchanged and not (counts.created or counts.changed or counts.conflicting)
print(json.dumps({name: sorted(seconds)[len(seconds) // 2] for name, seconds in taken.items()}))
"""
"""The files read and hashed, and imported again, by turns in one process."""


def templates(folder: Path, count: int, suffix: str = "json") -> Path:
    """Fill a folder with templates: those of the package in turn, each with an id, a title and a summary of its own."""
    folder.mkdir()
    originals = [json.loads(data) for path, data in documents() if path.startswith("templates/")]
    for number in range(count):
        original = originals[number % len(originals)]
        document = {
            **original,
            "id": f"bench.template.t{number}",
            "title": _numbered(original["title"], number),
            "summary": _numbered(original["summary"], number),
        }
        data = write_yaml(document) if suffix == "yaml" else json.dumps(document, indent=2).encode()
        (folder / f"t{number}.{suffix}").write_bytes(data)
    return folder


def validations(*, count: int, turns: int) -> dict[str, float]:
    """Return seconds for each template by name, whole processes over the same files, and for a whole package."""
    with tempfile.TemporaryDirectory() as place, bytecode() as environment:
        there = Path(place)
        schema = there / "schema.json"
        schema.write_bytes(schema_bytes("procedure-template"))
        many = templates(there / "many", count)
        few = templates(there / "few", _PACKAGE)
        shares = {"yaml": max(count // _YAML_SHARE, 10), "package": 1, "ours": count}
        shares |= {"check-jsonschema": count, "jsonschema-rs": count}
        yaml = templates(there / "yaml", shares["yaml"], "yaml")
        names = sorted(path.name for path in many.iterdir())
        ours: Sequence[str] = ("-m", "pore_plugin", "validate")
        commands: dict[str, tuple[Path, Sequence[str]]] = {
            "ours": (many, [*ours, "."]),
            "check-jsonschema": (many, ["-m", "check_jsonschema", "--schemafile", str(schema), *names]),
            "jsonschema-rs": (there, ["-c", _RAW, str(schema), str(many)]),
            "yaml": (yaml, [*ours, "."]),
            "package": (few, [*ours, "."]),
        }
        # Compiles what is imported, once.
        _run(there, [*ours, str(few)], environment)()
        _run(few, ["-m", "check_jsonschema", "--schemafile", str(schema), "t0.json"], environment)()
        jobs = {name: _run(folder, arguments, environment) for name, (folder, arguments) in commands.items()}
        taken = by_turns(jobs, turns=turns, together=False, warm_up=0, clock=perf_counter)
    return {name: seconds / shares[name] for name, seconds in taken.items()}


def imports(*, count: int, turns: int) -> dict[str, float]:
    """Return seconds for each template: validated and imported as whole processes, then hashed and imported again."""
    with tempfile.TemporaryDirectory() as place, bytecode() as environment:
        there = Path(place)
        clinic = there / "clinic.toml"
        clinic.write_bytes(sample("clinic.toml"))
        many = templates(there / "many", count)
        numbers = iter(range(turns + 1))
        ours: Sequence[str] = ("-m", "pore_plugin")

        def first() -> object:
            database = there / f"records-{next(numbers)}.sqlite"
            told = ("--clinic", str(clinic), "--database", str(database), "--apply")
            return _run(many, [*ours, "import", ".", *told], environment)()

        # Compiles what is imported, once.
        one = templates(there / "one", 1)
        warm = ("--clinic", str(clinic), "--database", str(there / "warm.sqlite"), "--apply")
        _run(one, [*ours, "import", ".", *warm], environment)()
        jobs = {"validate": _run(many, [*ours, "validate", "."], environment), "first": first}
        taken = by_turns(jobs, turns=turns, together=False, warm_up=0, clock=perf_counter)
        again = subprocess.run(
            [sys.executable, "-c", _UNCHANGED, str(clinic), str(there / "records-0.sqlite"), str(turns * 3)],
            cwd=many,
            env=dict(environment),
            check=True,
            stdout=subprocess.PIPE,
        )
    return {name: seconds / count for name, seconds in {**taken, **json.loads(again.stdout)}.items()}


def _numbered(text: Mapping[str, Any], number: int) -> dict[str, str]:
    return {locale: f"{sentence.rstrip('.')}, {number}." for locale, sentence in text.items()}


def _run(folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> Callable[[], object]:
    return lambda: subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=dict(environment), check=True, stdout=subprocess.DEVNULL
    )
