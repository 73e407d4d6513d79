"""Says in sentences what JSON Schema refuses, without ever repeating a value of the document.

Keys are shown only where they look like contract keys. A union is explained through the branch that the document
chose with its discriminator.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from re import compile as compiled
from re import search
from typing import Any, Protocol

from ..contracts import base
from ..contracts.problems import Problem
from ..schemas import python_pattern
from .jsonscan import shown_pointer

__all__ = ["SchemaError", "explain", "nearest"]

_NAIVE = compiled(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
_TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
    "number": "a number",
}
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} members",
    "maxProperties": "at most {} members",
}
_PRIMITIVES = {
    "DecimalString": 'a decimal string in its one spelling, such as "0.5", "-2" or "12.25"',
    "NonNegativeDecimal": 'a decimal string of zero or more in its one spelling, such as "0" or "0.5"',
    "PositiveDecimal": 'a decimal string above zero in its one spelling, such as "0.5" or "4"',
    "Id": "a namespaced id in lower case, such as pore.form.consultation",
    "RecordId": "a record id of 1 to 64 letters, digits, dots and hyphens",
    "Token": "a machine word of letters and digits joined by single dots, hyphens or underscores",
    "UnitId": "a unit, such as mL, d or pore.unit.ona",
    "Version": "a version, such as 1.2.0",
    "Digest": "sha256: and 64 lower-case hex digits",
    "Locale": "a locale, such as en or de-AT",
    "CountryCode": "a country code of two capitals, such as DE",
    "Zone": "an IANA time zone, such as Europe/Berlin",
    "LocalDate": "a date as YYYY-MM-DD",
    "LocalTime": "a time as HH:MM",
    "Instant": "a date and time with seconds and numeric offset, such as 2026-03-01T09:30:00+01:00 (never Z)",
    "Duration": "an ISO 8601 duration of one component, such as P14D, P12W or PT48H",
}
# Patterns of single members, in the words of their contracts.
_MEMBERS = {
    r"^[!-~]{1,40}$": "1 to 40 visible ASCII characters without spaces",
    r"^[a-z]+/[a-z0-9.+-]+$": "a media type, such as image/jpeg",
    r"^(0|1|0\.[0-9]*[1-9])$": 'a decimal string from 0 to 1 in its one spelling, such as "0.5"',
    r"^[a-z_]+\.[a-z_]+$": "two words joined by a dot, such as plan.made",
    r"^[A-Z0-9]{1,3}$": "the part after the country in its ISO 3166-2 code, such as ENG",
    r"^\+?[0-9][0-9 ()/-]{1,24}$": "a telephone number, such as 999 or +44 1632 960123",
    r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$": "a code in lower case, such as plan.dose",
}
_FEW = 16
_LONGEST_GUESS = 100
_EMPTY = "The value is empty."


class SchemaError(Protocol):
    """What is read of an error of `jsonschema`, whose own annotations allow for fields that are not set yet."""

    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    context: Any
    schema_path: Any
    absolute_path: Any


def nearest(value: object, allowed: Iterable[object]) -> str | None:
    """Return the allowed spelling nearest to a misspelt one, or nothing when none is near."""
    if not isinstance(value, str) or len(value) > _LONGEST_GUESS:
        return None
    spellings = {str(item).casefold(): str(item) for item in allowed if isinstance(item, str)}
    found = get_close_matches(value.casefold(), spellings, n=1, cutoff=0.6)
    return spellings[found[0]] if found else None


def explain(errors: Iterable[Any], root: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for every error of `jsonschema`; `root` is the schema that its references point into."""
    explainer = _Explainer(root)
    for error in errors:
        yield from explainer.one(error)


