"""What a plug-in must look like before it is let in: its declarations and its hook implementations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pluggy import PluginManager

from ..contracts import PluginEntry, PluginState, Problem
from . import specs
from .contract import CONTRACT_VERSION, PROJECT, HookContract, compatible
from .faults import fault, nearest
from .table import EXTENSION_HOOKS

__all__ = ["BUILTIN", "RESERVED", "Loaded", "RefusedError", "inspected"]

BUILTIN = "pore"
"""Name and vendor of what this package itself contributes."""

RESERVED = frozenset({BUILTIN, "clinic"})
"""Names of authors that are no extension."""
_MARKER = f"{PROJECT}_impl"
_NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_VENDOR = re.compile(r"[a-z][a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plug-in that was let in, alone in its own plug-in manager."""

    name: str
    distribution: str | None
    version: str | None
    vendor: str
    contract: str
    order: int
    hooks: tuple[str, ...]
    manager: PluginManager

    @property
    def label(self) -> str:
        """Name and version, as problems say them."""
        return f"{self.name} {self.version}" if self.version else self.name

    @property
    def entry(self) -> PluginEntry:
        """The plug-in as the load report shows it."""
        return PluginEntry(
            name=self.name,
            distribution=self.distribution,
            version=self.version,
            vendor=self.vendor,
            contract=self.contract,
            order=self.order,
            state="active",
            hooks=self.hooks,
        )


class RefusedError(Exception):
    """A plug-in is not let in: the state it gets, and the first reason."""

    def __init__(self, reason: Problem, state: PluginState = "quarantined") -> None:
        self.reason = reason
        self.state = state
        super().__init__(reason.code)


def inspected(name: str, plugin: Any, distribution: str | None, version: str | None) -> Loaded:
    """Return the plug-in, registered in a manager of its own. Raises `RefusedError`, or whatever the plug-in raises."""
    if not _NAME.fullmatch(name) or len(name) > 64:
        raise _refused(name, "extension.name", "Its name is not a short word of letters, digits, `.`, `_` and `-`.")
    if inspect.isclass(plugin):
        raise _refused(name, "extension.is_class", "It is a class.", "Name a module or an instance in the entry point.")
    contract = _contract(name, plugin)
    vendor = _vendor(name, plugin)
    order = getattr(plugin, "PORE_ORDER", 0)
    if type(order) is not int:
        raise _refused(name, "extension.order", "PORE_ORDER is not a whole number.")
    hooks = tuple(sorted(_implementations(name, plugin)))
    manager = PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    manager.register(plugin, name)
    if version is None and isinstance(getattr(plugin, "__version__", None), str):
        version = plugin.__version__
    return Loaded(name, distribution, version, vendor, contract, order, hooks, manager)


def _refused(
    plugin: str, code: str, sentence: str, next_step: str = "Tell its author.", hook: str = ""
) -> RefusedError:
    whole = f"The extension {plugin[:64]} is left out. {sentence}"
    return RefusedError(fault(code, whole, next_step, plugin=plugin, hook=hook or None))


def _contract(name: str, plugin: Any) -> str:
    declared = getattr(plugin, "PORE_CONTRACT", None)
    if declared is None:
        raise _refused(
            name,
            "extension.contract_missing",
            "It does not say which contract it was written for.",
            f'Its author sets PORE_CONTRACT = "{CONTRACT_VERSION.rpartition(".")[0]}".',
        )
    try:
        fits = compatible(declared)
    except (AttributeError, ValueError):
        raise _refused(
            name, "extension.contract_invalid", "PORE_CONTRACT is not a version.", 'It is written like "0.1".'
        ) from None
    if not fits:
        sentence = f"It was written for contract {declared[:20]}; this is contract {CONTRACT_VERSION}."
        refused = _refused(name, "extension.incompatible", sentence, "Install a version of it for this contract.")
        raise RefusedError(refused.reason, "incompatible")
    return str(declared)


def _vendor(name: str, plugin: Any) -> str:
    vendor = getattr(plugin, "PORE_VENDOR", None)
    if not isinstance(vendor, str) or not _VENDOR.fullmatch(vendor) or len(vendor) > 32:
        raise _refused(
            name,
            "extension.vendor",
            "PORE_VENDOR is missing or not one lower-case word.",
            "It is the first part of every id the extension contributes, such as acme.",
        )
    if (vendor == BUILTIN) != (name == BUILTIN):
        raise _refused(name, "extension.vendor", f"The vendor {BUILTIN} is reserved.", "Choose another vendor.")
    return vendor


def _implementations(name: str, plugin: Any) -> Iterator[str]:
    found: set[str] = set()
    for attribute in dir(plugin):
        member = inspect.getattr_static(plugin, attribute, None)
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        options = getattr(function, _MARKER, None) if inspect.isroutine(function) else None
        if not isinstance(options, dict):
            if attribute in EXTENSION_HOOKS and callable(member):
                sentence = f"{attribute} is not marked with @hookimpl and would never be called."
                raise _refused(name, "extension.hook_unmarked", sentence, hook=attribute)
            continue
        hook = options.get("specname") or attribute
        contract = EXTENSION_HOOKS.get(hook)
        if contract is None:
            if options.get("optionalhook"):
                continue
            sentence = f"There is no hook {hook[:64]}.{nearest(hook, EXTENSION_HOOKS)}"
            raise _refused(name, "extension.hook_unknown", sentence)
        if hook in found:
            raise _refused(name, "extension.hook_twice", f"It implements {hook} twice.", hook=hook)
        _check(name, contract, getattr(plugin, attribute), options)
        found.add(hook)
    yield from found


def _check(name: str, contract: HookContract, function: Any, options: dict[str, Any]) -> None:
    hook = contract.name
    if options.get("wrapper") or options.get("hookwrapper"):
        raise _refused(name, "extension.hook_wrapper", f"{hook} is a wrapper.", "Wrappers are not used.", hook)
    if options.get("tryfirst") or options.get("trylast"):
        sentence = f"{hook} asks for a place by tryfirst or trylast."
        raise _refused(name, "extension.hook_option", sentence, "Set PORE_ORDER instead.", hook)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise _refused(name, "extension.hook_async", f"{hook} is asynchronous.", "Hooks are plain functions.", hook)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            sentence = f"{hook} takes *args, **kwargs or arguments that are not plain."
            raise _refused(name, "extension.hook_argument", sentence, f"The hook is: {contract.signature}", hook)
        if parameter.name not in contract.argument_names:
            sentence = f"{hook} has no argument {parameter.name[:64]}."
            sentence += nearest(parameter.name, contract.argument_names)
            raise _refused(name, "extension.hook_argument", sentence, f"The hook is: {contract.signature}", hook)
        if parameter.default is not inspect.Parameter.empty:
            # pluggy 1.7 passes the caller's value to such an argument, 1.6 the default.
            sentence = f"{hook} gives its argument {parameter.name} a default."
            raise _refused(name, "extension.hook_default", sentence, "Remove the default.", hook)
