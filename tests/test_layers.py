"""The floors of docs/architecture.md, proved on the imports that are really there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "pore_plugin"
SOURCE = ROOT / "src" / PACKAGE

# A module imports from lower floors and from itself, never from its own floor's neighbours. `content` and `_schemas`
# are data.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"contracts"}),
    frozenset({"clinical", "schemas", "storage"}),
    frozenset({"scanning", "validation"}),
    frozenset({"hooks"}),
    frozenset({"builtin", "catalogue", "rendering"}),
    frozenset({"library"}),
    frozenset({"workflow"}),
    frozenset({"demo", "host"}),
    frozenset({"practice"}),
    frozenset({"__init__"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
DATA = frozenset({"content", "_schemas", "py.typed", "__pycache__"})

# Narrower than their floor: what these may use of ours, and nothing else.
ONLY = {
    "contracts": frozenset[str](),
    "clinical": frozenset({"contracts"}),
    "storage": frozenset({"contracts"}),
}

CLOCKLESS = ("contracts", "clinical", "hooks", "library", "scanning", "workflow")
CLOCK_AND_CHANCE = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "os.urandom",
        "random",
        "secrets",
        "time.gmtime",
        "time.localtime",
        "time.time",
        "time.time_ns",
        "uuid.uuid1",
        "uuid.uuid4",
    }
)
OUTSIDE = frozenset({"ftplib", "http", "httpx", "requests", "smtplib", "socket", "urllib.request"})
PURE = ("contracts", "clinical")
# One room speaks to databases; whoever needs one goes through it.
DATABASE = frozenset({"alembic", "psycopg", "sqlalchemy", "sqlite3"})
DATABASE_ROOM = "storage"
NOTHING = frozenset[str]()


def room_of(path: Path, source: Path) -> str:
    """The top-level module or package that a file belongs to."""
    first = path.relative_to(source).parts[0]
    return first.removesuffix(".py")


def rooms_in(source: Path) -> set[str]:
    """Every top-level entry that holds Python code or is not known as data."""
    return {
        p.name.removesuffix(".py")
        for p in source.iterdir()
        if not p.name.startswith(".") and p.name not in DATA and (p.suffix == ".py" or p.is_dir())
    }


def imports_of(tree: ast.Module, path: Path, source: Path) -> list[tuple[int, str]]:
    """Every import with its line as an absolute dotted name: of module, function and TYPE_CHECKING blocks alike."""
    parents = (source.name, *path.relative_to(source).parts[:-1])
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            target = node.args[0]
            if name in {"import_module", "__import__"} and isinstance(target, ast.Constant):
                dotted = str(target.value)
                level = len(dotted) - len(dotted.lstrip("."))
                base = ".".join(parents[: len(parents) - level + 1]) + "." if level else ""
                found.append((node.lineno, base + dotted.lstrip(".")))
    return found


def used_names(tree: ast.Module) -> list[tuple[int, str]]:
    """Every name and attribute chain that is read, with import aliases resolved to their absolute dotted name."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            known.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        chain: list[str] = []
        head: ast.AST = node
        while isinstance(head, ast.Attribute):
            chain.append(head.attr)
            head = head.value
        if isinstance(head, ast.Name) and head.id in known:
            found.append((head.lineno, ".".join([known[head.id], *reversed(chain)])))
    return found


def within(name: str, banned: frozenset[str]) -> bool:
    return any(name == entry or name.startswith(entry + ".") for entry in banned)


def violations(source: Path) -> list[str]:
    """Every breach of the floors in a source tree, one sentence each."""
    known = {room for rooms in FLOORS for room in rooms}
    out = [
        f"{room} has no floor: give it one in FLOORS of tests/test_layers.py and a line in docs/architecture.md"
        for room in sorted(rooms_in(source) - known)
    ]
    for path in sorted(source.rglob("*.py")):
        room = room_of(path, source)
        where = path.relative_to(source)
        if room in DATA:
            out.append(f"{where} is code, and {room} is for data only")
        if room not in known:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = imports_of(tree, path, source)
        for line, dotted in imported:
            parts = dotted.split(".")
            if parts[0] != source.name:
                banned = (OUTSIDE if room in PURE else NOTHING) | (NOTHING if room == DATABASE_ROOM else DATABASE)
                if within(dotted, banned):
                    out.append(f"{where}:{line} {room} reaches outside through {dotted}")
                continue
            target = parts[1] if len(parts) > 1 and parts[1] in rooms_in(source) | DATA else "__init__"
            if target == room or target in DATA:
                continue
            allowed = target in ONLY[room] if room in ONLY else FLOOR.get(target, len(FLOORS)) < FLOOR[room]
            if not allowed:
                out.append(f"{where}:{line} {room} imports {target}, which is not below it")
        if room in CLOCKLESS:
            names = {*used_names(tree), *imported}
            out += [
                f"{where}:{line} {room} uses {name}" for line, name in sorted(names) if within(name, CLOCK_AND_CHANCE)
            ]
    return out