class _Explainer:
    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.words = _pattern_words()

    def one(self, error: SchemaError) -> Iterator[Problem]:
        keyword = str(error.validator)
        if keyword == "required":
            yield from self.required(error)
        elif keyword in ("additionalProperties", "unevaluatedProperties"):
            yield from self.unknown(error)
        elif keyword in ("oneOf", "anyOf"):
            yield from self.union(error)
        elif keyword in ("enum", "const"):
            yield self.choice(error)
        elif keyword == "type":
            yield self.kind(error, error.validator_value)
        elif keyword == "pattern":
            yield self.pattern(error)
        elif keyword == "format":
            yield self.format(error)
        elif keyword in _LIMITS:
            yield self.limit(error, keyword)
        else:
            # propertyNames reports the limit of the name itself; every other keyword is named as it is.
            code = "schema." + "".join(f"_{char.lower()}" if char.isupper() else char for char in keyword.strip("$"))
            sentence = f"The value breaks the schema rule `{keyword}`."
            yield _at(error, code, sentence, "See the published schema of this contract.")

    def required(self, error: SchemaError) -> Iterator[Problem]:
        known = error.schema.get("properties", {})
        missing = [name for name in error.validator_value if name not in error.instance]
        for name in missing:
            wanted = self.wanted(known.get(name, {}))
            strange = (one for one in error.instance if one not in known and shown_pointer([one]))
            misspelt = next((one for one in strange if nearest(one, missing) == name), None)
            if misspelt is not None:
                step = f"It seems to stand there as `{misspelt}`: rename that."
            else:
                step = f"Add it: {wanted}." if wanted else "Add it."
            yield _at(error, "schema.required", f"The member `{name}` is missing.", step)

    def unknown(self, error: SchemaError) -> Iterator[Problem]:
        known = error.schema.get("properties", {})
        patterns = list(error.schema.get("patternProperties", {}))
        for name in error.instance:
            if name in known or any(search(pattern, name) for pattern in patterns):
                continue
            path = [*error.absolute_path, name]
            hidden = not shown_pointer([name])
            if patterns and not known:
                form = self.words.get(patterns[0], "a name of the form that the schema gives")
                sentence, step = "A member name has not the form that this contract asks for.", f"Use {form}."
            else:
                sentence = "A member is not part of this contract." if hidden else f"The member `{name}` is unknown."
                guess = nearest(name, (key for key in known if key not in error.instance))
                step = f"Did you mean `{guess}`?" if guess else f"Leave it out; known here: {_list(known)}."
            yield Problem(code="schema.unknown_member", sentence=sentence, pointer=shown_pointer(path), next_step=step)

    def union(self, error: SchemaError) -> Iterator[Problem]:
        branches = [self.resolved(branch) for branch in error.validator_value]
        if not error.context:
            sentence = "The value fits several alternatives at once."
            yield _at(error, "schema.one_of", sentence, "Leave out what belongs to another alternative.")
            return
        name = self.discriminator(error, branches)
        if name is None:
            fitting = [place for place, branch in enumerate(branches) if _fits(error.instance, branch.get("type"))]
        elif not isinstance(error.instance, dict):
            fitting = []
        else:
            tags = [_tags(self.resolved(branch.get("properties", {}).get(name, {}))) for branch in branches]
            allowed = [tag for tag_list in tags for tag in tag_list]
            if name not in error.instance:
                sentence = f"The member `{name}` is missing, which says what this object is."
                yield _at(error, "schema.required", sentence, f"Add it with one of: {_list(allowed)}.")
                return
            chosen = error.instance[name]
            fitting = [place for place, tag_list in enumerate(tags) if any(_same(chosen, tag) for tag in tag_list)]
            if not fitting:
                yield self.not_allowed([*error.absolute_path, name], chosen, allowed)
                return
        if not fitting:
            yield self.kind(error, [kind for branch in branches for kind in _as_list(branch.get("type"))])
        elif len(fitting) == 1:
            for below in error.context:
                if below.schema_path[0] == fitting[0]:
                    yield from self.one(below)
        else:
            yield _at(error, "schema.any_of", "The value fits none of the alternatives.", "See the published schema.")

    def discriminator(self, error: SchemaError, branches: list[dict[str, Any]]) -> str | None:
        declared = error.schema.get("discriminator", {}).get("propertyName")
        if declared is not None:
            return str(declared)
        for name in branches[0].get("properties", {}):
            if all(_tags(self.resolved(branch.get("properties", {}).get(name, {}))) for branch in branches):
                return str(name)
        return None

    def choice(self, error: SchemaError) -> Problem:
        allowed = [error.validator_value] if error.validator == "const" else list(error.validator_value)
        return self.not_allowed(list(error.absolute_path), error.instance, allowed)

    def not_allowed(self, path: list[str | int], value: object, allowed: list[Any]) -> Problem:
        if value == "":
            step = f"Fill it in with one of: {_list(allowed)}."
            return Problem(code="schema.enum", sentence=_EMPTY, pointer=shown_pointer(path), next_step=step)
        guess = nearest(value, allowed)
        step = f"Did you mean `{guess}`?" if guess else f"Use one of: {_list(allowed)}."
        if guess and len(allowed) <= _FEW:
            step += f" Allowed: {_list(allowed)}."
        sentence = "The value is not one of those that are allowed here."
        return Problem(code="schema.enum", sentence=sentence, pointer=shown_pointer(path), next_step=step)

    def kind(self, error: SchemaError, expected: Any) -> Problem:
        wanted = " or ".join(dict.fromkeys(_TYPES.get(str(kind), str(kind)) for kind in _as_list(expected)))
        found = _TYPES[_type_of(error.instance)]
        if error.instance is None:
            step = "Leave the member out; nothing is never written as null."
        else:
            form = self.words.get(error.schema.get("pattern", ""))
            step = f"Write {form or wanted}."
        return _at(error, "schema.type", f"Expected {wanted or 'another type'}, found {found}.", step)

    def pattern(self, error: SchemaError) -> Problem:
        form = self.words.get(error.validator_value)
        if error.schema.get("format") == "date-time" and _NAIVE.fullmatch(error.instance):
            sentence = "A date and time without zone or offset is no instant."
            return _at(error, "instant.naive", sentence, f"Write {form or 'the offset too'}.")
        if form is None:
            form = "text that matches " + error.validator_value.removeprefix("(?a:").removesuffix(")")
        if error.instance == "":
            return _at(error, "schema.pattern", _EMPTY, f"Fill it in with {form}.")
        return _at(error, "schema.pattern", "The text has not the form that is asked for.", f"Write {form}.")

    def format(self, error: SchemaError) -> Problem:
        what = {"date": "date", "date-time": "date and time"}.get(error.validator_value, error.validator_value)
        sentence = f"This is no {what} of the calendar."
        return _at(error, "schema.format", sentence, f"Write a {what} that exists, as the contract spells it.")

    def limit(self, error: SchemaError, keyword: str) -> Problem:
        wanted = _LIMITS[keyword].format(error.validator_value)
        if error.validator_value == 1:
            wanted = wanted.removesuffix("s")
        if error.instance == "":
            return _at(error, "schema.limit", _EMPTY, f"Fill it in with {wanted}.")
        if error.instance == []:
            below = self.wanted(error.schema.get("items", {}))
            step = f"Write {wanted}{f', each {below}' if below else ''}."
            return _at(error, "schema.limit", "The list is empty.", step)
        if error.instance == {}:
            known = error.schema.get("properties", {})
            step = f"Write {wanted}{f' of {_list(known)}' if known else ''}."
            return _at(error, "schema.limit", "There is nothing in it.", step)
        return _at(error, "schema.limit", f"The value is outside of its limit: {wanted}.", f"Write {wanted}.")

    def wanted(self, schema: Any) -> str:
        resolved = self.resolved(schema)
        form = self.words.get(resolved.get("pattern", ""))
        tags = _tags(resolved)
        if form or tags:
            return form or f"one of {_list(tags)}"
        return " or ".join(_TYPES.get(kind, kind) for kind in _as_list(resolved.get("type")))

    def resolved(self, schema: Any) -> dict[str, Any]:
        """Follow references inside the one document."""
        seen = 0
        while isinstance(schema, dict) and str(schema.get("$ref", "")).startswith("#/$defs/") and seen < _FEW:
            schema = self.root.get("$defs", {}).get(schema["$ref"].removeprefix("#/$defs/"), {})
            seen += 1
        return schema if isinstance(schema, dict) else {}


