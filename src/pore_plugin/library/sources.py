"""From paths to the bytes of documents: files, folders and packages, each read once and within limits.

Nothing is ever unpacked to disk, no symbolic link inside of a folder is followed, and a file beyond the limit is not
read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG

from ..contracts import Problem, ProblemLocation
from ..contracts.limits import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_PACKAGE_BYTES,
    MAX_PACKAGE_FILES,
    MAX_TOML_BYTES,
    MAX_YAML_BYTES,
)
from ..validation.reading import Media

__all__ = ["MANIFEST", "SUFFIXES", "SourceFile", "Sources", "at_file", "media_of", "read_sources", "shown_name"]

MANIFEST = "pore-package.json"
"""The name of the manifest at the top of a package."""

SUFFIXES: dict[str, Media] = {".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}
"""The endings that a folder is searched for, and what they say of a file."""

_LIMITS: dict[Media, int] = {"json": MAX_BYTES, "toml": MAX_TOML_BYTES, "yaml": MAX_YAML_BYTES}
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class SourceFile:
    """One file as it was read. `name` is the one that problems show, `path` the one inside its folder or package."""

    name: str
    data: bytes
    media: Media
    path: str
    package: str | None = None
    """The name of the package that it came in."""

    @cached_property
    def sha256(self) -> str:
        """The sha256 of the bytes, in hex."""
        return sha256(self.data).hexdigest()

    def __repr__(self) -> str:
        return f"SourceFile({self.media})"


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read, in the order of the paths and by name inside of each, and what could not be."""

    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def unreadable(self) -> bool:
        """Whether the system refused a file: nothing is known of what is in it."""
        return any(problem.code == "file.unreadable" for problem in self.problems)


def read_sources(
    paths: Iterable[Path], *, media: frozenset[Media] = frozenset({"json", "toml", "yaml"}), verify: bool = True
) -> Sources:
    """Read every file, of every folder the files with known endings, and of every `.zip` all that its manifest lists.

    Hidden files and folders, and files of other kinds, are passed over in a folder; a symbolic link in it is refused.
    A path that is named may be a link. `media` are the kinds that a folder is searched for. A folder with a manifest is
    held to it where `verify` is true. Everything that is wrong is in the result; nothing is raised.
    """
    reader = _Reader(media, verify)
    for path in paths:
        reader.named(path)
    return Sources(tuple(reader.files), tuple(reader.problems))


def media_of(name: str) -> Media:
    """Return what a file of this name is written in; JSON where the ending says nothing."""
    return SUFFIXES.get(os.path.splitext(name)[1].lower(), "json")


