"""The declarations: nine extension hooks and nine host hooks, and what a declaration may not be."""

from __future__ import annotations

import pluggy
import pytest

from pore_plugin.contracts import DOCUMENTS
from pore_plugin.hooks import CONTRACT, CONTRACT_VERSION, EXTENSION_HOOKS, HOST_HOOKS, compatible, host_hookspecs
from pore_plugin.hooks.contract import FAILURES, MODES, contract

NINE = {
    "pore_startup": ("once", ["host"]),
    "pore_register_questions": ("collect", ["form"]),
    "pore_register_content": ("collect", []),
    "pore_register_host_adapters": ("collect", []),
    "pore_validate_answers": ("collect", ["form", "answers"]),
    "pore_assess_suitability": ("collect", ["consultation", "template", "context", "day_form"]),
    "pore_amend_follow_up": ("collect", ["follow_up_plan", "treatment", "template"]),
    "pore_place_follow_up_step": ("first", ["step", "follow_up_plan", "calendar"]),
    "pore_on_event": ("notify", ["event"]),
}


def test_there_are_nine_extension_hooks() -> None:
    assert {name: (c.mode, list(c.argument_names)) for name, c in EXTENSION_HOOKS.items()} == NINE


def test_the_host_hooks_name_published_contracts() -> None:
    assert len(HOST_HOOKS) == 9
    assert [c.returns for c in HOST_HOOKS.values() if c.returns not in DOCUMENTS] == []
    accepted = {name: c.accepts for name, c in HOST_HOOKS.items() if c.accepts is not None}
    assert set(accepted.values()) <= set(DOCUMENTS)
    assert set(HOST_HOOKS) - set(accepted) == {"pore_consultation_form", "pore_procedure_templates"}


def test_the_table_holds_both_doors_and_does_not_change() -> None:
    assert list(CONTRACT) == [*EXTENSION_HOOKS, *HOST_HOOKS]
    with pytest.raises(TypeError):
        CONTRACT["pore_new"] = CONTRACT["pore_assess"]


@pytest.mark.parametrize("entry", CONTRACT.values(), ids=list(CONTRACT))
def test_every_hook_says_what_it_promises(entry) -> None:
    assert entry.mode in MODES
    assert entry.on_failure in FAILURES
    for section in ("Called:", "Arguments:", "Returns:"):
        assert section in entry.doc
    assert entry.none_means
    assert entry.signature.startswith(f"def {entry.name}(")


def test_verbs_of_extension_hooks_are_fixed() -> None:
    verbs = {"startup", "register", "validate", "assess", "amend", "place", "on"}
    assert {name.split("_")[1] for name in EXTENSION_HOOKS} == verbs


def _declare(source: str) -> None:
    space: dict[str, object] = {
        "contract": contract(mode="collect", returns=None, on_failure="isolate", none_means="Nothing.")
    }
    exec(f"from __future__ import annotations\n@contract\n{source}", space)  # noqa: S102


@pytest.mark.parametrize(
    "source",
    [
        'def pore_x(a: int = 1) -> None:\n    "Doc."',
        'def pore_x(*a: int) -> None:\n    "Doc."',
        'def pore_x(**a: int) -> None:\n    "Doc."',
        'def pore_x(*, a: int) -> None:\n    "Doc."',
        'def pore_x(a) -> None:\n    "Doc."',
        'def pore_x(a: int):\n    "Doc."',
        "def pore_x(a: int) -> None: ...",
    ],
)
def test_a_loose_declaration_is_refused(source: str) -> None:
    with pytest.raises(TypeError):
        _declare(source)


def test_a_plain_declaration_is_accepted() -> None:
    _declare('def pore_x(a: int) -> None:\n    "Doc."')


@pytest.mark.parametrize(
    ("theirs", "ours", "fits"),
    [
        ("0.1", "0.1.0", True),
        ("0.1.0", "0.1.4", True),
        ("0.1.5", "0.1.4", False),
        ("0.2", "0.1.4", False),
        ("0.1", "0.2.0", False),
        ("1.0", "0.1.0", False),
        ("1.2", "1.4.0", True),
        ("1.5", "1.4.0", False),
        ("2.0", "1.4.0", False),
    ],
)
def test_a_contract_fits_its_minor_while_it_is_zero(theirs: str, ours: str, fits: bool) -> None:
    assert compatible(theirs, ours) is fits


@pytest.mark.parametrize("text", ["", "1", "x.y", "0.1.2.3", "\u0660.1", "0.1 "])
def test_other_text_is_no_contract_version(text: str) -> None:
    with pytest.raises(ValueError, match="contract version"):
        compatible(text)


def test_our_own_version_fits_itself() -> None:
    assert compatible(CONTRACT_VERSION)


def test_two_hosts_with_their_own_project_names_get_their_own_hooks() -> None:
    first, second = pluggy.PluginManager("desk"), pluggy.PluginManager("other")
    first.add_hookspecs(host_hookspecs(first.project_name))
    second.add_hookspecs(host_hookspecs(second.project_name))
    with pytest.raises(ValueError, match="did not find any"):
        pluggy.PluginManager("third").add_hookspecs(host_hookspecs("fourth"))

    class Plugin:
        @pluggy.HookimplMarker("desk")
        def pore_assess(self, document: dict[str, object]) -> dict[str, object]:
            return {"got": document}

    first.register(Plugin())
    second.register(Plugin())
    assert first.hook.pore_assess(document={"a": 1}) == {"got": {"a": 1}}
    assert second.hook.pore_assess(document={"a": 1}) is None
    for name, entry in HOST_HOOKS.items():
        assert getattr(first.hook, name).spec.argnames == entry.argument_names
