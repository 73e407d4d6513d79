"""Content packages: a zip with a manifest of sha256 sums, read without unpacking it anywhere, written reproducibly."""

from __future__ import annotations

import json
import mmap
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from stat import S_IFMT, S_ISDIR, S_ISREG

from ..contracts import PackageManifest, Problem, ProblemLocation, ProblemsError
from ..contracts.limits import MAX_BYTES, MAX_PACKAGE_BYTES, MAX_PACKAGE_FILES, MAX_PACKAGE_RATIO, MAX_PROBLEMS
from ..validation import check
from ..validation.jsontext import locate
from .sources import MANIFEST, SUFFIXES, SourceFile, Sources, at_file, media_of, shown_name

__all__ = ["PACKED", "manifest_of", "package_of", "read_package", "verified_folder"]

PACKED = frozenset(suffix for suffix, media in SUFFIXES.items() if media != "toml")
"""The endings of what a package may hold."""

_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _.()+-]*(?:/[A-Za-z0-9_][A-Za-z0-9 _.()+-]*)*", re.ASCII)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_SMALL = 64 * 1024
_ALWAYS = (1980, 1, 1, 0, 0, 0)
_DAMAGED = (
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What `zipfile` raises for a file that is no sound zip."""


def read_package(path: Path) -> Sources:
    """Read a package. Its files come only when nothing is wrong with it; otherwise every problem names its entry."""
    name = shown_name(path)
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size > MAX_PACKAGE_BYTES:
                return Sources((), (_too_large(name, f"The package is larger than {MAX_PACKAGE_BYTES} bytes."),))
            if size and _entries_at_most(file.fileno()) > MAX_PACKAGE_FILES + 1:
                return Sources((), (_too_large(name, f"The package holds more than {MAX_PACKAGE_FILES} files."),))
            return _read(name, file)
    except OSError as error:
        sentence = f"{name}: {error.strerror or type(error).__name__}."
        step = "Check the path and its permissions."
        return Sources((), (Problem(code="file.unreadable", sentence=sentence, next_step=step),))


def verified_folder(prefix: str, manifest: bytes, files: Sequence[SourceFile]) -> tuple[Problem, ...]:
    """Return what is wrong with a folder that has a manifest, as an unpacked package has; `prefix` ends with `/`."""
    held = {file.path: file.data for file in files if Path(file.path).suffix.lower() in PACKED}
    return tuple(_against_manifest(prefix, manifest, held))


def manifest_of(files: Iterable[SourceFile], *, name: str, version: str) -> PackageManifest:
    """Return the manifest of a package of these files.

    Raises `ProblemsError` for a name or version that is none, for a path that no package may hold, or that two files
    have.
    """
    ordered = sorted(files, key=lambda file: file.path)
    problems = [problem for file in ordered for problem in _misnamed(file.name, file.path)]
    problems += _duplicates([(file.name, file.path) for file in ordered])
    if problems:
        raise ProblemsError(problems)
    document = {
        "$schema": "urn:pore-plugin:schema:v0:package-manifest",
        "type": "package-manifest",
        "name": name,
        "version": version,
        "files": [{"path": file.path, "sha256": file.sha256, "size": len(file.data)} for file in ordered],
    }
    return check(PackageManifest, document).model


def package_of(files: Iterable[SourceFile], manifest: PackageManifest) -> bytes:
    """Return the package of these files with their manifest: the same files give the same bytes, on every machine.

    Entries are stored without compression, whose outcome differs between versions of zlib.
    """
    held = {file.path: file.data for file in files}
    head = (json.dumps(manifest.to_document(), indent=2, ensure_ascii=False) + "\n").encode()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path, data in [(MANIFEST, head), *((file.path, held[file.path]) for file in manifest.files)]:
            info = zipfile.ZipInfo(path, _ALWAYS)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return packed.getvalue()


def _entries_at_most(descriptor: int) -> int:
    """Count what looks like an entry of the directory, before anything is made of each."""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        count = 0
        for _ in re.finditer(rb"PK\x01\x02", data):
            count += 1
            if count > MAX_PACKAGE_FILES + 1:
                break
        return count


def _read(name: str, file: object) -> Sources:
    try:
        archive = zipfile.ZipFile(file)  # type: ignore[call-overload]
    except _DAMAGED:
        step = "Get the package again; it is damaged or was cut off."
        return Sources(
            (), (at_file(name, "package.not_zip", "This is no zip file, or its directory is damaged.", step),)
        )
    with archive:
        entries = [info for info in archive.infolist() if not _is_folder(info)]
        problems = [problem for info in archive.infolist() for problem in _entry_problems(name, info)]
        problems += _duplicates([(_at(name, info), info.orig_filename) for info in entries])
        problems += _bombs(name, entries)
        if problems:
            return Sources((), tuple(problems[:MAX_PROBLEMS]))
        held: dict[str, bytes] = {}
        for info in entries:
            data = _unpacked(archive, info)
            if data is None:
                sentence = "The entry does not unpack to what the directory of the package says of it."
                problems.append(at_file(_at(name, info), "package.damaged", sentence, "Get the package again."))
            else:
                held[info.filename] = data
    if problems:
        return Sources((), tuple(problems[:MAX_PROBLEMS]))
    manifest = held.pop(MANIFEST, None)
    if manifest is None:
        sentence = f"The package has no {MANIFEST} at its top."
        step = "Make it with `pore-plugin package`, which writes one."
        return Sources((), (at_file(name, "package.no_manifest", sentence, step),))
    problems = _against_manifest(f"{name}!", manifest, held)
    files = tuple(
        SourceFile(f"{name}!{path}", data, media_of(path), path, package=name) for path, data in sorted(held.items())
    )
    return Sources(() if problems else files, tuple(problems))


def _entry_problems(name: str, info: zipfile.ZipInfo) -> list[Problem]:
    at, path = _at(name, info), info.orig_filename
    kind = S_IFMT(info.external_attr >> 16)
    if _is_folder(info):
        path = path.rstrip("/")
        return [] if _PATH.fullmatch(path) and (not kind or S_ISDIR(kind)) else _misnamed(at, path)
    found = _misnamed(at, path)
    if kind and not S_ISREG(kind):
        sentence = "The entry is a symbolic link, or no file at all."
        found.append(at_file(at, "package.symlink", sentence, "Pack the file itself."))
    if info.flag_bits & _ENCRYPTED:
        found.append(at_file(at, "package.encrypted", "The entry is encrypted.", "Pack it without a password."))
    if info.compress_type not in _METHODS:
        sentence = "The entry is packed by a method other than deflate."
        found.append(at_file(at, "package.method", sentence, "Make the package with `pore-plugin package`."))
    return found


def _misnamed(at: str, path: str) -> list[Problem]:
    """Say what is wrong with a path as the name of a file in a package."""
    if not _PATH.fullmatch(path):
        parts = path.replace("\\", "/").split("/")
        if ".." in parts or path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", path):
            sentence = "The path is absolute or leads out of the package."
            return [at_file(at, "package.path_escapes", sentence, "Do not trust this package; ask who made it.")]
        sentence = "The path has a part that is hidden or empty, or a character that not every system can write."
        step = "Name it with letters, digits, spaces and - _ . ( ) + only."
        return [at_file(at, "package.path", sentence, step)]
    if path != MANIFEST and Path(path).suffix.lower() not in PACKED:
        step = "Pack JSON and YAML documents only."
        return [at_file(at, "package.foreign_file", "A package holds JSON and YAML documents only.", step)]
    return []


def _duplicates(names: Iterable[tuple[str, str]]) -> list[Problem]:
    """Say which paths stand twice, also where only capitals or the composition of accents tell them apart."""
    seen: set[str] = set()
    found: list[Problem] = []
    for at, path in names:
        folded = unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()
        if folded in seen:
            sentence = "Another file of the package has this name too."
            found.append(at_file(at, "package.duplicate_path", sentence, "Keep one of them, or rename it."))
        seen.add(folded)
    return found


def _bombs(name: str, entries: Sequence[zipfile.ZipInfo]) -> list[Problem]:
    """Refuse by what the directory says, before anything is unpacked; unpacking never exceeds what it says."""
    found: list[Problem] = []
    if len(entries) > MAX_PACKAGE_FILES + 1:
        found.append(_too_large(name, f"The package holds more than {MAX_PACKAGE_FILES} files."))
    if sum(info.file_size for info in entries) > MAX_PACKAGE_BYTES:
        found.append(_too_large(name, f"The package unpacks to more than {MAX_PACKAGE_BYTES} bytes."))
    for info in entries:
        if info.file_size > MAX_BYTES:
            found.append(_too_large(_at(name, info), f"The entry is larger than {MAX_BYTES} bytes."))
        elif info.file_size > max(_SMALL, info.compress_size * MAX_PACKAGE_RATIO):
            sentence = f"The entry unpacks to more than {MAX_PACKAGE_RATIO} times its size, as no document does."
            found.append(at_file(_at(name, info), "package.bomb", sentence, "Do not trust this package."))
    return found


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    """Return the bytes of an entry, or nothing when they are not what the directory says; never more than it says."""
    try:
        with archive.open(info) as entry:
            data = entry.read(info.file_size + 1)
    except _DAMAGED:
        return None
    return data if len(data) == info.file_size else None


def _against_manifest(prefix: str, manifest: bytes, held: dict[str, bytes]) -> list[Problem]:
    """Compare the files of a package with what its manifest says of them, in both directions."""
    at = prefix + MANIFEST
    try:
        listed = check(PackageManifest, manifest, file=at).model.files
    except ProblemsError as error:
        return list(error.problems)
    found: list[Problem] = []
    missing: dict[str, str] = {}
    for index, file in enumerate(listed):
        data = held.get(file.path)
        if data is None:
            missing[f"/files/{index}/path"] = file.path
        elif len(data) != file.size or sha256(data).hexdigest() != file.sha256:
            sentence = "The file is not the one that the manifest lists: its sha256 or its size differs."
            step = "Get the package again, or make it anew with `pore-plugin package` if the change is meant."
            found.append(at_file(prefix + file.path, "package.sha256", sentence, step))
    for pointer, (line, column) in locate(manifest, missing).items():
        found.append(
            Problem(
                code="package.missing_file",
                sentence=f"The manifest lists {missing[pointer]}, which is not there.",
                pointer=pointer,
                next_step="Get the whole package again.",
                location=ProblemLocation(file=at, line=line, column=column),
            )
        )
    for path in sorted(held.keys() - {file.path for file in listed}):
        sentence = "The file is not listed in the manifest."
        step = "Take it out, or make the package anew with `pore-plugin package`."
        found.append(at_file(prefix + path, "package.unlisted_file", sentence, step))
    return found[:MAX_PROBLEMS]


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.orig_filename.endswith("/") and not info.file_size


def _at(name: str, info: zipfile.ZipInfo) -> str:
    return f"{name}!{shown_name(info.orig_filename[:200])}"


def _too_large(name: str, sentence: str) -> Problem:
    return at_file(name, "package.too_large", sentence, "Split it into several packages.")
