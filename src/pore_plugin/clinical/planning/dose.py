"""Exact dose arithmetic (clinical.md sections 3 and 11.2): dilution, doses, vials, waste, what a syringe shows.

Volumes are mL, concentrations U/mL, all as `Fraction`; the volume of the powder is neglected, as labels do. Units
belong to a `unit_id`; nothing here converts one into another. What cannot be computed raises `ProblemsError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NoReturn

from ...contracts.problems import Problem, ProblemsError

__all__ = [
    "DilutionStep",
    "Dose",
    "Mix",
    "Reading",
    "Share",
    "Solution",
    "Supply",
    "prepare",
    "read_on_syringe",
    "share_out",
    "total",
]


def refuse(code: str, sentence: str, next_step: str) -> NoReturn:
    """Raise one problem as a `ProblemsError`."""
    raise ProblemsError([Problem(code=code, sentence=sentence, next_step=next_step)])


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Dose:
    """Units of one kind. Adding to or comparing with units of another kind raises `dose.unit_mismatch`."""

    unit_id: str
    units: Fraction

    def __add__(self, other: Dose) -> Dose:
        return Dose(self.unit_id, self.units + self._same(other))

    def __sub__(self, other: Dose) -> Dose:
        return Dose(self.unit_id, self.units - self._same(other))

    def __lt__(self, other: Dose) -> bool:
        return self.units < self._same(other)

    def __le__(self, other: Dose) -> bool:
        return self.units <= self._same(other)

    def __gt__(self, other: Dose) -> bool:
        return self.units > self._same(other)

    def __ge__(self, other: Dose) -> bool:
        return self.units >= self._same(other)

    def __eq__(self, other: object) -> bool:
        return self.units == self._same(other) if isinstance(other, Dose) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.unit_id, self.units))

    def __repr__(self) -> str:
        return "Dose()"

    def _same(self, other: Dose) -> Fraction:
        if other.unit_id != self.unit_id:
            refuse(
                "dose.unit_mismatch",
                "Units of two different products are neither added nor compared.",
                "Look at each product by itself; no conversion exists.",
            )
        return other.units


@dataclass(frozen=True, slots=True)
class DilutionStep:
    """Draw this much of the mix before (`None` = all of it), add this much diluent; mL."""

    id: str
    diluent: str
    add: Fraction
    draw: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Mix:
    """What a step gives each time it is done: `volume` mL holding `units`, of which `taken` mL came from before."""

    step: DilutionStep
    taken: Fraction
    volume: Fraction
    units: Fraction

    @property
    def concentration(self) -> Fraction:
        """U/mL after the step."""
        return self.units / self.volume


@dataclass(frozen=True, slots=True)
class Supply:
    """What a volume of working solution takes, and what is left of it; every vial serves one patient only.

    `batches[i]` says how often step i is done, `left[i]` how many mL of its mix stay over, `left_in_vials` how many
    mL of an undiluted solution do. `waste` is all that was opened and not used, `waste_volume` all mL left.
    """

    vials: int
    batches: tuple[int, ...]
    left: tuple[Fraction, ...]
    left_in_vials: Fraction
    waste: Dose
    waste_volume: Fraction


@dataclass(frozen=True, slots=True)
class Solution:
    """The working solution made from one kind of vial; `vial_volume` is zero for powder. Made by `prepare`."""

    unit_id: str
    vial_units: Fraction
    vial_volume: Fraction
    mixes: tuple[Mix, ...]

    @property
    def concentration(self) -> Fraction:
        """U/mL of the working solution."""
        return self.mixes[-1].concentration if self.mixes else self.vial_units / self.vial_volume

    @property
    def per_tenth(self) -> Fraction:
        """U per 0.1 mL of the working solution."""
        return self.concentration / 10

    def dose(self, volume: Fraction) -> Dose:
        """Return the units in this many mL."""
        return Dose(self.unit_id, volume * self.concentration)

    def volume(self, dose: Dose) -> Fraction:
        """Return the mL that hold this dose. Raises `dose.unit_mismatch` for another product's units."""
        return (dose - Dose(self.unit_id, Fraction(0))).units / self.concentration

    def supply(self, volume: Fraction) -> Supply:
        """Return the whole vials for this many mL and what is left over.

        Each batch of a step is drawn from one batch of the step before; the rests of two are not pooled.
        """
        positive(volume, "The volume to supply")
        volumes = [self.vial_volume, *(mix.volume for mix in self.mixes)]
        counts, left = [ceil(volume / volumes[-1])], [-volume]
        for before, mix in zip(reversed(volumes[:-1]), reversed(self.mixes), strict=True):
            each = floor(before / mix.taken) if mix.taken else 1
            left.insert(0, -counts[0] * mix.taken)
            counts.insert(0, ceil(Fraction(counts[0], each)))
        left = [rest + count * each for rest, count, each in zip(left, counts, volumes, strict=True)]
        waste = Dose(self.unit_id, counts[0] * self.vial_units) - self.dose(volume)
        return Supply(counts[0], tuple(counts[1:]), tuple(left[1:]), left[0], waste, sum(left, Fraction(0)))


