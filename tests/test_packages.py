"""Packages are read without trust: what is wrong is named by its entry, and nothing is taken then."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from library_files import listing, packed, source, template, written
from pore_plugin.contracts import ProblemsError
from pore_plugin.contracts.limits import MAX_BYTES
from pore_plugin.library import packages
from pore_plugin.library.packages import manifest_of, package_of, read_package
from pore_plugin.library.sources import MANIFEST, SourceFile, Sources

FILES = {"a.json": b"{}", "templates/b.yaml": b"x: 1\n"}


def read(folder: Path, data: bytes) -> Sources:
    path = folder / "p.zip"
    path.write_bytes(data)
    return read_package(path)


def codes(folder: Path, data: bytes) -> list[tuple[str, str]]:
    """Return the entry and the code of everything that is wrong; then there are no files."""
    found = read(folder, data)
    assert not (found.files and found.problems)
    return [(p.location.file.rpartition("p.zip")[2] if p.location else "", p.code) for p in found.problems]


def entry(path: str, data: bytes = b"{}", *, attributes: int = 0, flags: int = 0) -> bytes:
    """Return a package with one more entry that the manifest lists, of another kind."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(MANIFEST, listing({}, files=[]))
        info = zipfile.ZipInfo("placeholder" if path != "placeholder" else path)
        info.filename = path
        info.create_system = 3
        info.external_attr = attributes << 16
        archive.writestr(info, data)
    raw = out.getvalue()
    if flags:
        place = raw.rindex(b"PK\x01\x02") + 8
        raw = raw[:place] + struct.pack("<H", flags) + raw[place + 2 :]
    return raw


def test_a_sound_package_gives_its_files_by_path(tmp_path: Path) -> None:
    found = read(tmp_path, packed(FILES))
    assert found.problems == ()
    assert [(file.path, file.data, file.media) for file in found.files] == [
        ("a.json", b"{}", "json"),
        ("templates/b.yaml", b"x: 1\n", "yaml"),
    ]
    assert found.files[0].name == f"{tmp_path / 'p.zip'}!a.json"
    assert found.files[0].package == str(tmp_path / "p.zip")


@pytest.mark.parametrize(
    "path",
    ["../a.json", "a/../../b.json", "/etc/a.json", "..\\a.json", "C:\\a.json", "c:a.json", "\\\\host\\a.json"],
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    ((at, code),) = codes(tmp_path, entry(path))
    assert (at, code) == (f"!{path}", "package.path_escapes")
    assert not (tmp_path.parent / "a.json").exists()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (".hidden.json", "package.path"),
        ("a/.git/b.json", "package.path"),
        ("./a.json", "package.path"),
        ("a//b.json", "package.path"),
        ("ä.json", "package.path"),
        ("a\x1b[0m.json", "package.path"),
        ("a\nb.json", "package.path"),
        ("readme.txt", "package.foreign_file"),
        ("clinic.toml", "package.foreign_file"),
        ("inner.zip", "package.foreign_file"),
        ("run", "package.foreign_file"),
    ],
)
def test_a_path_that_no_package_has_is_refused(tmp_path: Path, path: str, code: str) -> None:
    ((at, found),) = codes(tmp_path, entry(path))
    assert found == code
    assert at.isprintable()


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    assert codes(tmp_path, entry("a.json", b"/etc/passwd", attributes=0o120777)) == [("!a.json", "package.symlink")]
    assert codes(tmp_path, entry("a.json", attributes=0o020666)) == [("!a.json", "package.symlink")]
    assert codes(tmp_path, entry("a/", b"", attributes=0o120777)) != []


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    assert codes(tmp_path, entry("a.json", flags=0x1)) == [("!a.json", "package.encrypted")]


def test_another_method_is_refused(tmp_path: Path) -> None:
    assert ("!a.json", "package.method") in codes(tmp_path, packed(FILES, method=zipfile.ZIP_LZMA))


def test_a_file_that_stands_twice_is_refused_also_in_other_capitals(tmp_path: Path) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(MANIFEST, listing(FILES))
        for path in ("a.json", "A.JSON"):
            archive.writestr(path, b"{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.json", b"{}")
    assert codes(tmp_path, out.getvalue()) == [
        ("!A.JSON", "package.duplicate_path"),
        ("!a.json", "package.duplicate_path"),
    ]


def test_a_zip_bomb_is_refused_by_what_it_says(tmp_path: Path) -> None:
    bomb = {"a.json": b" " * (MAX_BYTES - 1)}
    assert codes(tmp_path, packed(bomb)) == [("!a.json", "package.bomb")]
    assert codes(tmp_path, packed({"a.json": b" " * (MAX_BYTES + 1)})) == [("!a.json", "package.too_large")]


