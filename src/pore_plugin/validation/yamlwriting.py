"""Writes plain JSON values as YAML that readers of YAML 1.1 and 1.2 read alike; the same value, the same bytes."""

import json
import re
from collections.abc import Iterator
from typing import Any

__all__ = ["write_yaml"]

# Words that no reader takes for anything but text, and that are easier on the eye without quotes.
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ./()%'_-]*[A-Za-z0-9.)%])?", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
# Allowed in JSON text as they are, but not in YAML text.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff-\ufeff\ufffe\uffff]")


def write_yaml(value: Any) -> bytes:
    """Return a plain JSON value (dict, list, str, int, bool, None) as block YAML in UTF-8, members in their order.

    Text is in double quotes wherever another reader could take it for something else.
    """
    return ("\n".join(_lines(value, "")) + "\n").encode()


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _entry(f"{indent}{_text(name)}:", item, indent + "  ")
    elif isinstance(value, (list, tuple)) and value:
        for item in value:
            below = list(_lines(item, indent + "  "))
            yield f"{indent}- {below[0].lstrip(' ')}"
            yield from below[1:]
    else:
        yield indent + _leaf(value)


def _entry(head: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, (dict, list, tuple)) and item:
        yield head
        yield from _lines(item, indent)
    else:
        yield f"{head} {_leaf(item)}"


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (dict, list, tuple)):
        return "{}" if isinstance(value, dict) else "[]"
    return json.dumps(value)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    written = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", written)
