"""What the dispatcher gives back for each hook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ..contracts import Finding, FollowUpEdit, FollowUpStep, Problem
from .returns import Contributed

__all__ = ["Answered", "Collected", "Edits", "Findings", "Placed"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Collected(Generic[T]):
    """What all plug-ins contributed, in order, and what went wrong."""

    items: tuple[Contributed[T], ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What plug-ins say about answers. `accepted` is false on an error or when a plug-in failed: keep the draft."""

    problems: tuple[Problem, ...]
    accepted: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings, the built-in's first; failures are among them, as `safety.unavailable` or `extension.failed`."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Edits:
    """Edits of a follow-up plan with their authors, and sentences for the plan's `flags` on dropped ones."""

    items: tuple[Contributed[FollowUpEdit], ...]
    flags: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A placed step and who placed it."""

    step: FollowUpStep
    plugin: str
    problems: tuple[Problem, ...] = ()
