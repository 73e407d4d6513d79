"""The table of all hooks of both doors, by name."""

from types import FunctionType, ModuleType

from ..contracts import FrozenMap
from . import host_specs, specs
from .contract import HookContract, contract_of

__all__ = ["CONTRACT", "EXTENSION_HOOKS", "HOST_HOOKS"]


def _declared(module: ModuleType) -> dict[str, HookContract]:
    found = [contract_of(value) for value in vars(module).values() if isinstance(value, FunctionType)]
    return {entry.name: entry for entry in found if entry is not None}


EXTENSION_HOOKS: FrozenMap[HookContract] = FrozenMap(_declared(specs))
HOST_HOOKS: FrozenMap[HookContract] = FrozenMap(_declared(host_specs))
CONTRACT: FrozenMap[HookContract] = FrozenMap({**EXTENSION_HOOKS, **HOST_HOOKS})
"""Every hook, the extension hooks first, in the order of their declaration."""
