"""Writes schemas/ and its package-data copy from the contract models, and the contract lock.

`python tools/build_schemas.py` writes; `--check` compares and names the command that mends; `--release` records
the present contract as released, after which every change of it needs the version bump that the lock demands.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

import contract_lock  # noqa: E402

from pore_plugin import contracts  # noqa: E402
from pore_plugin.contracts import DOCUMENTS, Model  # noqa: E402
from pore_plugin.schemas import FORMATS, portable_pattern  # noqa: E402

SCHEMA_MAJOR = 0
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PUBLISHED = ROOT / "schemas"
PACKAGED = ROOT / "src" / "pore_plugin" / "_schemas"
MEND = "make schemas"
_MAPS = frozenset({"properties", "$defs", "patternProperties"})
_VALUES = frozenset({"const", "enum", "examples", "default", "discriminator", "required"})


class BuildError(Exception):
    """A model produces a schema that the engines could read in different ways."""


def schema_id(name: str) -> str:
    """Return the stable `$id` of a contract; its number is the schema major."""
    return f"urn:pore-plugin:schema:v{SCHEMA_MAJOR}:{name}"


def build(name: str, model: type[Model], examples: list[Any] | None = None) -> dict[str, Any]:
    """Return the self-contained JSON Schema 2020-12 of one contract."""
    generated = model.model_json_schema(by_alias=True, mode="validation")
    _tidy(generated, is_named=True)
    definitions = generated.pop("$defs", {})
    head: dict[str, Any] = {"$schema": DIALECT, "$id": schema_id(name), "title": model.__name__}
    if "description" in generated:
        head["description"] = generated["description"]
    if examples:
        head["examples"] = examples
    built = {**head, **{key: value for key, value in generated.items() if key not in head}}
    if definitions:
        built["$defs"] = dict(sorted(definitions.items()))
    faults = list(_faults(built, ""))
    if faults:
        raise BuildError(f"{name}: " + "; ".join(faults))
    return built


def build_all(
    documents: Mapping[str, type[Model]] = DOCUMENTS, examples: Mapping[str, list[Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return every contract's schema by name; `examples` by contract name go into the schemas."""
    return {name: build(name, documents[name], (examples or {}).get(name)) for name in sorted(documents)}


def hook_models() -> list[dict[str, Any]]:
    """Return the schemas of the exported models that no document is made of on its own."""
    exported = (getattr(contracts, name) for name in contracts.__all__)
    published = {Model, *DOCUMENTS.values()}
    models = [item for item in exported if isinstance(item, type) and issubclass(item, Model) and item not in published]
    return [build(model.__name__, model) for model in models]


def text_of(document: Any) -> bytes:
    """Return the bytes that are written: indented, UTF-8, one newline at the end."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def expected_files() -> dict[Path, bytes]:
    """Return every generated file with its bytes."""
    schemas = build_all(examples=collect_examples())
    files: dict[Path, bytes] = {}
    for name, schema in schemas.items():
        files[PUBLISHED / f"{name}.json"] = files[PACKAGED / f"{name}.json"] = text_of(schema)
    files[PUBLISHED / "contract.lock.json"] = contract_lock.text_of(contract_lock.lock(schemas, hook_models()))
    return files


def collect_examples() -> dict[str, list[Any]]:
    """Return example documents by contract name from `examples/documents/<name>*.json`, if there are any."""
    folder = ROOT / "examples" / "documents"
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        name = path.name.split(".")[0]
        if name in DOCUMENTS:
            found.setdefault(name, []).append(json.loads(path.read_bytes()))
    return found


def stale(files: Mapping[Path, bytes]) -> list[str]:
    """Return what is missing, different or left over, as paths relative to the repository."""
    wrong = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    present = {path for folder in (PUBLISHED, PACKAGED) for path in folder.glob("*.json")}
    left_over = present - set(files) - {contract_lock.RELEASED}
    return sorted(str(path.relative_to(ROOT)) for path in {*wrong, *left_over})


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0 when fresh or written, 1 when stale or refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, and name what is stale")
    parser.add_argument("--release", action="store_true", help="record the present contract as released")
    options = parser.parse_args(arguments)
    files = expected_files()
    refusal = contract_lock.refusal(json.loads(files[PUBLISHED / "contract.lock.json"]))
    if refusal:
        print(refusal, file=sys.stderr)
        return 1
    if options.check:
        wrong = stale(files)
        if wrong:
            print(f"Stale: {', '.join(wrong)}\nMend with: {MEND}", file=sys.stderr)
        return 1 if wrong else 0
    _write(files)
    if options.release:
        contract_lock.RELEASED.write_bytes(files[PUBLISHED / "contract.lock.json"])
    print(f"{len(files)} files are fresh.")
    return 0


def _write(files: Mapping[Path, bytes]) -> None:
    for folder in (PUBLISHED, PACKAGED):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.json"):
            if path not in files and path != contract_lock.RELEASED:
                path.unlink()
    for path, content in files.items():
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)


def _tidy(schema: Any, *, is_named: bool = False, member: str | None = None) -> None:
    """Mend in place what pydantic writes: null defaults, automatic titles, whole docstrings, open key patterns."""
    if isinstance(schema, list):
        for item in schema:
            _tidy(item)
        return
    if not isinstance(schema, dict):
        return
    if schema.get("default", ...) is None:
        del schema["default"]
    if "title" in schema and not is_named and schema["title"] == (member or "").replace("_", " ").title():
        del schema["title"]
    if isinstance(schema.get("description"), str):
        schema["description"] = " ".join(schema["description"].split("\n\n")[0].split())
    if "patternProperties" in schema:
        schema.setdefault("additionalProperties", False)
    for keyword, value in schema.items():
        if keyword in _MAPS:
            for name, below in value.items():
                _tidy(below, is_named=keyword == "$defs", member=name if keyword == "properties" else None)
        elif keyword not in _VALUES:
            _tidy(value)


def _faults(schema: Any, where: str) -> Iterator[str]:
    """Say where a schema is open, loose or not read alike by every engine."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _faults(item, f"{where}/{index}")
        return
    if not isinstance(schema, dict):
        return
    yield from _faults_here(schema, where)
    for keyword, value in schema.items():
        if keyword in _MAPS:
            for name, below in value.items():
                yield from _faults(below, f"{where}/{keyword}/{name}")
        elif keyword not in _VALUES:
            yield from _faults(value, f"{where}/{keyword}")


def _faults_here(schema: dict[str, Any], where: str) -> Iterator[str]:
    for pattern in [*([schema["pattern"]] if "pattern" in schema else []), *schema.get("patternProperties", {})]:
        if not portable_pattern(pattern):
            yield f"{where}: engines read this pattern in different ways"
    if schema.get("format", "date") not in FORMATS:
        yield f"{where}: a format that is not checked"
    kinds = schema.get("type")
    if kinds == "number" or kinds == "null":
        yield f"{where}: type {kinds}; decimals are strings and optional members are absent"
    if kinds == "object" and schema.get("additionalProperties", True) is True:
        yield f"{where}: an open object"
    if kinds == "array" and "prefixItems" in schema and schema.get("maxItems") != len(schema["prefixItems"]):
        yield f"{where}: an open tuple"
    if schema.keys() <= {"title", "description", "default", "examples"}:
        yield f"{where}: a value without a type"


if __name__ == "__main__":
    sys.exit(main())
