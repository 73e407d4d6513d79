"""TOML settings are read into the plain values of JSON, numbers from their source text."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.contracts.limits import MAX_TOML_BYTES
from pore_plugin.contracts.problems import ProblemsError
from pore_plugin.validation.tomltext import locate_toml, read_toml, read_toml_text

GOOD = b"""\
id = "one"
price = 0.50
big = 1e2
small = -0.0
day = 2026-03-01
at = 2026-03-01T09:30:00Z

[hours]
monday = [{ opens = 09:00:00, closes = 12:30:15 }]

[[people]]
name = "a"
[[people]]
name = "b"
  [people.register]
  "nu mber" = 3
"""


def test_numbers_dates_and_times_become_their_one_spelling() -> None:
    assert read_toml(GOOD) == {
        "id": "one",
        "price": "0.5",
        "big": "100",
        "small": "0",
        "day": "2026-03-01",
        "at": "2026-03-01T09:30:00+00:00",
        "hours": {"monday": [{"opens": "09:00", "closes": "12:30:15"}]},
        "people": [{"name": "a"}, {"name": "b", "register": {"nu mber": 3}}],
    }


def test_pointers_are_located_at_their_key_or_table() -> None:
    pointers = ["/price", "/people/1/name", "/people/1/register/nu mber", "/hours/monday/0/opens", "/missing"]
    assert list(locate_toml(GOOD.decode(), pointers).values()) == [(2, 1), (14, 1), (16, 3), (9, 1), (1, 1)]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"a = 1\nb = ", "toml.syntax", 2),
        (b"a = 1\na = 2", "toml.syntax", 2),
        (b"a = 'x", "toml.syntax", 1),
        (b"a = 1\n\xff", "toml.encoding", 2),
        (b"\xef\xbb\xbfa = 1", "toml.encoding", 1),
        (b"a = nan", "toml.number", 1),
        (b"a = 1e999999999", "toml.number", 1),
        (b"a = 0." + b"1" * 40, "toml.number", 1),
        (b"a = " + b"9" * 5000, "toml.number", 1),
        (b"a = 1\nb = 99999999999999999999", "number.too_large", 2),
        (b"a = 1\nb = 2026-03-01T09:30:00", "instant.naive", 2),
        (b"a = " + b"[" * 100_000, "toml.too_deep", 1),
        (b".".join([b"a"] * 100) + b" = 1", "json.too_deep", 1),
        (b"#" * (MAX_TOML_BYTES + 1), "toml.too_large", 1),
    ],
)
def test_every_oddity_is_named_with_its_line(data: bytes, code: str, line: int) -> None:
    (problem,) = read_toml_text(data, file="clinic.toml")[1]
    assert problem.code == code
    assert problem.location is not None
    assert problem.location.line == line


@given(st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_raise_nothing_but_problems(data: bytes) -> None:
    with suppress(ProblemsError):
        read_toml(data)
