"""`pore-plugin scan` reads what a scanner sends, from the command line or from standard input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_runs import Cli

RAW = "01050123456789001727033110C1234\x1d217K2"
PRINTED = "(01)05012345678900(17)270331(10)C1234(21)7K2"
WHOLE = {"gtin": "05012345678900", "lot": "C1234", "expiry": "2027-03-31", "serial": "7K2"}


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys, monkeypatch)


@pytest.mark.parametrize(
    ("word", "stdin"), [(PRINTED, b""), (RAW, b""), ("-", RAW.encode()), ("-", b"]d2" + RAW.encode())]
)
def test_a_code_is_read_from_the_line_or_from_standard_input(cli: Cli, word: str, stdin: bytes) -> None:
    ran = cli("scan", word, "--format", "json", stdin=stdin)
    document = ran.document("gs1-scan")
    assert (ran.code, {name: document[name] for name in WHOLE}) == (0, WHOLE)


def test_the_sheet_has_a_vial_to_fill_in(cli: Cli) -> None:
    ran = cli("scan", PRINTED)
    vial = json.loads(ran.out.partition("```json")[2].partition("```")[0])
    assert vial == {"id": "05012345678900.7K2", "lot": "C1234", "expiry": "2027-03-31"}
    assert "Add `product`, `units`." in ran.out


@pytest.mark.parametrize(
    ("stdin", "code", "problem"),
    [
        (b"", 1, "scan.empty"),
        (b"\xff\xfe", 1, "scan.not_ascii"),
        (b"5012345678900", 1, "scan.product_only"),
        (b"0" * 100_000, 1, "scan.too_long"),
        (b"10C1234\x1d17270331", 0, "scan.no_gtin"),
    ],
)
def test_what_cannot_be_read_is_a_finding(cli: Cli, stdin: bytes, code: int, problem: str) -> None:
    ran = cli("scan", "-", "--format", "json", stdin=stdin)
    assert (ran.code, ran.err) == (code, "")
    assert [one["code"] for one in ran.document("gs1-scan")["problems"]] == [problem]
    ran = cli("scan", "-", stdin=stdin)
    assert (ran.code, ran.err) == (code, "")
    assert f"(`{problem}`)" in ran.out
