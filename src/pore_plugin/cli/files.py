"""Reading and writing: records are patient data, so what is written here is for its owner alone."""

import os
import sys
from pathlib import Path

from .exits import StopError, failed

__all__ = ["name_of", "read", "write"]


def name_of(path: Path) -> str:
    """Return the name under which problems point into a file; `-` is standard input."""
    return "<stdin>" if str(path) == "-" else os.fsencode(path).decode("utf-8", "replace")


def read(path: Path) -> bytes:
    """Return a file's bytes, or standard input for `-`. Raises `StopError`."""
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise _not_done("file.unreadable", path, error, "Check the path and its permissions.") from error


def write(path: Path, data: bytes, *, folders: bool = True) -> None:
    """Write a file that only its owner may read (0600), in folders that only their owner may open (0700).

    A folder that is there already keeps its permissions; without `folders` none is made, so that a disk that is not
    mounted is noticed. Raises `StopError`.
    """
    try:
        for folder in reversed([path.parent, *path.parent.parents]):
            if folders and not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        # Never a moment in which the data stands in a file that others may read.
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            if os.name == "posix":
                os.fchmod(file.fileno(), 0o600)
            file.write(data)
    except OSError as error:
        raise _not_done("file.unwritable", path, error, "Choose another place.") from error


def _not_done(code: str, path: Path, error: OSError, next_step: str) -> StopError:
    return failed(code, f"{name_of(path)}: {error.strerror or type(error).__name__}.", next_step)