def test_a_zip_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path: Path) -> None:
    real = b" " * 50_000_000
    small = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = small.compress(real) + small.flush()
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(MANIFEST, listing({"a.json": real[:100]}))
        archive.writestr("a.json", body)
    raw = out.getvalue()
    # Both headers say: deflated, 100 bytes unpacked.
    for mark, method_at, size_at in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        place = raw.rindex(mark)
        raw = raw[: place + method_at] + struct.pack("<H", 8) + raw[place + method_at + 2 :]
        raw = raw[: place + size_at] + struct.pack("<I", 100) + raw[place + size_at + 4 :]
    assert codes(tmp_path, raw) == [("!a.json", "package.damaged")]


def test_too_many_entries_are_counted_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(packed({"a.json": b"1", "b.json": b"2"}))
    monkeypatch.setattr(packages, "MAX_PACKAGE_FILES", 1)
    monkeypatch.setattr(packages.zipfile, "ZipFile", lambda *_: pytest.fail("the directory was read"))
    assert [problem.code for problem in read_package(path).problems] == ["package.too_large"]


def test_a_package_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MAX_PACKAGE_BYTES", 1000)
    data = packed({f"{name}.json": bytes(range(32, 127)) * 6 for name in "ab"})
    assert codes(tmp_path, data) == [("", "package.too_large")]


def test_the_manifest_is_asked_for(tmp_path: Path) -> None:
    assert codes(tmp_path, packed(FILES, manifest=b"")) == [("", "package.no_manifest")]
    assert codes(tmp_path, packed(FILES, manifest=b"{")) == [("!pore-package.json", "json.truncated")]
    deep = packed({**FILES, "deep/pore-package.json": b"{}"}, manifest=b"")
    assert codes(tmp_path, deep) == [("", "package.no_manifest")]


def test_what_the_manifest_says_and_what_there_is_are_compared_both_ways(tmp_path: Path) -> None:
    said = listing({"a.json": b"[]", "gone.json": b"{}", "templates/b.yaml": b"x: 1\n"})
    data = packed({**FILES, "more.json": b"{}"}, manifest=said)
    found = read(tmp_path, data)
    assert [(p.code, p.location.file.rpartition("!")[2]) for p in found.problems if p.location] == [
        ("package.sha256", "a.json"),
        ("package.missing_file", MANIFEST),
        ("package.unlisted_file", "more.json"),
    ]
    missing = found.problems[1]
    assert missing.pointer == "/files/1/path"
    assert missing.location is not None
    assert said.decode().splitlines()[missing.location.line - 1].strip().startswith('"path": "gone.json"')


def test_a_manifest_lists_each_file_once_and_inside(tmp_path: Path) -> None:
    one = {"path": "a.json", "sha256": "0" * 64, "size": 2}
    found = codes(tmp_path, packed({}, manifest=listing({}, files=[one, {**one, "path": "A.json"}])))
    assert found == [("!pore-package.json", "package.duplicate_path")]
    found = codes(tmp_path, packed({}, manifest=listing({}, files=[{**one, "path": "../a.json"}])))
    assert found == [("!pore-package.json", "schema.pattern")]


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06", packed(FILES)[:-10], packed(FILES)[:100]])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    assert codes(tmp_path, data) == [("", "package.not_zip")]


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    data = packed({"a.json": b'{"n": 12345}'}, method=zipfile.ZIP_STORED)
    place = data.index(b"12345")
    assert codes(tmp_path, data[:place] + b"9" + data[place + 1 :]) == [("!a.json", "package.damaged")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.data())
def test_any_damage_is_refused_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(packed(FILES))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = read(tmp_path, bytes(raw))
    assert found.problems or {file.path: file.data for file in found.files} == FILES


def test_the_same_files_give_the_same_package_in_any_order(tmp_path: Path) -> None:
    files = [source("b.json", template()), source("a.yaml", template("acme.template.other"))]
    made = [package_of(order, manifest_of(order, name="acme", version="1.0.0")) for order in (files, files[::-1])]
    assert made[0] == made[1]
    found = read(tmp_path, made[0])
    assert found.problems == ()
    assert {file.path: file.data for file in found.files} == {file.path: file.data for file in files}


def test_what_no_package_may_hold_is_not_packed() -> None:
    for path in ("../a.json", "notes.txt", "clinic.toml"):
        file = SourceFile(path, b"{}", "json", path)
        with pytest.raises(ProblemsError):
            manifest_of([file], name="acme", version="1.0.0")
    with pytest.raises(ProblemsError, match=r"package\.duplicate_path"):
        manifest_of([source("a.json", b"{}"), source("A.json", b"{}")], name="acme", version="1.0.0")
    with pytest.raises(ProblemsError, match=r"schema\.pattern at /version"):
        manifest_of([source("a.json", b"{}")], name="acme", version="1")


def test_a_package_of_real_documents_is_reproducible_to_the_byte() -> None:
    files = [SourceFile("a.json", written({"a": 1}), "json", "a.json")]
    data = package_of(files, manifest_of(files, name="acme", version="1.0.0"))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert [info.compress_type for info in archive.infolist()] == [zipfile.ZIP_STORED] * 2
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