def prepare(
    unit_id: str, vial_units: Fraction, steps: Sequence[DilutionStep], vial_volume: Fraction = Fraction(0)
) -> Solution:
    """Return the working solution of a vial of powder, or of `vial_volume` mL of ready-to-use solution.

    Raises `dose.not_positive`, `dose.no_concentration` (powder without diluent), `dose.draw_powder` and
    `dose.draw_exceeds` (more is drawn than the step before gives).
    """
    positive(vial_units, "The units of the vial")
    at_least_zero(vial_volume, "The volume of the vial")
    volume, units = vial_volume, vial_units
    mixes: list[Mix] = []
    for step in steps:
        at_least_zero(step.add, "The added diluent")
        taken = volume if step.draw is None else positive(step.draw, "The drawn volume")
        if taken > volume:
            if not volume:
                refuse("dose.draw_powder", "A dilution step draws from dry powder.", "Add diluent to the vial first.")
            refuse(
                "dose.draw_exceeds",
                "A dilution step draws more than the step before gives.",
                "Lower the draw or add more diluent in the step before.",
            )
        units = units * taken / volume if volume else units
        volume = taken + step.add
        if not volume:
            _no_concentration()
        mixes.append(Mix(step, taken, volume, units))
    if not volume:
        _no_concentration()
    return Solution(unit_id, vial_units, vial_volume, tuple(mixes))


@dataclass(frozen=True, slots=True)
class Share:
    """What one region and side gets in all; the figures per point are nominal and never summed."""

    points: int
    volume: Fraction
    dose: Dose

    @property
    def volume_per_point(self) -> Fraction:
        """mL per point, nominal."""
        return self.volume / self.points

    @property
    def units_per_point(self) -> Fraction:
        """U per point, nominal."""
        return self.dose.units / self.points


def share_out(
    solution: Solution,
    points: int,
    *,
    volume_per_point: Fraction | None = None,
    volume: Fraction | None = None,
    units: Fraction | None = None,
) -> Share:
    """Return what a region and side gets, from the points and exactly one of the three measures.

    Raises `dose.measure` unless exactly one is given, `dose.not_positive` for what is not above zero.
    """
    positive(Fraction(points), "The number of points")
    given = [value for value in (volume_per_point, volume, units) if value is not None]
    if len(given) != 1:
        refuse(
            "dose.measure",
            "A region needs exactly one of volume per point, volume and units.",
            "Give one of the three; the others follow from it.",
        )
    positive(given[0], "The measure of a region")
    if units is not None:
        return Share(points, units / solution.concentration, Dose(solution.unit_id, units))
    in_all = volume if volume is not None else points * given[0]
    return Share(points, in_all, solution.dose(in_all))


def total(unit_id: str, doses: Iterable[Dose]) -> Dose:
    """Return the sum; raises `dose.unit_mismatch` as soon as one dose is of another kind."""
    return sum(doses, Dose(unit_id, Fraction(0)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a syringe can show of a volume: `on_mark` exactly, `below` the first mark, `nearest` mark in mL."""

    on_mark: bool
    below: bool
    nearest: Fraction


def read_on_syringe(volume: Fraction, graduation: Fraction) -> Reading:
    """Return how a volume reads on a syringe whose smallest step is `graduation` mL (halves go to the even mark)."""
    positive(graduation, "The graduation of the syringe")
    marks = volume / graduation
    return Reading(marks.denominator == 1, volume < graduation, round(marks) * graduation)


def positive(value: Fraction, what: str) -> Fraction:
    """Return the value; raises `dose.not_positive` unless it is above zero."""
    if value <= 0:
        refuse("dose.not_positive", f"{what} must be above zero.", "Correct the figure.")
    return value


def at_least_zero(value: Fraction, what: str) -> Fraction:
    """Return the value; raises `dose.not_positive` when it is below zero."""
    if value < 0:
        refuse("dose.not_positive", f"{what} must not be below zero.", "Correct the figure.")
    return value


def _no_concentration() -> NoReturn:
    refuse(
        "dose.no_concentration",
        "This vial has no volume, so its solution has no concentration.",
        "Give the diluent that is added, or the volume of the ready-to-use solution.",
    )
