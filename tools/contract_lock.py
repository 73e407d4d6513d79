"""The contract in a form that can be compared: model members and hooks, and what a change of them demands.

While the contract is 0.x a breaking change raises the minor and an additive one the patch (or more); from 1.0 on a
breaking change raises the major and an additive one the minor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pore_plugin.hooks.contract import CONTRACT_VERSION
from pore_plugin.hooks.table import CONTRACT

RELEASED = Path(__file__).resolve().parent.parent / "schemas" / "contract.released.json"
_WORDS = frozenset({"title", "description", "examples", "$schema", "$id"})


@dataclass(frozen=True)
class Change:
    """One difference between two locks."""

    breaking: bool
    what: str


def lock(schemas: dict[str, dict[str, Any]], hook_models: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the lock of the present contract: version, contract to model, models with their members, hooks.

    `hook_models` are the schemas of models that cross a hook without being documents of their own.
    """
    contracts = {name: schema["title"] for name, schema in sorted(schemas.items())}
    models: dict[str, Any] = {}
    for schema in [*schemas.values(), *hook_models]:
        for title, model in [(schema["title"], schema), *schema.get("$defs", {}).items()]:
            reduced = members(model)
            if models.setdefault(title, reduced) != reduced:
                raise ValueError(f"two models are called {title}")
    return {
        "contract_version": CONTRACT_VERSION,
        "contracts": contracts,
        "models": dict(sorted(models.items())),
        "hooks": hooks(),
    }


def text_of(lock: dict[str, Any]) -> bytes:
    """Return the lock as JSON with one line for each member, so that a change shows as that line."""

    def compact(entry: Any) -> str:
        return json.dumps(entry, ensure_ascii=False, sort_keys=True)

    def block(entries: dict[str, str], indent: str) -> str:
        lines = ",\n".join(f"{indent}  {compact(key)}: {text}" for key, text in entries.items())
        return "{\n" + lines + "\n" + indent + "}" if entries else "{}"

    def flat(entries: dict[str, Any], indent: str) -> str:
        return block({key: compact(value) for key, value in entries.items()}, indent)

    models = {name: flat(found, "    ") for name, found in lock["models"].items()}
    parts = {
        "contract_version": compact(lock["contract_version"]),
        "contracts": flat(lock["contracts"], "  "),
        "models": block(models, "  "),
        "hooks": flat(lock["hooks"], "  "),
    }
    return (block(parts, "") + "\n").encode()


def members(model: dict[str, Any]) -> dict[str, Any]:
    """Return member to its required flag and bare shape; a definition without members is one shape called `*`."""
    properties = model.get("properties")
    if properties is None:
        return {"*": {"required": True, "shape": _bare(model)}}
    required = model.get("required", [])
    return {
        member: {"required": member in required, "shape": _bare(below)} for member, below in sorted(properties.items())
    }


