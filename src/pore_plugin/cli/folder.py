"""The folder that the demo fills again and again: nothing stale stays, and nothing is lost that is not the demo's."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from ..contracts import Problem
from .exits import Exit, StopError
from .files import name_of, write

__all__ = ["fill", "in_the_way"]

_LEDGER = ".pore-plugin-demo.json"
_OURS = re.compile(r"(?:(?!\.\.?/)[^/\\\x00]+/)?[a-z0-9-]+(?:\.request)?\.(?:md|json|ics)")


def fill(root: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder hold these files; the names are relative, with `/`.

    What an earlier run wrote is replaced, or removed when this run does not write it. A file of such a name that
    somebody else wrote, or changed since, is left as it is: then nothing is written and `StopError` names it.
    """
    known = _ledger(root)
    wanted = {name: _digest(data) for name, data in files.items()}
    foreign = [name for name in files if _state(root / name) not in (None, wanted[name], *known.get(name, ()))]
    if foreign:
        raise StopError(Exit.FAILED, [in_the_way(root / name) for name in foreign])
    # Both states, so that a run that is cut short leaves nothing that the next one would not know again.
    _write_ledger(
        root, {name: [*known.get(name, ()), *([wanted[name]] if name in wanted else [])] for name in {*known, *wanted}}
    )
    for name, data in files.items():
        write(root / name, data)
    for name in set(known) - set(files):
        path = root / name
        if _state(path) in known[name]:
            path.unlink()
        if path.parent != root and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()
    _write_ledger(root, {name: [digest] for name, digest in wanted.items()})


def _ledger(root: Path) -> dict[str, list[str]]:
    """Return the files of earlier runs with the digests that they had; a ledger that cannot be read knows nothing."""
    try:
        held = json.loads((root / _LEDGER).read_bytes())
        return {name: [str(one) for one in digests] for name, digests in held.items() if _OURS.fullmatch(name)}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write_ledger(root: Path, known: Mapping[str, list[str]]) -> None:
    write(root / _LEDGER, json.dumps(dict(sorted(known.items())), indent=1).encode())


def _state(path: Path) -> str | None:
    """Return the digest of what stands there, or nothing when nothing does."""
    if path.is_file():
        return _digest(path.read_bytes())
    return "no file" if path.exists() or path.is_symlink() else None


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def in_the_way(path: Path) -> Problem:
    """Return the problem of a file that somebody else wrote, or changed."""
    return Problem(
        code="demo.not_ours",
        sentence=f"{name_of(path)} is not as an earlier run left it, and is left as it is. Nothing was written.",
        next_step="Move it away, or choose another folder with --out.",
    )
