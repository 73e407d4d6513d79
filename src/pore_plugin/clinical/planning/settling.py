"""Which figure holds: the clinic's protocol, a sourced default, an accepted suggestion, or nobody's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Literal

from ...contracts.base import Text
from ...contracts.common import Mark, SourcedNumber
from ...contracts.problems import Problem
from ...contracts.procedure import ClinicProtocol, DroppedField, MissingNumber, PlannedParameter
from ..figures import usable
from ..numbers import exact

__all__ = ["Ledger", "Origin", "Settled", "Sign", "Slot"]

Origin = Literal["template", "suggestion-accepted", "protocol", "label"]
Sign = Literal["positive", "not-negative", "any"]

# Far beyond any real figure, and near enough for every product and quotient of them to be written down.
_LARGEST = _FINEST = 10**6
_WAITING = "The figure found is from a secondary source and waits for the clinic to accept it."
_NOBODY = "No source that may serve as a default gives it, so the clinic's protocol has to."


@dataclass(frozen=True, slots=True, repr=False)
class Settled:
    """A figure that holds for this plan, with where it came from."""

    key: str
    value: Fraction
    text: str
    unit: str
    origin: Origin
    source: str
    mark: Mark | None = None
    checked_on: str | None = None

    def planned(self, title: Text | None = None) -> PlannedParameter:
        """Return it as the plan shows it."""
        return PlannedParameter(
            key=self.key,
            title=title,
            value=self.text,
            unit=self.unit,
            origin=self.origin,
            source=self.source,
            mark=self.mark,
            checked_on=self.checked_on,
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that a figure goes to.

    `key` names it in protocols; `shown` in the plan, where the two differ by a side; `accept` is the key of its
    suggestion without the template id; `path` is the template's pointer to it, empty for a figure of the product;
    `unit` replaces the unit of the sourced number (a toxin figure is read in the product's own unit).
    """

    key: str
    why: str
    path: str = ""
    shown: str = ""
    accept: str = ""
    side: str | None = None
    unit: str = ""
    sign: Sign = "positive"
    origin: Origin = "template"
    required: bool = True


