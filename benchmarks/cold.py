"""What a fresh interpreter pays: importing us beside pydantic, and the command line's check beside `jsonschema`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from timing import bytecode, fresh

from pore_plugin.schemas import schema_bytes

__all__ = ["imports", "validations"]

_FIRST_WORKFLOW = """
from importlib import resources
from pore_plugin import PoreWorkflow, check_toml
sample = resources.files("pore_plugin") / "content" / "sample"
PoreWorkflow(check_toml("clinic", (sample / "clinic.toml").read_bytes()).model, installed=False)
"""
_PEER = """
import json, sys
from jsonschema import Draft202012Validator, FormatChecker
schema, document = (json.load(open(name, "rb")) for name in sys.argv[1:])
Draft202012Validator(schema, format_checker=FormatChecker(("date", "date-time"))).validate(document)
"""


def imports(*, turns: int) -> dict[str, float]:
    """Return seconds of whole interpreters that do nothing, import pydantic, import us, make a first workflow."""
    with bytecode() as environment:
        return fresh(
            {
                "nothing": ("-c", "pass"),
                "pydantic": ("-c", "from pydantic import BaseModel"),
                "ours": ("-c", "from pore_plugin import PoreWorkflow"),
                "contracts": ("-c", "import pore_plugin.contracts"),
                "first workflow": ("-c", _FIRST_WORKFLOW),
            },
            environment,
            turns=turns,
        )


def validations(consultation: bytes, *, turns: int) -> dict[str, float]:
    """Return seconds of checking one file from a cold start."""
    with bytecode() as environment, TemporaryDirectory() as folder:
        document, schema = Path(folder, "consultation.json"), Path(folder, "schema.json")
        document.write_bytes(consultation)
        schema.write_bytes(schema_bytes("consultation"))
        return fresh(
            {
                "ours": ("-m", "pore_plugin", "validate", "--contract", "consultation", str(document)),
                "jsonschema": ("-c", _PEER, str(schema), str(document)),
            },
            environment,
            turns=turns,
        )