def _at(error: SchemaError, code: str, sentence: str, next_step: str) -> Problem:
    return Problem(code=code, sentence=sentence, pointer=shown_pointer(error.absolute_path), next_step=next_step)


def _pattern_words() -> dict[str, str]:
    """Map the patterns of the contracts, as the Python engine spells them, to words."""
    words: dict[str, str] = {}
    for name, phrase in _PRIMITIVES.items():
        for constraint in getattr(base, name).__metadata__:
            pattern = getattr(constraint, "pattern", None)
            if isinstance(pattern, str):
                words[python_pattern(pattern)] = phrase
    words |= {python_pattern(pattern): phrase for pattern, phrase in _MEMBERS.items()}
    return words


def _list(items: Iterable[object]) -> str:
    shown = [_TYPES.get("boolean", "") if isinstance(item, bool) else f"`{item}`" for item in items]
    return ", ".join(shown[:_FEW]) + (f" and {len(shown) - _FEW} more" if len(shown) > _FEW else "")


def _tags(schema: dict[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _same(value: object, tag: object) -> bool:
    return type(value) is type(tag) and value == tag


def _as_list(kinds: Any) -> list[str]:
    return kinds if isinstance(kinds, list) else [] if kinds is None else [kinds]


def _fits(value: object, kinds: Any) -> bool:
    return kinds is None or _type_of(value) in _as_list(kinds)


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), "number")
