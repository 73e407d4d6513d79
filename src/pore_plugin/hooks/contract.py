"""How a hook is declared: once, with `@contract`, and everything else is read from that declaration.

Dispatch, validation, `docs/hooks.md`, the contract lock and `pore-plugin plugins` use the `HookContract` that the
decorator leaves on the function; `pore_plugin.hooks.table.CONTRACT` holds all of them by name.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType, MappingProxyType
from typing import Any, Literal, TypeVar

__all__ = [
    "CONTRACT_VERSION",
    "FAILURES",
    "MODES",
    "PROJECT",
    "Argument",
    "Door",
    "HookContract",
    "Mode",
    "OnFailure",
    "compatible",
    "contract",
    "contract_of",
]

CONTRACT_VERSION = "0.1.0"
"""Version of hooks and models. While it is 0.x, a plug-in fits the minor it was written for."""

PROJECT = "pore_plugin"
"""The pluggy project name of the extension hooks, and the entry-point group."""

F = TypeVar("F", bound=Callable[..., Any])
Door = Literal["extension", "host"]
Mode = Literal["once", "collect", "first", "notify", "call"]
OnFailure = Literal[
    "quarantine-plugin",
    "quarantine-contribution",
    "missing-adapter",
    "keep-draft",
    "review-finding",
    "drop-edits",
    "next",
    "isolate",
    "problem-document",
]

MODES: Mapping[Mode, str] = MappingProxyType(
    {
        "once": "called once for each plug-in, after it is registered",
        "collect": "every plug-in is asked, and the answers are joined in order",
        "first": "plug-ins are asked in order until one answers; the built-in answers last, always",
        "notify": "every plug-in is told; nothing is returned",
        "call": "one answer from pore-plugin",
    }
)

FAILURES: Mapping[OnFailure, str] = MappingProxyType(
    {
        "quarantine-plugin": "The plug-in is quarantined: none of its hooks is called again.",
        "quarantine-contribution": "Everything this call contributed is left out; the plug-in's other hooks stay.",
        "missing-adapter": "Its adapters are left out; start-up stops when the configured adapter is missing.",
        "keep-draft": "Closed: the answers are kept as a draft and are not accepted.",
        "review-finding": "Closed: a `review` finding `extension.failed` names the plug-in; valid findings stay.",
        "drop-edits": "All its edits are dropped and the plan carries a flag that says so.",
        "next": "The next plug-in is asked.",
        "isolate": "The failure is logged and nobody else notices.",
        "problem-document": "A `problem-report` document is returned; no exception leaves the call.",
    }
)

_PLAIN = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)


@dataclass(frozen=True, slots=True)
class Argument:
    """A hook argument: its name and its type as the declaration writes it."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name}: {self.type}"


@dataclass(frozen=True, slots=True)
class HookContract:
    """Everything a hook promises. `returns` is the type of one returned item, or a published contract name."""

    name: str
    door: Door
    mode: Mode
    arguments: tuple[Argument, ...]
    returns: Any
    returns_text: str
    accepts: str | None
    on_failure: OnFailure
    none_means: str
    since: str
    deprecated: str | None
    doc: str

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The names of the arguments in order; an implementation takes any of them, by name."""
        return tuple(argument.name for argument in self.arguments)

    @property
    def signature(self) -> str:
        """The exact declaration, as Python writes it."""
        return f"def {self.name}({', '.join(map(str, self.arguments))}) -> {self.returns_text}"

    @property
    def example(self) -> str:
        """The runnable example, relative to the repository."""
        return f"examples/hooks/{self.name if self.door == 'extension' else 'host'}.py"


def contract(
    *,
    mode: Mode,
    returns: Any,
    on_failure: OnFailure,
    none_means: str,
    accepts: str | None = None,
    door: Door = "extension",
    since: str = "0.1",
    deprecated: str | None = None,
) -> Callable[[F], F]:
    """Declare a hook: the decorated function gives name, arguments and docstring, the keywords the promises.

    `accepts` and a string in `returns` are names of published contracts (the host's door). Raises `TypeError` for
    a declaration with defaults, `*args`, `**kwargs`, keyword-only arguments, a missing annotation or docstring:
    pluggy versions differ in what they pass to those.
    """

    def declare(function: F) -> F:
        function.pore_contract = HookContract(  # type: ignore[attr-defined]
            name=function.__name__,
            door=door,
            mode=mode,
            arguments=_arguments(function),
            returns=returns,
            returns_text=_text(function, "return"),
            accepts=accepts,
            on_failure=on_failure,
            none_means=none_means,
            since=since,
            deprecated=deprecated,
            doc=_doc(function),
        )
        return function

    return declare


def contract_of(function: object) -> HookContract | None:
    """Return the contract that `@contract` left on a function, or `None`."""
    found = getattr(function, "pore_contract", None)
    return found if isinstance(found, HookContract) else None


def compatible(declared: str, ours: str = CONTRACT_VERSION) -> bool:
    """Say whether a plug-in written for contract `declared` (`0.1` or `0.1.2`) runs under `ours`.

    0.x: the same minor and no later patch. From 1.0: the same major and nothing later. Raises `ValueError` for
    text that is not such a version.
    """
    theirs, mine = _parts(declared), _parts(ours)
    same = 2 if mine[0] == 0 else 1
    return theirs[:same] == mine[:same] and theirs <= mine


def _parts(version: str) -> tuple[int, int, int]:
    parts = version.split(".")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError("a contract version is written 0.1 or 0.1.2")
    major, minor, patch = (*map(int, parts), 0)[:3]
    return major, minor, patch


def _arguments(function: Callable[..., Any]) -> tuple[Argument, ...]:
    if not isinstance(function, FunctionType):
        raise TypeError("a hook is declared by a plain function")
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind not in _PLAIN or parameter.default is not inspect.Parameter.empty:
            raise TypeError(f"{function.__name__}: a hook argument is plain and has no default ({parameter.name})")
    return tuple(Argument(parameter.name, _text(function, parameter.name)) for parameter in parameters)


def _text(function: Callable[..., Any], name: str) -> str:
    # The declarations are compiled with postponed annotations, so this is the annotation as written.
    annotation = function.__annotations__.get(name)
    if not isinstance(annotation, str):
        raise TypeError(f"{function.__name__}: {name} needs a postponed annotation")
    return annotation


def _doc(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise TypeError(f"{function.__name__}: a hook needs a docstring")
    return text
