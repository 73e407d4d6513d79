"""Makes documents from the published schemas, and spoils them: what the engines are compared on."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from pore_plugin.schemas import python_pattern, schema

# Spellings of the commonest patterns, edges included; an unknown pattern is drawn from itself.
SPELLINGS = {
    r"^[A-Za-z0-9.-]{1,64}$": ["a", "A-1.b", "x" * 64],
    r"^[a-z][a-z0-9]*(\.[a-z0-9]+(-[a-z0-9]+)*)+$": ["pore.a", "acme.question.sleep-2", "a." + "b" * 94],
    r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$": ["a", "same-day", "X_1.b"],
    r"^sha256:[0-9a-f]{64}$": ["sha256:" + "0" * 64, "sha256:" + "9f" * 32],
    r"^(0|-?(0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?))$": ["0", "0.5", "-12.05", "100"],
    r"^(0|0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?)$": ["0", "0.025", "4"],
    r"^(0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?)$": ["0.1", "20", "2.5"],
    r"^[a-z]{2,3}(-[A-Z]{2})?$": ["en", "de-AT", "gsw"],
}
DATES = ["2026-03-01", "2024-02-29", "1999-12-31"]
INSTANTS = ["2026-03-01T09:30:00+01:00", "2024-02-29T00:00:00-00:30", "2026-12-31T23:59:59+14:00"]
ALIEN = [None, True, 0, -1, 7, 2**53 - 1, "", " ", "x", "\u0663", "é\n", [], {}, [[]], {"x": 1}]
WRONG_TIMES = [
    "2026-02-30",
    "2026-03-01\n",
    "2026-13-01",
    "2026-03-01T09:30:00",
    "2026-03-01T09:30:00Z",
    "2026-03-01T24:00:00+00:00",
    "2026-03-01T23:59:60+00:00",
    "2026-02-30T09:30:00+01:00",
    "2026-03-01T09:30:00.5+01:00",
]


@st.composite
def documents(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A document that the schema of this contract accepts."""
    root = schema(name)
    made: dict[str, Any] = _value(draw, root, root, 0)
    return made


@st.composite
def spoiled(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """The same document with one mutation, which may or may not be harmful."""
    document = copy.deepcopy(document)
    holder, key = draw(st.sampled_from(list(_places(document))))
    value = holder[key]
    kinds = ["delete", "replace", "grow"]
    if isinstance(value, str):
        kinds += ["newline", "case", "time", "long"]
    kind = draw(st.sampled_from(kinds))
    if kind == "delete":
        del holder[key]
    elif kind == "replace":
        holder[key] = draw(st.sampled_from(ALIEN))
    elif kind == "grow" and isinstance(holder, dict):
        holder[draw(st.sampled_from(["unknown", key + "\n", key.upper(), "", "ünbekannt"]))] = copy.deepcopy(value)
    elif kind == "grow":
        holder.append(copy.deepcopy(value))
    elif kind == "newline":
        holder[key] = value + "\n"
    elif kind == "case":
        holder[key] = value.swapcase()
    elif kind == "time":
        holder[key] = draw(st.sampled_from(WRONG_TIMES))
    else:
        holder[key] = value * 5000
    return document


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in list(entries):
        found.append((value, key))
        found += _places(below)
    return found


def _value(draw: st.DrawFn, node: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    if "$ref" in node:
        return _value(draw, root["$defs"][node["$ref"].removeprefix("#/$defs/")], root, depth)
    for union in ("oneOf", "anyOf"):
        if union in node:
            return _value(draw, draw(st.sampled_from(node[union])), root, depth)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    kind = node["type"]
    if kind == "object":
        return _object(draw, node, root, depth)
    if kind == "array":
        return _array(draw, node, root, depth)
    if kind == "boolean":
        return draw(st.booleans())
    if kind == "integer":
        return draw(st.integers(node.get("minimum", -(2**53) + 1), node.get("maximum", 2**53 - 1)))
    return _string(draw, node)


def _object(draw: st.DrawFn, node: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for pattern, below in node.get("patternProperties", {}).items():
        for key in draw(st.lists(st.sampled_from(SPELLINGS[pattern]), min_size=1, max_size=2, unique=True)):
            made[key] = _value(draw, below, root, depth + 1)
    required = node.get("required", [])
    for key, below in node.get("properties", {}).items():
        # Deep inside only what has to be there, or case files would grow without end.
        if key in required or (depth < 4 and draw(st.booleans())):
            made[key] = _value(draw, below, root, depth + 1)
    return made


def _array(draw: st.DrawFn, node: dict[str, Any], root: dict[str, Any], depth: int) -> list[Any]:
    if "prefixItems" in node:
        return [_value(draw, item, root, depth + 1) for item in node["prefixItems"]]
    least = node.get("minItems", 0)
    length = draw(st.integers(least, max(least, min(node.get("maxItems", 2), 2 if depth < 4 else 0))))
    return [_value(draw, node["items"], root, depth + 1) for _ in range(length)]


def _string(draw: st.DrawFn, node: dict[str, Any]) -> str:
    if "format" in node:
        return draw(st.sampled_from(DATES if node["format"] == "date" else INSTANTS))
    least, most = node.get("minLength", 0), node.get("maxLength", 4000)
    if "pattern" not in node:
        return draw(st.text(min_size=least, max_size=min(most, 12)))
    if node["pattern"] in SPELLINGS:
        return draw(st.sampled_from([text for text in SPELLINGS[node["pattern"]] if least <= len(text) <= most]))
    drawn: str = draw(st.from_regex(python_pattern(node["pattern"])).filter(lambda text: least <= len(text) <= most))
    return drawn
