"""Where the database is, and that its password is seen by nobody."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pore_plugin.contracts import ProblemsError
from pore_plugin.storage import Database
from pore_plugin.storage.urls import PASSWORD, PASSWORD_COMMAND, PASSWORD_FILE, read_place

SECRET = "s3cret-canary"
LOCAL = "postgresql://pore@localhost/records"


def refused(url: str, environ: dict[str, str] | None = None, *, password_in_url: bool = False) -> str:
    with pytest.raises(ProblemsError) as caught:
        read_place(url, environ or {}, password_in_url=password_in_url)
    (problem,) = caught.value.problems
    assert SECRET not in problem.sentence + problem.next_step + str(caught.value)
    assert caught.value.__suppress_context__
    return problem.code


def test_without_a_url_it_is_the_file_of_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    place = read_place(None, {})
    assert place.kind == "sqlite"
    assert place.path is not None
    assert place.path.is_relative_to(tmp_path)
    assert (place.path.parent.name, place.path.name) == ("pore-plugin", "records.sqlite")


def test_a_path_and_its_url_name_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for written in (
        "a b.sqlite",
        str(tmp_path / "a b.sqlite"),
        "sqlite:///a b.sqlite",
        f"sqlite:///{tmp_path}/a b.sqlite",
    ):
        assert read_place(written, {}).path == tmp_path.resolve() / "a b.sqlite"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///one.sqlite?mode=memory",
        "sqlite+aiosqlite:///one.sqlite",
        "mysql://host/name",
        "postgresql+asyncpg://localhost/name",
        "://",
        "postgresql://host:port/name",
        f"{LOCAL}?port=abc",
        f"{LOCAL}?port=70000",
        f"{LOCAL}?options=-csearch_path%3Dother",
        f"{LOCAL}?service=other",
        f"{LOCAL}?hostaddr=192.0.2.1",
    ],
)
def test_a_url_that_is_not_understood_is_refused(url: str) -> None:
    assert refused(url) == "storage.url"


@pytest.mark.parametrize("url", [f"postgresql://pore:{SECRET}@localhost/records", f"{LOCAL}?password={SECRET}"])
def test_a_password_that_everyone_can_see_is_refused(url: str) -> None:
    assert refused(url) == "storage.password_visible"


def test_a_password_in_a_url_that_nobody_sees_is_taken() -> None:
    place = read_place(f"postgresql://pore:{SECRET}@localhost/records", {}, password_in_url=True)
    assert place.url.password == SECRET
    assert SECRET not in f"{place!r}{place.shown}{place.url!r}"
    assert place.shown == "postgresql://localhost/records"


def test_a_password_comes_from_the_environment() -> None:
    assert read_place(LOCAL, {PASSWORD: SECRET}).url.password == SECRET


def test_a_password_comes_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.touch(0o600)
    path.write_text(SECRET + "\n")
    assert read_place(LOCAL, {PASSWORD_FILE: str(path)}).url.password == SECRET
    path.chmod(0o640)
    assert refused(LOCAL, {PASSWORD_FILE: str(path)}) == "storage.password_file"


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff", b"x" * 5000])
def test_a_file_that_holds_no_password_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.touch(0o600)
    path.write_bytes(content)
    assert refused(LOCAL, {PASSWORD_FILE: str(path)}) == "storage.password_file"


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(LOCAL, {PASSWORD_FILE: str(tmp_path / "none")}) == "storage.password_file"


def test_a_password_comes_from_a_command_without_a_shell() -> None:
    command = f"'{sys.executable}' -c 'print(\"{SECRET} $HOME;\")'"
    assert read_place(LOCAL, {PASSWORD_COMMAND: command}).url.password == f"{SECRET} $HOME;"


@pytest.mark.parametrize(
    "command", ["no-such-program-here", "'", " ", "false", "true", "sh -c 'echo s3cret-canary; exit 3'"]
)
def test_a_command_that_gives_no_password_is_refused(command: str) -> None:
    assert refused(LOCAL, {PASSWORD_COMMAND: command}) == "storage.password_command"


def test_two_passwords_are_refused(tmp_path: Path) -> None:
    assert refused(LOCAL, {PASSWORD: SECRET, PASSWORD_COMMAND: "true"}) == "storage.password_twice"
    url = f"postgresql://pore:{SECRET}@localhost/records"
    assert refused(url, {PASSWORD: SECRET}, password_in_url=True) == "storage.password_twice"


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("postgresql://db.clinic.example/records", {}),
        ("postgresql://db.clinic.example/records?sslmode=require", {}),
        ("postgresql://db.clinic.example/records?sslmode=verify-ca", {}),
        ("postgresql://192.0.2.7/records", {}),
        ("postgresql://localhost.clinic.example/records", {}),
        ("postgresql:///records?host=db.clinic.example", {}),
        ("postgresql:///records?host=/run/postgresql,db.clinic.example", {}),
        ("postgresql://localhost/records?host=db.clinic.example", {}),
        ("postgresql:///records?host=one:5432&host=two:5432", {}),
        ("postgresql:///records", {"PGHOST": "db.clinic.example"}),
        ("postgresql://localhost/records", {"PGHOSTADDR": "192.0.2.7"}),
        ("postgresql://db.clinic.example/records", {"PGSSLMODE": "prefer"}),
        ("postgresql://db.clinic.example/records?sslmode=disable", {"PGSSLMODE": "verify-full"}),
    ],
)
def test_a_server_elsewhere_has_to_show_who_it_is(url: str, environ: dict[str, str]) -> None:
    assert refused(url, environ) == "storage.tls"


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("postgresql:///records", {}),
        ("postgres://localhost/records", {}),
        ("postgresql+psycopg://127.0.0.1:5433/records", {}),
        ("postgresql://[::1]/records", {}),
        ("postgresql:///records?host=/run/postgresql", {}),
        ("postgresql://db.clinic.example/records?sslmode=verify-full&sslrootcert=/etc/ca.pem", {}),
        ("postgresql://db.clinic.example/records", {"PGSSLMODE": "verify-full"}),
    ],
)
def test_a_local_or_checked_server_is_taken(url: str, environ: dict[str, str]) -> None:
    place = read_place(url, environ)
    assert place.url.drivername == "postgresql+psycopg"
    if "clinic.example" in url:
        assert place.url.query["sslmode"] == "verify-full"


def test_a_service_file_may_not_choose_the_server() -> None:
    assert refused("postgresql:///records", {"PGSERVICE": "other"}) == "storage.url"


def test_a_server_that_cannot_be_reached_is_said_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://pore:{SECRET}@/records?host={tmp_path}"
    with pytest.raises(ProblemsError) as caught:
        Database.open(url, environ={}, password_in_url=True)
    assert [problem.code for problem in caught.value.problems] == ["storage.cannot_connect"]
    assert SECRET not in str(caught.value.problems[0].to_document())
    assert caught.value.__cause__ is None
