"""What importing the package loads: nothing that a host that only forms, checks or plans has no use for."""

from __future__ import annotations

import subprocess
import sys

import pytest

NEVER = {
    "alembic",
    "biip",
    "fastapi",
    "holidays",
    "icalendar",
    "jsonschema",
    "pytest",
    "requests",
    "rfc8785",
    "rich",
    "ruamel",
    "sqlalchemy",
    "typer",
}
FIRST_WORKFLOW = """
from importlib import resources
from pore_plugin import PoreWorkflow, check_toml
sample = resources.files("pore_plugin") / "content" / "sample"
PoreWorkflow(check_toml("clinic", (sample / "clinic.toml").read_bytes()).model, installed=False).form()
"""


def loaded_by(program: str) -> set[str]:
    """The modules that a fresh interpreter has after the program, without those it starts with."""
    report = f"import sys; before = set(sys.modules)\n{program}\nprint(*set(sys.modules) - before)"
    # -I: neither the folder nor the environment of this test run lends a module.
    done = subprocess.run([sys.executable, "-I", "-c", report], capture_output=True, check=True, text=True, timeout=120)
    return set(done.stdout.split())


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize(
    "program",
    [
        "from pore_plugin import PoreWorkflow",
        "import pore_plugin.contracts",
        "from pore_plugin import check, check_toml, hookimpl, host_hookspecs, host_plugin",
        "import pore_plugin.workflow.steps",
    ],
)
def test_an_import_loads_nothing_that_it_does_not_need(program: str) -> None:
    assert packages(loaded_by(program)) & NEVER == set()


def test_a_first_workflow_loads_besides_only_the_holidays_that_its_settings_are_checked_against() -> None:
    assert packages(loaded_by(FIRST_WORKFLOW)) & NEVER <= {"holidays"}


def test_the_class_of_the_workflow_costs_no_model() -> None:
    modules = loaded_by("from pore_plugin import PoreWorkflow")
    assert {module for module in modules if module.startswith("pore_plugin")} == {
        "pore_plugin",
        "pore_plugin.workflow",
    }
    assert "pydantic" not in packages(modules)


def test_what_this_test_forbids_can_be_seen_by_it() -> None:
    assert {"jsonschema", "holidays"} <= packages(loaded_by("import holidays, jsonschema"))