def test_every_import_goes_down() -> None:
    assert violations(SOURCE) == []


def write_tree(folder: Path, files: dict[str, str]) -> Path:
    source = folder / PACKAGE
    for name, text in {"__init__.py": "", "contracts/__init__.py": "", **files}.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return source


def test_a_tree_that_keeps_the_floors_passes(tmp_path: Path) -> None:
    source = write_tree(
        tmp_path,
        {
            "contracts/base.py": "from datetime import date, datetime, timedelta\ndate.fromisoformat\n",
            "contracts/form.py": "from .base import Model\nfrom . import base\n",
            "clinical/dose/sums.py": "from ...contracts import form\nfrom .. import dose\nimport uuid\nuuid.uuid5\n",
            "cli.py": "from . import workflow\nfrom datetime import datetime, UTC\ndatetime.now(UTC)\n",
            "workflow.py": "from pore_plugin import contracts\ndef f(clock):\n    return clock.now()\n",
            "storage/engine.py": "import sqlite3\nfrom sqlalchemy import text\nfrom ..contracts import form\n",
            "content/data.json": "{}",
        },
    )
    assert violations(source) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("contracts/a.py", "from ..clinical import dose\n", "contracts imports clinical"),
        ("contracts/a.py", "def f():\n    from pore_plugin import validation\n", "contracts imports validation"),
        (
            "clinical/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pore_plugin.hooks.specs\n",
            "clinical imports hooks",
        ),
        ("clinical/a.py", "from .. import schemas\n", "clinical imports schemas"),
        ("clinical/a.py", "from pore_plugin import PoreWorkflow\n", "clinical imports __init__"),
        ("builtin.py", "from .catalogue import Catalogue\n", "builtin imports catalogue"),
        ("hooks/a.py", "import importlib\nimportlib.import_module('pore_plugin.workflow')\n", "hooks imports workflow"),
        ("hooks/a.py", "from importlib import import_module\nimport_module('..cli', __name__)\n", "hooks imports cli"),
        ("contracts/a.py", "import datetime as d\nx = d.datetime.now()\n", "uses datetime.datetime.now"),
        ("contracts/a.py", "from datetime import date as D\nx = D.today\n", "uses datetime.date.today"),
        ("clinical/a.py", "import time\ndef f():\n    return time.time()\n", "uses time.time"),
        ("workflow.py", "from uuid import uuid4 as new\n", "uses uuid.uuid4"),
        ("hooks/a.py", "import random\n", "uses random"),
        ("clinical/a.py", "def f():\n    import sqlite3\n", "reaches outside through sqlite3"),
        ("workflow.py", "def f():\n    from sqlalchemy.exc import DBAPIError\n", "reaches outside through sqlalchemy"),
        ("cli.py", "import psycopg.rows\n", "reaches outside through psycopg"),
        ("hooks/a.py", "from alembic import command\n", "reaches outside through alembic"),
        ("storage/a.py", "from ..schemas import registry\n", "storage imports schemas"),
        ("contracts/a.py", "from urllib.request import urlopen\n", "reaches outside through urllib.request"),
        ("gadgets.py", "", "gadgets has no floor"),
        ("content/loader.py", "", "content is for data only"),
    ],
)
def test_a_breach_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    rooms = {f"{room}.py": "" for room in ("schemas", "validation", "catalogue", "workflow", "cli")}
    rooms |= {"clinical/__init__.py": "", "hooks/__init__.py": ""}
    found = violations(write_tree(tmp_path, {**rooms, name: text}))
    assert len(found) >= 1
    assert said in found[0]
    assert name.removesuffix(".py") in found[0]
