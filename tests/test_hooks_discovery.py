"""Finding plug-ins: real entry points in a folder on sys.path, and everything that keeps one out."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from plugins.site import Site
from pore_plugin.contracts import ExtensionPolicy
from pore_plugin.hooks import ExtensionError, PluginEntry, discover

HEAD = 'from pore_plugin.hooks import hookimpl\nPORE_CONTRACT = "0.1"\nPORE_VENDOR = "acme"\n'
EVENT = "@hookimpl\ndef pore_on_event(event): pass\n"
GOOD = HEAD + EVENT


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path / "site", monkeypatch)


def entry_after(site: Site, source: str, **more: str) -> PluginEntry:
    site.install("acme", source, **more)
    return only(discover(environ={}).report.entry("acme"))


def only(entry: PluginEntry | None) -> PluginEntry:
    assert entry is not None
    return entry


def test_an_installed_plugin_is_found_by_its_entry_point(site: Site) -> None:
    entry = entry_after(site, GOOD, version="2.1.0", distribution="acme-pores")
    assert entry.to_document() == {
        "name": "acme",
        "distribution": "acme-pores",
        "version": "2.1.0",
        "vendor": "acme",
        "contract": "0.1",
        "order": 0,
        "state": "active",
        "hooks": ["pore_on_event"],
    }


def test_an_entry_point_may_name_an_object(site: Site) -> None:
    source = (
        "from pore_plugin.hooks import hookimpl\nclass P:\n    PORE_CONTRACT = '0.1'\n    PORE_VENDOR = 'acme'\n"
        "    @hookimpl\n    def pore_on_event(self, event): pass\nplugin = P()\n"
    )
    assert entry_after(site, source, target=":plugin").hooks == ("pore_on_event",)


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("raise RuntimeError('secret')", "extension.import_failed", "RuntimeError"),
        ("import nothing_like_this", "extension.import_failed", "nothing_like_this"),
        ("raise SystemExit(3)", "extension.import_failed", "tried to end the program"),
        ("def broken(:", "extension.import_failed", "SyntaxError"),
        (EVENT.replace("@", "from pore_plugin.hooks import hookimpl\n@"), "extension.contract_missing", "contract"),
        (GOOD.replace('"0.1"', '"soon"'), "extension.contract_invalid", "PORE_CONTRACT"),
        (GOOD.replace('"0.1"', "0.1"), "extension.contract_invalid", "PORE_CONTRACT"),
        (GOOD.replace('PORE_VENDOR = "acme"', ""), "extension.vendor", "PORE_VENDOR"),
        (GOOD.replace('"acme"', '"Acme Ltd"'), "extension.vendor", "PORE_VENDOR"),
        (GOOD.replace('"acme"', '"pore"'), "extension.vendor", "reserved"),
        (GOOD + "PORE_ORDER = 'first'", "extension.order", "PORE_ORDER"),
        (GOOD + "PORE_ORDER = True", "extension.order", "PORE_ORDER"),
        (HEAD + "@hookimpl\ndef pore_on_evnt(event): pass", "extension.hook_unknown", "Did you mean pore_on_event?"),
        (HEAD + "@hookimpl\ndef pore_on_event(evnt): pass", "extension.hook_argument", "Did you mean event?"),
        (HEAD + "@hookimpl\ndef pore_on_event(event=None): pass", "extension.hook_default", "default"),
        (HEAD + "@hookimpl\ndef pore_on_event(*event): pass", "extension.hook_argument", "plain"),
        (HEAD + "@hookimpl\ndef pore_on_event(**event): pass", "extension.hook_argument", "plain"),
        (HEAD + "@hookimpl\ndef pore_on_event(*, event): pass", "extension.hook_argument", "plain"),
        (HEAD + "@hookimpl\nasync def pore_on_event(event): pass", "extension.hook_async", "asynchronous"),
        (HEAD + "@hookimpl(wrapper=True)\ndef pore_on_event(event): yield", "extension.hook_wrapper", "wrapper"),
        (HEAD + "@hookimpl(hookwrapper=True)\ndef pore_on_event(event): yield", "extension.hook_wrapper", "wrapper"),
        (HEAD + "@hookimpl(tryfirst=True)\ndef pore_on_event(event): pass", "extension.hook_option", "tryfirst"),
        (HEAD + "def pore_on_event(event): pass", "extension.hook_unmarked", "@hookimpl"),
        (
            HEAD + EVENT + "@hookimpl(specname='pore_on_event')\ndef another(event): pass",
            "extension.hook_twice",
            "twice",
        ),
    ],
)
def test_a_plugin_that_is_not_right_is_quarantined_with_a_sentence(
    site: Site, source: str, code: str, said: str
) -> None:
    entry = entry_after(site, source)
    assert entry.state == "quarantined"
    assert entry.reason is not None
    assert (entry.reason.code, entry.reason.plugin) == (code, "acme")
    assert said in entry.reason.sentence
    assert "secret" not in entry.reason.sentence


def test_one_broken_plugin_leaves_the_others_alone(site: Site) -> None:
    site.install("broken", "raise SystemExit(1)")
    site.install("acme", GOOD)
    found = discover(environ={})
    assert [plugin.name for plugin in found.plugins] == ["acme"]
    assert [(entry.name, entry.state) for entry in found.report.entries] == [
        ("acme", "active"),
        ("broken", "quarantined"),
    ]


def test_a_class_is_no_plugin(site: Site) -> None:
    entry = entry_after(site, HEAD + "class P: pass", target=":P")
    assert entry.reason is not None
    assert entry.reason.code == "extension.is_class"


@pytest.mark.parametrize("declared", ["0.2", "1.0", "0.0", "0.1.99"])
def test_a_plugin_for_another_contract_is_incompatible(site: Site, declared: str) -> None:
    entry = entry_after(site, GOOD.replace('"0.1"', f'"{declared}"'))
    assert entry.state == "incompatible"
    assert entry.reason is not None
    assert declared in entry.reason.sentence


def test_a_hook_of_a_later_contract_may_be_optional(site: Site) -> None:
    entry = entry_after(site, GOOD + "@hookimpl(optionalhook=True)\ndef pore_brush_teeth(): pass")
    assert (entry.state, entry.hooks) == ("active", ("pore_on_event",))


def test_strict_mode_raises_instead_with_the_cause(site: Site) -> None:
    site.install("acme", "raise RuntimeError('look here')")
    with pytest.raises(ExtensionError) as caught:
        discover(environ={"PORE_PLUGIN_STRICT": "1"})
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert discover(environ={"PORE_PLUGIN_STRICT": "0"}).plugins == ()


def test_strict_mode_lets_a_disabled_plugin_be(site: Site) -> None:
    site.install("acme", "raise RuntimeError")
    environ = {"PORE_PLUGIN_STRICT": "1", "PORE_PLUGIN_DISABLE": "acme"}
    assert only(discover(environ=environ).report.entry("acme")).state == "disabled"


@pytest.mark.parametrize("switch", ["all", "acme", " other , acme "])
def test_the_off_switch_leaves_a_plugin_out_before_its_import(site: Site, switch: str) -> None:
    module = site.install("acme", "raise SystemExit")
    entry = only(discover(environ={"PORE_PLUGIN_DISABLE": switch}).report.entry("acme"))
    assert entry.state == "disabled"
    assert module not in sys.modules


def test_a_misspelt_off_switch_is_reported(site: Site) -> None:
    site.install("acme", GOOD)
    problems = discover(environ={"PORE_PLUGIN_DISABLE": "acmee,pore"}).report.problems
    assert [problem.code for problem in problems] == ["extension.unknown_name"] * 2
    assert "Did you mean acme?" in problems[0].sentence
    assert "always runs" in problems[1].sentence


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (ExtensionPolicy(enabled=False), "disabled"),
        (ExtensionPolicy(disabled=("acme",)), "disabled"),
        (ExtensionPolicy(allowed=()), "not-allowed"),
        (ExtensionPolicy(allowed=("acme-pores==2.0.1",)), "not-allowed"),
        (ExtensionPolicy(allowed=("acme",)), "not-allowed"),
        (ExtensionPolicy(allowed=("acme-pores",)), "active"),
        (ExtensionPolicy(allowed=("Acme_Pores==2.0.0",)), "active"),
        (ExtensionPolicy(), "active"),
    ],
)
def test_the_clinic_decides_what_is_let_in(site: Site, policy: ExtensionPolicy, state: str) -> None:
    module = site.install("acme", GOOD, distribution="acme-pores", version="2.0.0")
    assert only(discover(policy, environ={}).report.entry("acme")).state == state
    assert (module in sys.modules) is (state == "active")


def test_an_allow_list_keeps_out_what_the_host_hands_in(site: Site) -> None:
    found = discover(ExtensionPolicy(allowed=("acme",)), {"acme": object()}, environ={})
    assert only(found.report.entry("acme")).state == "not-allowed"


def test_two_plugins_of_one_name_are_both_left_out(site: Site) -> None:
    site.install("acme", GOOD, distribution="north")
    site.install("acme", GOOD, distribution="south")
    entries = discover(environ={}).report.entries
    assert [entry.state for entry in entries] == ["quarantined", "quarantined"]
    assert all(entry.reason and "north and south" in entry.reason.sentence for entry in entries)


@pytest.mark.parametrize("name", ["pore", "clinic", "no spaces"])
def test_reserved_and_odd_names_are_refused(name: str) -> None:
    found = discover(plugins={name: object()}, environ={}, entry_points=False)
    assert only(found.report.entry(name)).state == "quarantined"


def test_the_order_is_precedence_then_order_then_name(site: Site) -> None:
    for name, order in (("zeta", -1), ("beta", 0), ("alpha", 0), ("late", 9), ("first", 99)):
        site.install(name, GOOD + f"PORE_ORDER = {order}")
    found = discover(ExtensionPolicy(precedence=("first",)), environ={})
    assert [plugin.name for plugin in found.plugins] == ["first", "zeta", "alpha", "beta", "late"]


def test_a_slow_import_is_named_with_the_off_switch(site: Site) -> None:
    site.install("snail", "import time\ntime.sleep(0.6)\n" + GOOD, version="0.3")
    stderr = io.StringIO()
    found = discover(environ={}, hang_seconds=0.1, stderr=stderr)
    assert [plugin.name for plugin in found.plugins] == ["snail"]
    assert "snail (dist-snail 0.3) takes longer than 0.1 s" in stderr.getvalue()
    assert "PORE_PLUGIN_DISABLE=snail" in stderr.getvalue()


def test_a_quick_import_is_not_named(site: Site) -> None:
    site.install("acme", GOOD)
    stderr = io.StringIO()
    discover(environ={}, stderr=stderr)
    assert stderr.getvalue() == ""


def test_the_keyboard_still_interrupts(site: Site) -> None:
    site.install("acme", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        discover(environ={})


def test_the_environment_is_the_process_s_unless_given(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("acme", GOOD)
    monkeypatch.setenv("PORE_PLUGIN_DISABLE", "all")
    assert only(discover().report.entry("acme")).state == "disabled"


def test_every_plugin_has_a_manager_of_its_own(site: Site) -> None:
    site.install("north", GOOD)
    site.install("south", GOOD)
    north, south = discover(environ={}).plugins
    assert north.manager is not south.manager
    assert [name for name, _ in north.manager.list_name_plugin()] == ["north"]
