"""Finding plug-ins: entry points of the group `pore_plugin` and what the host hands in, checked and put in order.

`PORE_PLUGIN_DISABLE` (`all`, or names with commas) leaves extensions out before they are imported; with
`PORE_PLUGIN_STRICT=1` whatever would be quarantined raises instead. The built-in is not an entry point and is not
reached by either.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TextIO

from ..contracts import ExtensionPolicy, LoadReport, PluginEntry, PluginState, Problem
from .contract import CONTRACT_VERSION, PROJECT
from .faults import LOG, ExtensionError, fault, nearest
from .inspection import BUILTIN, RESERVED, Loaded, RefusedError, inspected

__all__ = ["DISABLE", "STRICT", "Extensions", "discover"]

DISABLE = "PORE_PLUGIN_DISABLE"
STRICT = "PORE_PLUGIN_STRICT"
HANG_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Extensions:
    """The active plug-ins in the order in which they are called, and the report on all that were found."""

    plugins: tuple[Loaded, ...]
    report: LoadReport
    strict: bool = False

    def without(self, reasons: Mapping[str, Problem]) -> Extensions:
        """Return the extensions with the named plug-ins dropped whole and reported as quarantined."""
        entries = tuple(
            entry.model_copy(update={"state": "quarantined", "reason": reasons[entry.name]})
            if entry.name in reasons
            else entry
            for entry in self.report.entries
        )
        kept = tuple(plugin for plugin in self.plugins if plugin.name not in reasons)
        return replace(self, plugins=kept, report=self.report.model_copy(update={"entries": entries}))


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    distribution: str | None
    version: str | None
    load: Callable[[], Any]

    @property
    def label(self) -> str:
        origin = " ".join(part for part in (self.distribution, self.version) if part)
        return f"{self.name[:64]} ({origin})" if origin else self.name[:64]


def discover(
    policy: ExtensionPolicy | None = None,
    plugins: Mapping[str, object] = MappingProxyType({}),
    *,
    entry_points: bool = True,
    environ: Mapping[str, str] | None = None,
    hang_seconds: float = HANG_SECONDS,
    stderr: TextIO | None = None,
) -> Extensions:
    """Return the extensions that the clinic's policy and the environment let in.

    `plugins` are modules or objects that the host hands in, by name, besides the installed entry points (which
    `entry_points=False` leaves out). Nothing that a plug-in does while it is loaded leaves this call, except
    `KeyboardInterrupt`, and `ExtensionError` in strict mode. An import that takes longer than `hang_seconds` is
    named on `stderr` while it runs.
    """
    policy = policy or ExtensionPolicy()
    environ = os.environ if environ is None else environ
    strict = environ.get(STRICT, "") not in ("", "0")
    found = [*(_installed() if entry_points else ()), *_handed_in(plugins)]
    off = {word.strip() for word in environ.get(DISABLE, "").split(",") if word.strip()}
    times = Counter(candidate.name for candidate in found)
    active: list[Loaded] = []
    others: list[PluginEntry] = []
    for candidate in found:
        try:
            _admit(candidate, policy, off, [other for other in found if other.name == candidate.name])
            with _watched(candidate, hang_seconds, stderr):
                active.append(_loaded(candidate))
        except RefusedError as refused:
            if strict and refused.state in ("quarantined", "incompatible"):
                raise ExtensionError([refused.reason]) from refused.__cause__
            if refused.state != "disabled":
                LOG.warning("%s %s: %s", candidate.label, refused.state, refused.reason.code)
            others.append(_left_out(candidate, refused.reason, refused.state))
    rank = {name: index for index, name in enumerate(policy.precedence)}
    active.sort(key=lambda plugin: (rank.get(plugin.name, len(rank)), plugin.order, plugin.name))
    others.sort(key=lambda entry: (entry.name, entry.distribution or ""))
    report = LoadReport(
        contract_version=CONTRACT_VERSION,
        entries=(*(plugin.entry for plugin in active), *others),
        problems=tuple(_idle_settings(policy, off, sorted(times))),
    )
    return Extensions(tuple(active), report, strict)


def _installed() -> Iterator[_Found]:
    # Imported here: it costs as much as everything else in this package together.
    from importlib import metadata

    for point in sorted(metadata.entry_points(group=PROJECT), key=lambda point: (point.name, point.value)):
        distribution = point.dist
        yield _Found(
            point.name,
            distribution.name if distribution else None,
            distribution.version if distribution else None,
            point.load,
        )


def _handed_in(plugins: Mapping[str, object]) -> Iterator[_Found]:
    for name, plugin in plugins.items():
        yield _Found(name, None, None, lambda plugin=plugin: plugin)  # type: ignore[misc]


def _admit(candidate: _Found, policy: ExtensionPolicy, off: set[str], namesakes: Sequence[_Found]) -> None:
    """Refuse what may not even be imported."""

    def refuse(state: PluginState, code: str, sentence: str, next_step: str) -> RefusedError:
        whole = f"The extension {candidate.label} is left out. {sentence}"
        return RefusedError(fault(code, whole, next_step, plugin=candidate.name), state)

    if "all" in off or candidate.name in off:
        raise refuse("disabled", "extension.disabled", f"{DISABLE} says so.", f"Change {DISABLE} to let it in.")
    if not policy.enabled or candidate.name in policy.disabled:
        raise refuse(
            "disabled", "extension.disabled", "The clinic settings say so.", "Change `extensions` in the settings."
        )
    if policy.allowed is not None and not _allowed(candidate, policy.allowed):
        raise refuse(
            "not-allowed",
            "extension.not_allowed",
            "Its distribution and version are not on the clinic's list.",
            "Add it to `extensions.allowed` in the settings, as distribution==version.",
        )
    if candidate.name in RESERVED:
        raise refuse("quarantined", "extension.name", "Its name is reserved.", "Give it another name.")
    if len(namesakes) > 1:
        authors = " and ".join(sorted(other.distribution or "the host" for other in namesakes))
        raise refuse(
            "quarantined",
            "extension.duplicate_name",
            f"Several extensions have this name: from {authors}.",
            "Uninstall or rename all but one.",
        )


def _allowed(candidate: _Found, allowed: Sequence[str]) -> bool:
    if candidate.distribution is None:
        return False
    own = _normal(candidate.distribution)
    lines = [line.partition("==") for line in allowed]
    return any(_normal(name) == own and version.strip() in ("", candidate.version) for name, _, version in lines)


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def _loaded(candidate: _Found) -> Loaded:
    try:
        return inspected(candidate.name, candidate.load(), candidate.distribution, candidate.version)
    except RefusedError:
        raise
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        detail = f": {error}"[:200] if isinstance(error, ImportError) else ""
        what = "It tried to end the program" if isinstance(error, SystemExit) else f"Loading it raised {kind}"
        raise RefusedError(
            fault(
                "extension.import_failed",
                f"The extension {candidate.label} is left out. {what}{detail}.",
                f"Tell its author; with {STRICT}=1 the traceback is shown.",
                plugin=candidate.name,
            )
        ) from error


@contextmanager
def _watched(candidate: _Found, seconds: float, stream: TextIO | None) -> Iterator[None]:
    """Name a plug-in whose import hangs, with the way to start without it."""

    def say() -> None:
        print(
            f"pore-plugin: loading the extension {candidate.label} takes longer than {seconds:g} s. "
            f"To start without it, set {DISABLE}={candidate.name[:64]} (or {DISABLE}=all).",
            file=stream or sys.stderr,
            flush=True,
        )

    timer = threading.Timer(seconds, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _left_out(candidate: _Found, reason: Problem, state: PluginState) -> PluginEntry:
    return PluginEntry(
        name=candidate.name,
        distribution=candidate.distribution,
        version=candidate.version,
        state=state,
        reason=reason,
    )


def _idle_settings(policy: ExtensionPolicy, off: set[str], names: list[str]) -> Iterator[Problem]:
    """Say which setting names no plug-in: a misspelt off switch must not look like one that works."""
    for where, words in (
        (DISABLE, sorted(off - {"all"})),
        ("extensions.disabled", policy.disabled),
        ("extensions.precedence", policy.precedence),
    ):
        for word in words:
            if word == BUILTIN:
                sentence = f"{where} names the built-in, which always runs and keeps its place."
            elif word not in names:
                sentence = f"{where} names {word[:64]}, and no such extension was found.{nearest(word, names)}"
            else:
                continue
            yield fault("extension.unknown_name", sentence, f"Correct {where}.", warning=True)
