"""Files and folders are read once, within limits, and never by way of a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from library_files import listing, put, template, written
from pore_plugin.contracts.limits import MAX_BYTES, MAX_TOML_BYTES, MAX_YAML_BYTES
from pore_plugin.library import sources
from pore_plugin.library.sources import SourceFile, read_sources


def codes(path: Path) -> list[tuple[str, str]]:
    """Return the file below `path` and the code of everything that is wrong."""
    problems = read_sources([path]).problems
    return [(Path(p.location.file).name if p.location else "", p.code) for p in problems]


def test_a_folder_is_read_sorted_with_its_folders_and_without_hidden_or_other_files(tmp_path: Path) -> None:
    put(tmp_path, b_json=b"1", a__z_yaml=b"2", a__y_yml=b"3", c_toml=b"4", notes_txt=b"5", _JSON=b"6")
    put(tmp_path / ".hidden", a_json=b"7")
    (tmp_path / ".a.json").write_bytes(b"8")
    (tmp_path / "BIG.JSON").write_bytes(b"9")
    found = read_sources([tmp_path])
    assert found.problems == ()
    assert [(file.path, file.media) for file in found.files] == [
        ("BIG.JSON", "json"),
        ("a/y.yml", "yaml"),
        ("a/z.yaml", "yaml"),
        ("b.json", "json"),
        ("c.toml", "toml"),
    ]
    assert found.files[0].name == str(tmp_path / "BIG.JSON")
    assert found.files[0].sha256 == "19581e27de7ced00ff1ce50b2047e7a567c76b1cbaebabe5ef03f7c3017bb5b7"


def test_a_named_file_is_read_whatever_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"{}")
    (file,) = read_sources([path]).files
    assert (file.media, file.path, file.data) == ("json", "document", b"{}")


def test_links_in_a_folder_are_refused_and_not_followed(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", a_json=written(template()))
    inside = put(tmp_path / "inside", good_json=b"{}")
    (inside / "file.json").symlink_to(outside / "a.json")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "broken.yaml").symlink_to(tmp_path / "nowhere")
    (inside / "notes.txt").symlink_to(outside / "a.json")
    assert codes(inside) == [(name, "source.symlink") for name in ("broken.yaml", "file.json", "folder", "loop")]
    assert [file.path for file in read_sources([inside]).files] == ["good.json"]


def test_a_file_that_becomes_a_link_while_it_is_looked_for_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = put(tmp_path / "outside", a_json=b"secret") / "a.json"
    inside = put(tmp_path / "inside", a_json=b"{}")
    opened = os.open

    def swapped(path: str, flags: int, *rest: int) -> int:
        if str(path).endswith("inside/a.json"):
            os.unlink(path)
            os.symlink(outside, path)
        return opened(path, flags, *rest)

    monkeypatch.setattr(sources.os, "open", swapped)
    found = read_sources([inside])
    assert found.files == ()
    assert [problem.code for problem in found.problems] == ["file.unreadable"]


def test_a_named_link_is_followed(tmp_path: Path) -> None:
    path = put(tmp_path, a_json=b"{}") / "a.json"
    link = tmp_path / "link.json"
    link.symlink_to(path)
    assert [file.data for file in read_sources([link]).files] == [b"{}"]


@pytest.mark.parametrize(
    ("name", "limit"), [("a.json", MAX_BYTES), ("a.yaml", MAX_YAML_BYTES), ("a.toml", MAX_TOML_BYTES)]
)
def test_a_file_beyond_its_limit_is_refused(tmp_path: Path, name: str, limit: int) -> None:
    (tmp_path / name).write_bytes(b" " * limit)
    assert codes(tmp_path) == []
    (tmp_path / name).write_bytes(b" " * (limit + 1))
    assert codes(tmp_path) == [(name, "source.too_large")]


def test_a_file_of_100_megabytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    read: list[int] = []
    monkeypatch.setattr(sources.os, "read", lambda *_: read.append(1))
    assert codes(path) == [("huge.json", "source.too_large")]
    assert read == []


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no endless file")
def test_an_endless_file_is_read_up_to_the_limit() -> None:
    assert codes(Path("/dev/zero")) == [("zero", "source.too_large")]


def test_what_the_system_refuses_is_told_apart(tmp_path: Path) -> None:
    found = read_sources([tmp_path / "none.json", tmp_path / "none.zip", tmp_path / "none"])
    assert [problem.code for problem in found.problems] == ["file.unreadable"] * 3
    assert found.unreadable
    assert not read_sources([put(tmp_path, a_json=b"")]).unreadable


def test_one_run_has_a_limit_of_files_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, a_json=b"12345", b_json=b"12345", c_json=b"12345")
    monkeypatch.setattr(sources, "MAX_PACKAGE_FILES", 2)
    assert codes(tmp_path) == [("c.json", "source.too_many")]
    monkeypatch.setattr(sources, "MAX_PACKAGE_FILES", 9)
    monkeypatch.setattr(sources, "MAX_PACKAGE_BYTES", 12)
    assert codes(tmp_path) == [("c.json", "source.too_many")]


def test_a_folder_with_a_manifest_is_held_to_it(tmp_path: Path) -> None:
    put(tmp_path, a_json=b"{}", b__c_yaml=b"x: 1", clinic_toml=b"")
    (tmp_path / "pore-package.json").write_bytes(listing({"a.json": b"{}", "b/c.yaml": b"x: 1"}))
    assert codes(tmp_path) == []
    assert [file.path for file in read_sources([tmp_path]).files] == ["a.json", "b/c.yaml", "clinic.toml"]
    (tmp_path / "a.json").write_bytes(b"[]")
    (tmp_path / "d.json").write_bytes(b"[]")
    (tmp_path / "b" / "c.yaml").unlink()
    assert codes(tmp_path) == [
        ("a.json", "package.sha256"),
        ("pore-package.json", "package.missing_file"),
        ("d.json", "package.unlisted_file"),
    ]


def test_folders_without_end_are_not_walked(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(70):
        deep = deep / "a"
    deep.mkdir(parents=True)
    assert [code for _, code in codes(tmp_path)] == ["source.too_deep"]


def test_a_name_that_would_steer_a_terminal_is_shown_without_effect(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m.json").write_bytes(b"{}")
    (file,) = read_sources([tmp_path]).files
    assert file.name.endswith("a?[31m.json")


def test_a_file_shows_nothing_of_itself() -> None:
    assert repr(SourceFile("n", b"secret", "json", "n")) == "SourceFile(json)"
