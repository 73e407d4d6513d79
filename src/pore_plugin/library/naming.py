"""Which contract a document follows: what its `type` says, or its `$schema`."""

from __future__ import annotations

import re
from typing import Any

from ..contracts import DOCUMENTS, Problem, ProblemLocation
from ..validation.explain import nearest
from ..validation.reading import Reading

__all__ = ["contract_of", "nearest_contract", "unknown_contract"]

_URN = "urn:pore-plugin:schema:"
_WEB = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:", re.IGNORECASE | re.ASCII)
_MODELINE = re.compile(rb"^#[ \t]*yaml-language-server:[ \t]*\$schema=(\S+)", re.MULTILINE)
_HEAD = 4096


def contract_of(document: Any, head: bytes = b"") -> str | None:
    """Return the published contract that a document names, or nothing.

    Its `type` decides; else the last part of our `$schema`, or the file name of a `$schema` that is a path; else the
    same of the line `# yaml-language-server: $schema=` in `head`, the first bytes of a YAML text.
    """
    for word in _words(document).values():
        if word in DOCUMENTS:
            return word
    line = _MODELINE.search(head[:_HEAD])
    said = _schema_word(line[1].decode("utf-8", "replace")) if line else ""
    return said if said in DOCUMENTS else None


def unknown_contract(reading: Reading, file: str) -> Problem:
    """Return the problem of a document that names no published contract, with the nearest one."""
    words = _words(reading.document)
    key = next(iter(words), None)
    pointer = f"/{key}" if key else ""
    line, column = reading.locate([pointer])[pointer] if reading.locate and key else (1, 1)
    step = nearest_contract(words[key]) if key else "Give it a `$schema` or `type`, or use --contract NAME."
    return Problem(
        code="validate.unknown_contract",
        sentence=f"`{key}` names no published contract." if key else "The document does not say what it is.",
        pointer=pointer,
        next_step=step,
        location=ProblemLocation(file=file, line=line, column=column),
    )


def nearest_contract(word: str) -> str:
    """Return the next step for somebody who misspelt the name of a contract."""
    close = nearest(word, DOCUMENTS)
    return f"Did you mean `{close}`?" if close else "`pore-plugin schema` lists them."


def _words(document: Any) -> dict[str, str]:
    """Return what a document says of itself by member, the one that decides first."""
    said = document if isinstance(document, dict) else {}
    named = {key: value for key in ("type", "$schema") if isinstance(value := said.get(key), str)}
    return {key: _schema_word(value) if key == "$schema" else value for key, value in named.items()}


def _schema_word(said: str) -> str:
    """Return the contract that a `$schema` speaks of: `../schemas/product.json` means `product`."""
    if said.startswith(_URN):
        return said.rsplit(":", 1)[-1]
    if _WEB.match(said):
        return said
    return re.split(r"[/\\]", said)[-1].removesuffix(".json").removesuffix(".schema")
