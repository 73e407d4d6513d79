"""Files that hold records: made private, and refused where they are not."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from .faults import fault, refuse, said

__all__ = [
    "SIDE_FILES",
    "check_plain",
    "check_private",
    "check_whole",
    "check_writable",
    "is_absent",
    "make_folder",
    "make_private",
    "sync_folder",
]

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database file; it gives them the mode of that file."""

_WIDE = 0o077
_HEADER = 100
_MAGIC = b"SQLite format 3\x00"


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, with those above it; one that is there stays as it is."""
    if folder.is_dir():
        return
    try:
        for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise fault(error) from None


def make_private(path: Path) -> bool:
    """Make an empty file that only its owner can read, and return whether it was made; one that is there stays."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        raise fault(error) from None
    return True


def check_plain(paths: Iterable[Path]) -> None:
    """Raise `ProblemsError` where a path leads to a link or to anything but a file; there may be nothing."""
    for path in paths:
        found = _seen(path)
        if found is None:
            continue
        if stat.S_ISLNK(found.st_mode):
            refuse(
                "storage.link",
                f"{path} is a symbolic link, and could lead to another file at any time.",
                "Name the file that it leads to.",
            )
        if not stat.S_ISREG(found.st_mode):
            refuse("storage.not_a_file", f"{path} is no plain file.", "Name a file, or one that does not exist yet.")


def check_private(paths: Iterable[Path]) -> None:
    """Raise `ProblemsError` where others can open a file; for files of which it is known that they are ours."""
    wide = [
        shlex.quote(str(path))
        for path in paths
        if (found := _seen(path)) and os.name == "posix" and found.st_mode & _WIDE
    ]
    if wide:
        refuse(
            "storage.permissions_too_wide",
            "Other users of this machine can open the records: the mode of the file is wider than 0600.",
            f"Find out who could read it, then: chmod 600 {' '.join(wide)}",
        )


def is_absent(path: Path) -> bool:
    """Return whether there is nothing at all at a path. Raises `ProblemsError` where that cannot be seen."""
    return _seen(path) is None


def _seen(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise fault(error) from None


def check_writable(path: Path) -> None:
    """Raise `ProblemsError` (`storage.read_only`) where a database file or its folder cannot be written to.

    Before SQLite tries: beside a file that it can only read it would leave others of that kind.
    """
    effective = os.access in os.supports_effective_ids
    if not all(os.access(one, os.W_OK, effective_ids=effective) for one in (path, path.parent)):
        raise said("storage.read_only")


def check_whole(path: Path) -> None:
    """Raise `ProblemsError` where a SQLite file is shorter than it says, or is no SQLite file.

    While there is a write-ahead log the file may be behind it, and SQLite decides.
    """
    try:
        size = path.stat().st_size
        log = path.with_name(path.name + "-wal")
        if size == 0 or (log.exists() and log.stat().st_size):
            return
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise fault(error) from None
    if not header.startswith(_MAGIC[: len(header)]):
        refuse(
            "storage.not_a_database",
            f"{path} is no SQLite database.",
            "Check the path; if it is the right one, move the file away and restore a backup.",
        )
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    # https://sqlite.org/fileformat.html: the value 1 stands for 65536; the count holds where both counters agree.
    holds = header[24:28] == header[92:96]
    if len(header) < _HEADER or (holds and pages * (65536 if page == 1 else page) > size):
        refuse(
            "storage.corrupt",
            f"{path} is damaged: it is shorter than its own header says.",
            "Keep the file as it is and restore the last backup into a new one: pore-plugin restore.",
        )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
