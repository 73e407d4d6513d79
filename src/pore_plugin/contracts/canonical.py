"""One document, one spelling, one digest: RFC 8785 canonical JSON and its sha256."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .limits import MAX_INTEGER, MAX_NODES

if TYPE_CHECKING:
    from .base import Model

__all__ = ["canonical", "checked_canonical", "checked_digest", "composed_version", "digest", "record_digest"]

_OUTSIDE_DIGEST = frozenset({"digest", "status"})
_LEAF = frozenset({bool, type(None)})
_PLAIN = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)
# Whatever a record may hold that one writer could spell otherwise than another: every ASCII character in a text and
# in a key, characters of two to four bytes, those that scripts of web pages escape, and the ends of the integers.
_ASCII = "".join(map(chr, range(128)))
_PROBE: dict[str, Any] = {
    "texts": ["", _ASCII, "0.50", "1e5", "\u0080é\u2028\u2029\ud7ff\ue000\ufeff\uffff\U0001f600\U0010ffff"],
    "integers": [0, -1, 10, MAX_INTEGER, -MAX_INTEGER],
    "others": [True, False, None, [], {}, [[]], {"b": {}, "a": []}],
    "keys": dict.fromkeys(["", *_ASCII, _ASCII, "a10", "a9", "A", "aa", "schema_", "$schema"], 1),
}


def canonical(document: Any) -> bytes:
    """Return the RFC 8785 form of a plain JSON value (dict, list, tuple, str, int, bool, None, finite float).

    Raises `ValueError` for what has no canonical form: a lone surrogate, NaN or infinity, an integer beyond
    2^53 - 1, a key that is not a string, a cycle, a value of another type. The message holds no value.
    """
    try:
        if _same_in_both(document):
            return _PLAIN.encode(document).encode()
        return _by_the_book(document)
    except UnicodeEncodeError:
        raise ValueError("the document holds a lone surrogate, which UTF-8 cannot write") from None
    except RecursionError:
        raise ValueError("the document is nested too deeply or holds itself") from None


def digest(document: Mapping[str, Any]) -> str:
    """Return `sha256:<64 hex>` of the canonical document without its top-level `digest` and `status`.

    Raises `ValueError` as `canonical` does.
    """
    body = {key: value for key, value in document.items() if key not in _OUTSIDE_DIGEST}
    return "sha256:" + sha256(canonical(body)).hexdigest()


def record_digest(record: "Model") -> str:
    """Return the `digest` of a contract model's document, sooner.

    No contract has a float, an unbounded integer or a key that is not ASCII (a test reads that off the schemas), so
    what `digest` has to look for in a document of unknown origin cannot be in a model. Raises `ValueError` for a
    model that was built without checks and cannot be written.
    """
    return checked_digest(record.to_document())


def checked_digest(document: Mapping[str, Any]) -> str:
    """Return the `digest` of a document that passed the check of its contract, sooner: see `record_digest`.

    Raises `ValueError` for what no contract lets pass.
    """
    body = {key: value for key, value in document.items() if key not in _OUTSIDE_DIGEST}
    return "sha256:" + sha256(checked_canonical(body)).hexdigest()


def checked_canonical(document: Mapping[str, Any]) -> bytes:
    """Return the `canonical` form of a document that passed the check of its contract, sooner: see `record_digest`.

    Raises `ValueError` for what no contract lets pass.
    """
    try:
        return (_fast_writer() or _PLAIN.encode)(document).encode()
    except ValueError:
        raise ValueError("the record was built without checks and cannot be written") from None


@cache
def _fast_writer() -> Callable[[Any], str] | None:
    """Return the writer of the fast schema engine, where there is one: for these documents it writes as `json` does.

    It sorts keys by their bytes and would spell a float its own way; ASCII keys sort alike in bytes and in UTF-16,
    and floats there are none. A version of it that writes `_PROBE` in any other way is not taken, since no upgrade
    may change a digest.
    """
    try:
        from jsonschema_rs.canonical.json import to_string

        return to_string if to_string(_PROBE) == _PLAIN.encode(_PROBE) else None
    except Exception:
        # Whatever a writer raises over the probe, `json` writes what it cannot.
        return None


def composed_version(base_version: str, digest: str) -> str:
    """Return the version of a composed document: `1.2.0` and `sha256:0123456789ab…` give `1.2.0+0123456789ab`."""
    return f"{base_version}+{digest.removeprefix('sha256:')[:12]}"


def _same_in_both(document: Any) -> bool:
    """Say whether `json.dumps` is known to give the canonical bytes.

    It does for ASCII keys (then code point order is UTF-16 order) and values without floats; the property
    test keeps this true. Everything else is left to rfc8785.
    """
    pending = [document]
    visited = 0
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind is str or kind in _LEAF:
            continue
        if kind is int:
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                return False
        elif isinstance(value, dict):
            for key in value:
                if type(key) is not str or not key.isascii():
                    return False
            pending += value.values()
        elif kind is list or kind is tuple:
            pending += value
        else:
            return False
        visited += 1
        if visited > MAX_NODES:
            raise ValueError("the document is too large or holds itself")
    return True


def _by_the_book(document: Any) -> bytes:
    # Imported here: a third of the import time of this package would go to a path that hardly any document takes.
    import rfc8785

    try:
        return rfc8785.dumps(document)
    except UnicodeEncodeError:
        raise
    except (rfc8785.CanonicalizationError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"the document has no canonical JSON form ({type(error).__name__})") from None