class Ledger:
    """Keeps the account of one planning: what was settled, what is missing, wrong, or left out on purpose."""

    def __init__(self, template_id: str, protocol: ClinicProtocol | None, accepted: Collection[str]) -> None:
        self.problems: list[Problem] = []
        self._template_id = template_id
        self._protocol = protocol
        self._accepted = frozenset(accepted)
        self._own = {item.key: (index, item) for index, item in enumerate(protocol.parameters)} if protocol else {}
        self._missing: dict[str, tuple[MissingNumber, list[str]]] = {}
        self._not_given: dict[str, MissingNumber] = {}
        self._dropped: dict[str, str] = {}
        self._used: set[str] = set()
        if protocol and len(self._own) != len(protocol.parameters):
            self.wrong("plan.duplicate_key", "The protocol gives a figure twice.", "Keep one of them.", "/parameters")

    @property
    def missing(self) -> tuple[MissingNumber, ...]:
        """Every figure that is needed and that nobody gave, each key once."""
        return tuple(
            number.model_copy(update={"reason": f"{number.reason} Side: {', '.join(sides)}."}) if sides else number
            for number, sides in self._missing.values()
        )

    @property
    def not_given(self) -> tuple[MissingNumber, ...]:
        """Every figure that may be left out and was."""
        return tuple(self._not_given.values())

    @property
    def dropped(self) -> tuple[DroppedField, ...]:
        """Every template field that the plan leaves out, and why; a field that is used anywhere is not dropped."""
        return tuple(
            DroppedField(path=path, reason=reason)
            for path, reason in self._dropped.items()
            if not any(used == path or used.startswith(f"{path}/") for used in self._used)
        )

    def wrong(self, code: str, sentence: str, next_step: str, pointer: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(code=code, sentence=sentence, next_step=next_step, pointer=pointer))

    def drop(self, path: str, reason: str) -> None:
        """Note a template field that the plan leaves out on purpose."""
        self._dropped.setdefault(path, reason)

    def usable(self, number: SourcedNumber, slot: Slot) -> Origin | None:
        """Say whether the sourced number itself may serve: as a default, as an accepted suggestion, or not."""
        standing = usable(number, self._accept_key(slot), self._accepted)
        return "suggestion-accepted" if standing == "accepted" else standing and slot.origin

    def look(self, number: SourcedNumber, slot: Slot, given: str | None = None) -> Settled | None:
        """Return the figure that holds for a slot; otherwise it is noted as missing, or as not given.

        `given` is the protocol's value where the protocol has a member of its own for the slot.
        """
        if given is None and slot.key in self._own:
            index, own = self._own[slot.key]
            if own.unit != (slot.unit or number.unit):
                self.wrong(
                    "plan.unit",
                    f"The protocol gives {slot.key} in another unit than its template.",
                    f"Give it in {slot.unit or number.unit}; nothing is converted.",
                    f"/parameters/{index}/unit",
                )
                return None
            given = own.value
        if given is not None:
            if slot.path:
                self.drop(slot.path, "The clinic's protocol supplies this figure.")
            return self.take(given, number.unit, slot)
        origin = self.usable(number, slot)
        if origin is None or number.value is None:
            self.miss(number, slot)
            return None
        self._used.add(slot.path)
        if slot.unit and slot.path:
            self.drop(f"{slot.path}/unit", "Read in the product's own unit.")
        unit = slot.unit or number.unit
        shown = slot.shown or slot.key
        value = exact(number.value)
        settled = Settled(shown, value, number.value, unit, origin, number.source, number.mark, number.checked_on)
        return settled if self._fits(settled, slot, f"{slot.path}/value") else None

    def take(self, text: str, unit: str, slot: Slot) -> Settled | None:
        """Return a figure that the protocol gives."""
        protocol = self._protocol
        source = f"{protocol.id} {protocol.version}" if protocol else "clinic protocol"
        if protocol and protocol.responsible:
            source = f"{source}, {protocol.responsible}"
        settled = Settled(slot.shown or slot.key, exact(text), text, slot.unit or unit, "protocol", source)
        return settled if self._fits(settled, slot, "") else None

    def miss(self, number: SourcedNumber, slot: Slot) -> None:
        """Note that nobody gave the figure, with the suggestion that the clinic may accept."""
        suggestion = number.value if number.mark == "T" else None
        lacking = MissingNumber(
            key=slot.key,
            unit=slot.unit or number.unit,
            reason=f"{slot.why} {_WAITING if suggestion is not None else _NOBODY}",
            suggestion=suggestion,
            source=number.source,
            accept=self._accept_key(slot) if suggestion is not None else None,
        )
        if not slot.required:
            self._not_given.setdefault(slot.key, lacking)
            return
        _, sides = self._missing.setdefault(slot.key, (lacking, []))
        if slot.side is not None:
            sides.append(slot.side)

    def check_keys(self, known: Iterable[str]) -> None:
        """Refuse protocol figures that no slot of the template asks for."""
        keys = set(known)
        for key, (index, _) in self._own.items():
            if key not in keys:
                near = get_close_matches(key, sorted(keys), n=1)
                self.wrong(
                    "plan.unknown_key",
                    "The protocol gives a figure that this template does not ask for.",
                    f"Did you mean {near[0]}?" if near else "Remove it; regions and dilution have their own members.",
                    f"/parameters/{index}/key",
                )

    def _accept_key(self, slot: Slot) -> str:
        return f"{self._template_id}/{slot.accept or slot.key}"

    def _fits(self, settled: Settled, slot: Slot, pointer: str) -> bool:
        if abs(settled.value) > _LARGEST or settled.value * _FINEST != int(settled.value * _FINEST):
            self.wrong(
                "plan.out_of_range",
                f"The figure {slot.key} is larger than a million or finer than a millionth.",
                "Correct the figure.",
                pointer,
            )
            return False
        too_small = settled.value <= 0 if slot.sign == "positive" else settled.value < 0
        if slot.sign == "any" or not too_small:
            return True
        least = "above zero" if slot.sign == "positive" else "zero or more"
        self.wrong("plan.not_positive", f"The figure {slot.key} must be {least}.", "Correct the figure.", pointer)
        return False
