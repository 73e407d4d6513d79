"""The one offline registry over the committed JSON Schema bytes, and the engines that read them.

The bytes are package data (`_schemas/*.json`), identical to `schemas/` of the repository. `jsonschema-rs` decides
where its wheel exists; `jsonschema` explains, and decides elsewhere. Neither ever opens a connection.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = [
    "FORMATS",
    "SchemaRegistry",
    "portable_pattern",
    "python_pattern",
    "registry",
    "schema",
    "schema_bytes",
    "schema_names",
]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def schema_names() -> tuple[str, ...]:
    """Return the names of all published contracts, sorted."""
    return registry().names()


def schema_bytes(name: str) -> bytes:
    """Return the committed schema of a contract as it is. Raises `LookupError` for an unknown name."""
    return registry().raw(name)


def schema(name: str) -> dict[str, Any]:
    """Return the parsed schema of a contract; the caller does not change it. Raises `LookupError`."""
    return registry().schema(name)


@cache
def registry() -> "SchemaRegistry":
    """Return the registry over the package data."""
    folder = resources.files("pore_plugin") / "_schemas"
    names = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    return SchemaRegistry(names, lambda name: (folder / f"{name}.json").read_bytes())


class SchemaRegistry:
    """Schemas by name, each read, parsed and compiled on first use and kept.

    `stand_in` forces `jsonschema` to decide, as it does where `jsonschema-rs` cannot be imported.
    """

    def __init__(self, names: Iterable[str], read: Callable[[str], bytes], *, stand_in: bool = False) -> None:
        self._names = tuple(names)
        self._read = read
        self._stand_in = stand_in
        self._schemas: dict[str, dict[str, Any]] = {}
        self._deciders: dict[str, Callable[[Any], bool]] = {}
        self._explainers: dict[str, Validator] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names this registry knows."""
        return self._names

    def raw(self, name: str) -> bytes:
        """Return the bytes of a schema. Raises `LookupError` for an unknown name."""
        if name not in self._names:
            raise LookupError(f"no published contract has this name; there are: {', '.join(self._names)}")
        return self._read(name)

    def schema(self, name: str) -> dict[str, Any]:
        """Return a parsed schema. Raises `LookupError` for an unknown name."""
        if name not in self._schemas:
            self._schemas[name] = json.loads(self.raw(name))
        return self._schemas[name]

    def decider(self, name: str) -> Callable[[Any], bool]:
        """Return the function that says whether a plain JSON value is valid; formats are checked."""
        if name not in self._deciders:
            self._deciders[name] = self._fast_decider(name) or self.explainer(name).is_valid
        return self._deciders[name]

    def explainer(self, name: str) -> "Validator":
        """Return the `jsonschema` validator of a schema, which reads patterns and formats as the fast engine does."""
        if name not in self._explainers:
            self._explainers[name] = _python_validator(self.schema(name))
        return self._explainers[name]

    def _fast_decider(self, name: str) -> Callable[[Any], bool] | None:
        if self._stand_in:
            return None
        try:
            import jsonschema_rs
        except ImportError:
            return None
        validator = jsonschema_rs.Draft202012Validator(
            self.schema(name), validate_formats=True, ignore_unknown_formats=False, retriever=_refuse_retrieval
        )
        return validator.is_valid


def _refuse_retrieval(uri: str) -> NoReturn:
    raise LookupError("a schema refers to another document; every published schema is self-contained")


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return True
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_date_time(value: object) -> bool:
    """RFC 3339; a leap second is refused, as every contract pattern does."""
    if not isinstance(value, str):
        return True
    if not _DATE_TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[[object], bool]] = {"date": _is_date, "date-time": _is_date_time}
"""The formats that contracts may use; both engines check them."""


def _python_validator(schema: dict[str, Any]) -> "Validator":
    # Imported here: it costs more than the rest of the package, and only refused documents need it.
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.validators import extend
    from referencing import Registry

    checker = FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checkers[name] = (check, ())
    translated = _translate(schema)
    ordinary = Draft202012Validator.VALIDATORS["oneOf"]

    def one_of(validator: Any, branches: Any, instance: Any, schema: Any) -> Iterator[Any]:
        # The branches of a union with a discriminator exclude each other by their tags, so the one that the value
        # chose decides alone; trying them all would take ten times as long.
        reference = _chosen(schema.get("discriminator"), instance)
        if reference is None:
            yield from ordinary(validator, branches, instance, schema)
        else:
            yield from validator.descend(instance, {"$ref": reference})

    # An empty registry without a retriever: nothing outside of the document can be reached.
    engine = extend(Draft202012Validator, {"oneOf": one_of})  # type: ignore[no-untyped-call]
    validator: Validator = engine(translated, registry=Registry(), format_checker=checker)
    return validator


def _chosen(discriminator: Any, instance: Any) -> str | None:
    """Return the reference that the tag of a value chooses, if it chooses one."""
    if not isinstance(discriminator, dict) or not isinstance(instance, dict):
        return None
    tag = instance.get(discriminator.get("propertyName", ""))
    reference = discriminator.get("mapping", {}).get(tag) if isinstance(tag, str) else None
    return reference if isinstance(reference, str) else None


_SUBSCHEMA_MAPS = frozenset({"properties", "$defs", "dependentSchemas"})
_VALUES = frozenset({"const", "enum", "examples", "default", "discriminator"})


def _translate(schema: Any) -> Any:
    """Return the schema with its patterns spelt for `re`."""
    if isinstance(schema, list):
        return [_translate(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    translated: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _VALUES:
            translated[keyword] = value
        elif keyword == "pattern":
            translated[keyword] = python_pattern(value)
        elif keyword == "patternProperties":
            translated[keyword] = {python_pattern(pattern): _translate(below) for pattern, below in value.items()}
        elif keyword in _SUBSCHEMA_MAPS:
            translated[keyword] = {name: _translate(below) for name, below in value.items()}
        else:
            translated[keyword] = _translate(value)
    return translated


_PIECES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[$.]|[^\\\[$.]+", re.DOTALL)


def python_pattern(pattern: str) -> str:
    r"""Spell a pattern for `re` as the fast engine reads it: `$` is the very end, `\d` and `\w` are ASCII."""
    return "(?a:" + "".join(r"\Z" if piece == "$" else piece for piece in _PIECES.findall(pattern)) + ")"


_UNPORTABLE = re.compile(r"\\[dDwWsSbBpPkAzZ0-9xucn]|\(\?(?!:)")


def portable_pattern(pattern: str) -> bool:
    r"""Say whether ECMA 262, Rust and Python read a pattern alike: no `.`, `\d`, `\w`, `\s`, `\b`, look-around."""
    pieces = _PIECES.findall(pattern)
    return "".join(pieces) == pattern and "." not in pieces and not any(_UNPORTABLE.search(piece) for piece in pieces)