def shown_name(path: str | Path) -> str:
    """Return a path as problems show it: what is no text, or would steer a terminal, as a question mark."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "?" for char in text)


def at_file(name: str, code: str, sentence: str, next_step: str, pointer: str = "") -> Problem:
    """Return the problem of a file as a whole."""
    where = ProblemLocation(file=name, line=1, column=1)
    return Problem(code=code, sentence=sentence, next_step=next_step, pointer=pointer, location=where)


class _Reader:
    def __init__(self, media: frozenset[Media], verify: bool) -> None:
        self.media = media
        self.verify = verify
        self.files: list[SourceFile] = []
        self.problems: list[Problem] = []
        self.left = MAX_PACKAGE_BYTES
        self.full = False

    def named(self, path: Path) -> None:
        if path.is_dir():
            self.folder(path)
        elif path.suffix.lower() == ".zip":
            self.package(path)
        else:
            self.file(str(path), path.name, follow=True)

    def folder(self, path: Path) -> None:
        before = len(self.files)
        top = str(path)
        for full, relative in self.walk(top, ""):
            if relative != MANIFEST:
                self.file(full, relative, follow=False)
        manifest = MANIFEST if top == os.curdir else os.path.join(top, MANIFEST)
        if self.verify and os.path.isfile(manifest) and not os.path.islink(manifest):
            # Imported here, as below: most runs read no package.
            from .packages import verified_folder

            data = self.read(manifest, "json", follow=False)
            if data is not None:
                self.problems += verified_folder(shown_name(manifest).removesuffix(MANIFEST), data, self.files[before:])

    def package(self, path: Path) -> None:
        from .packages import read_package

        read = read_package(path)
        self.problems += read.problems
        for file in read.files:
            if self.takes(file.name, len(file.data)):
                self.files.append(file)

    def walk(self, folder: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield full and relative name of each file with a known ending, sorted, folders among the files."""
        if prefix.count("/") > MAX_DEPTH:
            sentence = f"Folders stand inside each other deeper than {MAX_DEPTH} levels."
            self.problems.append(at_file(shown_name(folder), "source.too_deep", sentence, "Name the folder itself."))
            return
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            self.unreadable(folder, error)
            return
        for entry in found:
            full = entry.name if folder == os.curdir else entry.path
            known = SUFFIXES.get(os.path.splitext(entry.name)[1].lower()) in self.media
            if entry.is_symlink():
                if known or entry.is_dir():
                    self.problems.append(_symlink(shown_name(full)))
            elif entry.is_dir(follow_symlinks=False):
                yield from self.walk(full, f"{prefix}{entry.name}/")
            elif known and entry.is_file(follow_symlinks=False):
                yield full, prefix + entry.name

    def file(self, full: str, relative: str, *, follow: bool) -> None:
        media = media_of(relative)
        data = self.read(full, media, follow=follow)
        if data is not None:
            self.files.append(SourceFile(shown_name(full), data, media, relative))

    def read(self, full: str, media: Media, *, follow: bool) -> bytes | None:
        """Return the bytes of a file, or note why not."""
        limit = _LIMITS[media]
        try:
            with open(os.open(full, os.O_RDONLY | (0 if follow else _NO_FOLLOW)), "rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                if S_ISREG(status.st_mode) and status.st_size > limit:
                    self.problems.append(_too_large(shown_name(full), limit))
                    return None
                data = _up_to(file.fileno(), limit + 1)
        except (OSError, ValueError) as error:
            self.unreadable(full, error)
            return None
        if len(data) > limit:
            self.problems.append(_too_large(shown_name(full), limit))
            return None
        return data if self.takes(shown_name(full), len(data)) else None

    def takes(self, name: str, size: int) -> bool:
        """Count a file against the limits of one run; the first one beyond them is named."""
        self.left -= size
        if not self.full and (self.left < 0 or len(self.files) >= MAX_PACKAGE_FILES):
            self.full = True
            sentence = f"There are more than {MAX_PACKAGE_FILES} files or {MAX_PACKAGE_BYTES} bytes to read in one go."
            self.problems.append(at_file(name, "source.too_many", sentence, "Name fewer files or folders."))
        return not self.full

    def unreadable(self, full: str, error: Exception) -> None:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        sentence = f"{shown_name(full)}: {reason}."
        step = "Check the path and its permissions."
        self.problems.append(Problem(code="file.unreadable", sentence=sentence, next_step=step))


def _up_to(descriptor: int, limit: int) -> bytes:
    """Return what can be read, and no more than `limit`: a pipe or a device has no size and need not end."""
    chunks: list[bytes] = []
    while limit > 0:
        chunk = os.read(descriptor, min(limit, 1 << 20))
        if not chunk:
            break
        chunks.append(chunk)
        limit -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _symlink(name: str) -> Problem:
    sentence = "This is a symbolic link, which is not followed: it could lead anywhere."
    return at_file(name, "source.symlink", sentence, "Put the file itself there, or name it on the command line.")


def _too_large(name: str, limit: int) -> Problem:
    sentence = f"The file is larger than {limit} bytes and was not read."
    return at_file(name, "source.too_large", sentence, "Split it, or leave out what the contract does not ask for.")
