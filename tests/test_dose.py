"""Dose arithmetic: the test vectors of clinical.md section 3, and what holds for every dilution."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pore_plugin.clinical.planning.dose import (
    DilutionStep,
    Dose,
    Solution,
    prepare,
    read_on_syringe,
    share_out,
    total,
)
from pore_plugin.contracts.problems import ProblemsError
from pore_plugin.contracts.products import within_label_tolerance

F = Fraction
ONA, INCO, ABO = "pore.unit.ona", "pore.unit.bocouture", "pore.unit.azzalure"


def powder(unit_id: str, units: str, *adds: str) -> Solution:
    """Return a vial with diluent added once."""
    return prepare(unit_id, F(units), [DilutionStep("step-1", "saline", F(add)) for add in adds])


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(ProblemsError) as caught:
        action()
    (problem,) = caught.value.problems
    assert problem.sentence
    assert problem.next_step
    return problem.code


class TestVectors:
    """One test for each row of the table."""

    def test_ona_100_in_2_5_ml_then_half_and_half(self) -> None:
        first = DilutionStep("step-1", "saline", F("2.5"))
        second = DilutionStep("step-2", "saline", F("0.5"), draw=F("0.5"))
        solution = prepare(ONA, F(100), [first, second])
        vial, syringe = solution.mixes
        assert (vial.volume, vial.units, vial.concentration) == (F("2.5"), 100, 40)
        assert (syringe.volume, syringe.units, syringe.concentration) == (1, 20, 20)
        assert solution.concentration == 20

    def test_inco_100_in_5_ml_of_which_92_u_are_used(self) -> None:
        solution = powder(INCO, "100", "5")
        assert solution.concentration == 20
        volume = solution.volume(Dose(INCO, F(92)))
        assert volume == F("4.6")
        supply = solution.supply(volume)
        assert (supply.vials, supply.waste, supply.waste_volume) == (1, Dose(INCO, F(8)), F("0.4"))

    @pytest.mark.parametrize(
        ("points", "volume", "units"), [(100, F("0.01"), F("0.2")), (120, F(1, 120), F(1, 6))], ids=["100", "120"]
    )
    def test_1_ml_of_20_u_per_ml_over_many_points(self, points: int, volume: F, units: F) -> None:
        share = share_out(powder(INCO, "100", "5"), points, volume=F(1))
        assert (share.volume, share.dose) == (1, Dose(INCO, F(20)))
        assert (share.volume_per_point, share.units_per_point) == (volume, units)
        reading = read_on_syringe(share.volume_per_point, F("0.01"))
        assert reading.below is (points == 120)
        assert reading.nearest == F("0.01")

    def test_abo_300_in_2_5_ml_is_120_and_the_label_says_125(self) -> None:
        computed = powder(ABO, "300", "2.5").concentration
        assert computed == 120
        assert within_label_tolerance(computed, F(10) / F("0.08"))

    def test_abo_125_in_0_63_ml_is_198_4_and_the_label_says_200(self) -> None:
        computed = powder(ABO, "125", "0.63").concentration
        assert computed == F(12500, 63)
        assert round(computed, 1) == F("198.4")
        assert within_label_tolerance(computed, F(10) / F("0.05"))

    def test_daxi_100_in_1_2_ml_is_83_33_and_the_label_says_80(self) -> None:
        solution = powder("pore.unit.daxxify", "100", "1.2")
        assert solution.concentration == F(250, 3)
        assert solution.per_tenth == F(25, 3)
        assert within_label_tolerance(solution.concentration, F(8) / F("0.1"))

    def test_ona_and_abo_of_one_session_have_no_sum(self) -> None:
        doses = [Dose(ONA, F(20)), Dose(ABO, F(50))]
        assert code_of(lambda: total(ONA, doses)) == "dose.unit_mismatch"


def test_the_label_of_ona_gives_4_u_per_tenth() -> None:
    for units, diluent in (("50", "1.25"), ("100", "2.5")):
        assert powder(ONA, units, diluent).per_tenth == 4


@pytest.mark.parametrize(
    ("computed", "inside"), [("95", True), ("105", True), ("94.999", False), ("105.001", False), ("100", True)]
)
def test_exactly_five_percent_of_the_label_is_inside(computed: str, inside: bool) -> None:
    assert within_label_tolerance(F(computed), F(100)) is inside


def test_the_tolerance_is_measured_on_the_label_and_not_on_the_computed_figure() -> None:
    assert within_label_tolerance(F(105), F(100))
    assert not within_label_tolerance(F(100), F(105) + F(1, 1000) + F(1))


OPERATIONS: dict[str, Callable[[Dose, Dose], object]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@pytest.mark.parametrize("sign", OPERATIONS)
def test_units_of_two_products_never_meet(sign: str) -> None:
    assert code_of(lambda: OPERATIONS[sign](Dose(ONA, F(1)), Dose(INCO, F(1)))) == "dose.unit_mismatch"


def test_units_of_one_product_add_and_compare() -> None:
    small, large = Dose(ONA, F(1)), Dose(ONA, F(3))
    assert small + large - small == large
    assert small < large
    assert small <= large
    assert large > small
    assert large >= small
    assert small != large
    assert small != "1"
    assert len({small, Dose(ONA, F(1))}) == 1
    assert total(ONA, []) == Dose(ONA, F(0))


def test_a_dose_shows_nothing_in_a_traceback() -> None:
    assert repr(Dose(ONA, F(17))) == "Dose()"


def test_volume_of_another_products_dose_is_refused() -> None:
    assert code_of(lambda: powder(INCO, "100", "5").volume(Dose(ONA, F(20)))) == "dose.unit_mismatch"


def test_a_ready_to_use_solution_needs_no_dilution() -> None:
    solution = prepare("pore.unit.speywood", F(125), [], F("0.625"))
    assert (solution.concentration, solution.per_tenth, solution.mixes) == (200, 20, ())
    supply = solution.supply(F("0.7"))
    assert (supply.vials, supply.batches) == (2, ())
    assert supply.left_in_vials == supply.waste_volume == F("0.55")
    assert supply.waste == Dose("pore.unit.speywood", F(110))


def test_a_ready_to_use_solution_can_be_thinned_from_a_part_of_the_vial() -> None:
    solution = prepare("pore.unit.x", F(100), [DilutionStep("step-1", "saline", F("0.3"), draw=F("0.2"))], F(1))
    assert solution.concentration == 40
    supply = solution.supply(F("2.6"))
    # Five draws of 0.2 mL leave one vial; six batches of 0.5 mL are needed.
    assert (supply.batches, supply.vials) == ((6,), 2)
    assert supply.left == (F("0.4"),)
    assert supply.left_in_vials == F("0.8")
    assert supply.waste == Dose("pore.unit.x", F(96))


def test_the_second_step_decides_how_many_vials_are_needed() -> None:
    steps = [DilutionStep("a", "saline", F("2.5")), DilutionStep("b", "saline", F(1), draw=F(1))]
    solution = prepare(ONA, F(100), steps)
    # One vial gives two draws of 1 mL, so 4 mL; the rest of 0.5 mL is too little for a third.
    assert solution.supply(F(4)).vials == 1
    supply = solution.supply(F("4.1"))
    assert (supply.vials, supply.batches, supply.left) == (2, (2, 3), (F(2), F("1.9")))
    assert supply.waste == Dose(ONA, F(118))
    assert supply.waste_volume == F("3.9")


def test_a_step_without_draw_takes_all_of_the_mix_before() -> None:
    solution = powder(ONA, "100", "2.5", "2.5")
    assert (solution.concentration, solution.supply(F(5)).vials) == (20, 1)
    assert solution.supply(F(5)).waste_volume == 0


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (lambda: prepare(ONA, F(0), []), "dose.not_positive"),
        (lambda: prepare(ONA, F(-100), [DilutionStep("a", "saline", F(1))]), "dose.not_positive"),
        (lambda: prepare(ONA, F(100), []), "dose.no_concentration"),
        (lambda: powder(ONA, "100", "0"), "dose.no_concentration"),
        (lambda: powder(ONA, "100", "-1"), "dose.not_positive"),
        (lambda: prepare(ONA, F(100), [], F(-1)), "dose.not_positive"),
        (lambda: prepare(ONA, F(100), [DilutionStep("a", "saline", F(1), draw=F(1))]), "dose.draw_powder"),
        (lambda: prepare(ONA, F(100), [DilutionStep("a", "saline", F(1), draw=F(2))], F(1)), "dose.draw_exceeds"),
        (lambda: prepare(ONA, F(100), [DilutionStep("a", "saline", F(1), draw=F(0))], F(1)), "dose.not_positive"),
        (lambda: powder(ONA, "100", "5").supply(F(0)), "dose.not_positive"),
        (lambda: share_out(powder(ONA, "100", "5"), 0, volume=F(1)), "dose.not_positive"),
        (lambda: share_out(powder(ONA, "100", "5"), 10, volume=F(0)), "dose.not_positive"),
        (lambda: share_out(powder(ONA, "100", "5"), 10, units=F(-1)), "dose.not_positive"),
        (lambda: share_out(powder(ONA, "100", "5"), 10), "dose.measure"),
        (lambda: share_out(powder(ONA, "100", "5"), 10, volume=F(1), units=F(20)), "dose.measure"),
        (lambda: read_on_syringe(F(1), F(0)), "dose.not_positive"),
    ],
)
def test_what_has_no_dose_is_refused_by_name(action: Callable[[], object], code: str) -> None:
    assert code_of(action) == code


def test_the_three_measures_of_a_region_agree() -> None:
    solution = powder(INCO, "100", "5")
    shares = [
        share_out(solution, 100, volume_per_point=F("0.01")),
        share_out(solution, 100, volume=F(1)),
        share_out(solution, 100, units=F(20)),
    ]
    assert shares[0] == shares[1] == shares[2]


@pytest.mark.parametrize(
    ("volume", "on_mark", "below", "nearest"),
    [
        ("0.46", True, False, "0.46"),
        ("0.455", False, False, "0.46"),
        ("0.008", False, True, "0.01"),
        ("0.01", True, False, "0.01"),
    ],
)
def test_a_syringe_shows_whole_marks_only(volume: str, on_mark: bool, below: bool, nearest: str) -> None:
    reading = read_on_syringe(F(volume), F("0.01"))
    assert (reading.on_mark, reading.below, reading.nearest) == (on_mark, below, F(nearest))


hundredths = st.integers(1, 500).map(lambda n: F(n, 100))
dilutions = st.lists(st.tuples(hundredths, hundredths), min_size=1, max_size=4)


def diluted(pairs: list[tuple[F, F]], vial_volume: F) -> Solution:
    steps, before = [], vial_volume
    for number, (draw, add) in enumerate(pairs):
        taken = min(draw, before) if before else None
        steps.append(DilutionStep(f"step-{number}", "saline", add, draw=taken))
        before = (taken or F(0)) + add
    return prepare(ONA, F(100), steps, vial_volume)


@given(dilutions, st.sampled_from([F(0), F("0.625"), F(1)]), st.integers(1, 3000).map(lambda n: F(n, 100)))
def test_used_and_wasted_add_up_to_what_was_opened(pairs: list[tuple[F, F]], vial: F, volume: F) -> None:
    solution = diluted(pairs, vial)
    supply = solution.supply(volume)
    used = solution.dose(volume)
    assert used + supply.waste == Dose(ONA, supply.vials * F(100))
    kept = sum((left * mix.concentration for left, mix in zip(supply.left, solution.mixes, strict=True)), F(0))
    kept += supply.left_in_vials * (F(100) / vial if vial else 0)
    assert kept == supply.waste.units
    assert all(left >= 0 for left in (*supply.left, supply.left_in_vials))


@given(dilutions, st.sampled_from([F(0), F(1)]), st.integers(1, 3000).map(lambda n: F(n, 100)))
def test_no_vial_and_no_batch_is_opened_for_nothing(pairs: list[tuple[F, F]], vial: F, volume: F) -> None:
    solution = diluted(pairs, vial)
    supply = solution.supply(volume)
    *_, last = zip(supply.batches, solution.mixes, strict=True)
    assert (last[0] - 1) * last[1].volume < volume <= last[0] * last[1].volume
    assume(supply.vials > 1)
    one_vial = volume
    while solution.supply(one_vial).vials > 1:
        one_vial /= 2
    assert solution.supply(one_vial).vials == 1
    assert supply.vials * F(100) >= solution.dose(volume).units


@given(st.integers(1, 1000), hundredths)
def test_points_times_volume_per_point_is_the_region_exactly(points: int, volume: F) -> None:
    share = share_out(powder(INCO, "100", "3"), points, volume=volume)
    assert share.volume_per_point * points == volume
    assert share.units_per_point * points == share.dose.units == volume * F(100, 3)
