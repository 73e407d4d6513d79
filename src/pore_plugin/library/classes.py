"""What a change means for whoever works by a document, and the version step that it asks for.

Wording asks for a patch, something additive for a minor, something breaking for a major version, below 1.0.0 as well: a
clinic reads from the number whether it has to look. What the table does not know is breaking. No program can tell what
other words mean, so a prescriber still reads them; other figures or placeholders in them are never mere wording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

from ..contracts import DOCUMENTS, Bump, ChangeClass, FieldChange, Model, Problem, RatedChange
from .class_table import TABLE, Weight
from .places import split

__all__ = ["bump_problem", "class_of", "least_version", "needed_bump", "number_of", "rated"]

_CLASSES: tuple[ChangeClass, ...] = ("wording", "additive", "breaking")
_BUMPS: tuple[Bump, ...] = ("none", "patch", "minor", "major")
_BUMP_OF: dict[ChangeClass, Bump] = {"wording": "patch", "additive": "minor", "breaking": "major"}
_TOLD = re.compile(r"[0-9]+(?:[.,][0-9]+)*|\{[a-z_]+\}")
"""Figures and placeholders in a text."""


class _Member(NamedTuple):
    """A member of one model, and how far below it a change lies: 0 = itself, 1 = an item or a locale, and so on."""

    weight: Weight
    annotation: Any
    default: Any
    below: int


def rated(document_type: str, changes: Iterable[FieldChange]) -> tuple[RatedChange, ...]:
    """Return the changes of a document of this type, each with its class."""
    return tuple(
        RatedChange.model_validate({**change.to_document(), "change_class": class_of(document_type, change)})
        for change in changes
    )


def class_of(document_type: str, change: FieldChange) -> ChangeClass:
    """Return the class of one change; breaking for a type, a member or a place that nothing is known of."""
    model = DOCUMENTS.get(document_type)
    members = list(_members((model,), split(change.place))) if model is not None else []
    classes = [_class(member, change) for member in members]
    return max(classes, key=_CLASSES.index, default="breaking")


def needed_bump(changes: Iterable[RatedChange]) -> Bump:
    """Return the least version step that all the changes together ask for."""
    return max((_BUMP_OF[change.change_class] for change in changes), key=_BUMPS.index, default="none")


def bump_problem(old_version: str, new_version: str, needed: Bump) -> Problem | None:
    """Return why a version may not follow another after such changes, naming the least that may, or `None`.

    A greater step than needed is allowed.
    """
    old, new = number_of(old_version), number_of(new_version)
    least = least_version(old_version, needed)
    if new < old:
        sentence = f"The version goes backwards, from {old_version} to {new_version}."
        code = "import.version_backwards"
    elif needed == "none" or new >= _least(old, needed):
        return None
    else:
        code = "import.version_bump"
        sentence = f"From {old_version} to {new_version} is too small a step: the changes ask for a {needed} version."
    return Problem(
        code=code,
        sentence=sentence,
        pointer="/version",
        next_step=f"Give the document the version {least} or a higher one.",
    )


def least_version(old_version: str, needed: Bump) -> str:
    """Return the least version that may follow after such changes."""
    return ".".join(map(str, _least(number_of(old_version), needed)))


def number_of(version: str) -> tuple[int, int, int]:
    """Return a version as numbers, which compare, without the suffix of a composed form."""
    major, minor, patch = map(int, version.partition("+")[0].split("."))
    return major, minor, patch


def _least(old: tuple[int, int, int], needed: Bump) -> tuple[int, int, int]:
    major, minor, patch = old
    return {
        "none": old,
        "patch": (major, minor, patch + 1),
        "minor": (major, minor + 1, 0),
        "major": (major + 1, 0, 0),
    }[needed]


def _members(models: Sequence[type[Model]], names: list[str]) -> Iterator[_Member]:
    """Yield the member that a place leads to, once for each model that could stand there; none for an unknown place."""
    for model in models:
        known = _fields(model).get(names[0])
        if known is None:
            continue
        weight, annotation, default = known
        inside, skipped = _inside(annotation)
        if weight == "free" or not inside or len(names) - 1 <= skipped:
            yield _Member(weight, annotation, default, len(names) - 1)
        else:
            yield from _members(inside, names[1 + skipped :])


@cache
def _fields(model: type[Model]) -> dict[str, tuple[Weight, Any, Any]]:
    """Return weight, type and default (as in a document) of every member that the table knows."""
    weights = TABLE.get(model.__name__, {})
    found: dict[str, tuple[Weight, Any, Any]] = {}
    for name, field in model.model_fields.items():
        member = field.alias or name
        if member in weights:
            default = None if field.is_required() else field.get_default(call_default_factory=False)
            found[member] = weights[member], field.annotation, [] if default == () else default
    return found


def _inside(annotation: Any) -> tuple[tuple[type[Model], ...], int]:
    """Return the models inside of a type, and how many names (of an item) stand between."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return (annotation,), 0
    found = [_inside(argument) for argument in get_args(annotation)]
    models = tuple(dict.fromkeys(model for inside, _ in found for model in inside))
    step = 1 if get_origin(annotation) is tuple else 0
    return models, step + max((skipped for inside, skipped in found if inside), default=0)


def _class(member: _Member, change: FieldChange) -> ChangeClass:
    weight, kind = member.weight, change.change
    if weight == "free":
        return "wording"
    if kind == "moved":
        return "breaking" if weight in ("sequence", "meaning") else "wording"
    value = json.loads(change.now if change.now is not None else change.was or "null")
    if kind != "changed" and member.below == 0 and member.default is not None and _same(value, member.default):
        # The default, spelled out or left out: both say the same.
        return "wording"
    if weight == "source":
        return "breaking" if kind == "removed" else "wording"
    if kind == "removed":
        return "breaking"
    if kind == "added" and _is_locale(member):
        return "wording"
    if kind == "added" and weight == "text":
        return "additive"
    if kind == "added" and weight in ("optional", "duties", "sequence"):
        return "breaking" if weight != "optional" and _demands(value, member) else "additive"
    if kind == "changed" and weight in ("text", "optional") and _is_locale(member):
        return _class_of_words(change)
    return "breaking"


def _class_of_words(change: FieldChange) -> ChangeClass:
    was, now = json.loads(change.was or "null"), json.loads(change.now or "null")
    if not isinstance(was, str) or not isinstance(now, str):
        return "breaking"
    return "wording" if sorted(_TOLD.findall(was)) == sorted(_TOLD.findall(now)) else "breaking"


def _is_locale(member: _Member) -> bool:
    """Say whether a change lies at one locale of a text, or of one of several texts."""
    depth = _depth_of_text(member.annotation)
    return depth is not None and member.below == depth + 1


def _depth_of_text(annotation: Any) -> int | None:
    """Return how many names stand before the locales of a text; `None` for what is no text."""
    if get_origin(annotation) is dict:
        return 0
    depths = [depth for depth in map(_depth_of_text, get_args(annotation)) if depth is not None]
    return min(depths) + (get_origin(annotation) is tuple) if depths else None


def _demands(value: Any, member: _Member) -> bool:
    """Say whether something that was added has to be done: it, or anything inside of it, is required."""
    models, _ = _inside(member.annotation)
    for item in value if isinstance(value, list) else [value]:
        fields = next((_fields(model) for model in models if "required" in model.model_fields), {})
        if isinstance(item, dict) and item.get("required", fields["required"][2] if fields else False):
            return True
    return _holds_required(value)


def _holds_required(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("required") is True or any(map(_holds_required, value.values()))
    return isinstance(value, list) and any(map(_holds_required, value))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other