def hooks() -> dict[str, Any]:
    """Return what every hook of both doors promises, from the hook table."""
    return {
        entry.name: {
            "arguments": {argument.name: argument.type for argument in entry.arguments},
            "door": entry.door,
            "mode": entry.mode,
            "returns": entry.returns_text,
            "published": [entry.accepts, entry.returns if isinstance(entry.returns, str) else None],
            "on_failure": entry.on_failure,
        }
        for entry in sorted(CONTRACT.values(), key=lambda entry: entry.name)
    }


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return what changed from one lock to another, breaking changes first."""
    found: list[Change] = []
    for name in sorted(old["contracts"].keys() | new["contracts"].keys()):
        before, after = old["contracts"].get(name), new["contracts"].get(name)
        if before != after:
            what = "gone" if after is None else "new" if before is None else "made of another model"
            found.append(Change(before is not None, f"contract {name} {what}"))
    for name in sorted(old["models"].keys() & new["models"].keys()):
        # A model that is gone or new shows in the members that referred to it.
        found += _member_changes(name, old["models"][name], new["models"][name])
    for name in sorted(old["hooks"].keys() | new["hooks"].keys()):
        found += _hook_changes(name, old["hooks"].get(name), new["hooks"].get(name))
    return sorted(found, key=lambda change: (not change.breaking, change.what))


def needed_version(old_version: str, found: list[Change]) -> str:
    """Return the least version that the changes allow after `old_version`."""
    major, minor, patch = (int(part) for part in old_version.split("."))
    if not found:
        return old_version
    if any(change.breaking for change in found):
        return f"0.{minor + 1}.0" if major == 0 else f"{major + 1}.0.0"
    return f"0.{minor}.{patch + 1}" if major == 0 else f"{major}.{minor + 1}.0"


def refusal(new: dict[str, Any], released: dict[str, Any] | None = None) -> str:
    """Say which bump a change since the last release needs, or nothing when the version already has it."""
    if released is None:
        if not RELEASED.is_file():
            return ""
        released = json.loads(RELEASED.read_bytes())
    found = changes(released, new)
    needed = needed_version(released["contract_version"], found)
    if _key(new["contract_version"]) >= _key(needed):
        return ""
    kind = "breaking" if found[0].breaking else "additive"
    listed = "".join(f"\n  {'breaking' if change.breaking else 'additive'}: {change.what}" for change in found)
    return (
        f"The contract changed since {released['contract_version']} ({kind}); "
        f"set CONTRACT_VERSION to {needed} or higher, then run make schemas.{listed}"
    )


def _member_changes(model: str, before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    found: list[Change] = []
    for member in sorted(before.keys() | after.keys()):
        what = f"{model}.{member}"
        old, new = before.get(member), after.get(member)
        if old is None or new is None:
            found.append(Change(new is None or new["required"], f"{what} {'gone' if new is None else 'new'}"))
        elif old["required"] != new["required"]:
            # Both ways: one breaks whoever writes the document, the other whoever reads it.
            found.append(Change(True, f"{what} {'is now required' if new['required'] else 'may now be absent'}"))
        elif old["shape"] != new["shape"]:
            found.append(Change(not _widened(old["shape"], new["shape"]), f"{what} has another shape"))
    return found


def _hook_changes(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[Change]:
    if old is None or new is None:
        return [Change(new is None, f"hook {name} {'gone' if new is None else 'new'}")]
    before, after = old["arguments"], new["arguments"]
    found = [
        # pluggy hands an implementation only what it names, so a new argument harms nobody.
        Change(argument in before, f"hook {name} argument {argument} {_verb(before, after, argument)}")
        for argument in sorted(before.keys() | after.keys())
        if before.get(argument) != after.get(argument)
    ]
    promises = sorted((old.keys() | new.keys()) - {"arguments"})
    found += [
        Change(True, f"hook {name} has another {promise}")
        for promise in promises
        if old.get(promise) != new.get(promise)
    ]
    return found


def _verb(before: dict[str, Any], after: dict[str, Any], key: str) -> str:
    return "gone" if key not in after else "new" if key not in before else "has another type"


def _widened(old: Any, new: Any) -> bool:
    """Say whether the new shape only adds enum values or union branches to the old one."""
    if old == new:
        return True
    if isinstance(old, dict) and isinstance(new, dict):
        old, new = _as_enum(old), _as_enum(new)
        if old.keys() != new.keys():
            return False
        return all(
            {repr(item) for item in value} <= {repr(item) for item in new[key]}
            if key in {"enum", "oneOf", "anyOf"}
            else _widened(value, new[key])
            for key, value in old.items()
        )
    return False


def _as_enum(shape: dict[str, Any]) -> dict[str, Any]:
    return {"enum" if key == "const" else key: [value] if key == "const" else value for key, value in shape.items()}


def _bare(schema: Any, *, is_map: bool = False) -> Any:
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    drop = frozenset() if is_map else _WORDS | {"discriminator"}
    return {
        key: value if key in {"enum", "const", "default"} and not is_map else _bare(value, is_map=_holds_names(key))
        for key, value in sorted(schema.items())
        if key not in drop
    }


def _holds_names(keyword: str) -> bool:
    return keyword in {"properties", "patternProperties", "$defs"}


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
