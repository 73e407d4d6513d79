"""Planning: where each figure comes from, what a plan refuses, exact doses, and that no template field gets lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning_data import (
    CHEEK,
    FOREHEAD,
    INCO,
    NOSE,
    ONA,
    Case,
    Document,
    number,
    peel_template,
    product,
    protocol,
    statement,
    template,
)
from pore_plugin.clinical.numbers import spell
from pore_plugin.clinical.planning.drafting import MissingNumbersError
from pore_plugin.contracts import Model, ProblemsError, ProcedurePlan, ProcedureTemplate
from pore_plugin.validation import check

OWN_DILUTION = {"vial_units": "100", "steps": [{"id": "own", "diluent": "saline", "add": "5"}]}
OWN_NOSE = {"region": NOSE, "points": 10, "volume": "0.3"}


def figures(plan: ProcedurePlan) -> dict[str, str]:
    """Return every figure of the plan that says where it comes from: key to `value unit origin`."""
    injection = plan.injection
    planned = [*plan.parameters, *(injection.inputs if injection else ()), *(injection.technique if injection else ())]
    planned += [one.planned for one in (*plan.consumables, *plan.aftercare) if one.planned]
    return {one.key: f"{one.value} {one.unit} {one.origin}" for one in planned}


def regions(plan: ProcedurePlan) -> dict[str, tuple[int, str, str]]:
    """Return points, mL and U by region and side."""
    assert plan.injection is not None
    return {
        f"{one.region} {one.side or ''}".strip(): (one.points, one.volume.value, one.units.value)
        for one in plan.injection.regions
    }


class TestWhereAFigureComesFrom:
    def test_a_sourced_default_serves_and_keeps_its_source(self) -> None:
        plan = Case().plan()
        assert plan.injection is not None
        spacing = plan.injection.technique[0]
        assert (spacing.key, spacing.value, spacing.unit, spacing.origin) == (
            "injection.spacing",
            "1",
            "cm",
            "template",
        )
        assert (spacing.source, spacing.mark, spacing.checked_on) == ("a study of cm", "V", "2026-11-22")

    def test_the_protocol_comes_before_the_default(self) -> None:
        own = protocol(parameters=[{"key": "injection.spacing", "value": "0.8", "unit": "cm"}])
        plan = Case(protocol=own).plan()
        assert figures(plan)["injection.spacing"] == "0.8 cm protocol"
        assert "/injection/spacing" in {one.path for one in plan.dropped}

    @pytest.mark.parametrize("mark", ["V", "D"])
    def test_both_marks_of_a_default_serve(self, mark: str) -> None:
        plan = Case().at("/injection/depth", lambda _: number("2", "mm", mark)).plan()
        assert figures(plan)["injection.depth"] == "2 mm template"

    def test_a_suggestion_serves_only_when_the_clinic_accepts_it(self) -> None:
        case = Case().at("/injection/depth", lambda _: number("2", "mm", "T"))
        (missing,) = case.numbers().missing
        assert (missing.key, missing.unit, missing.suggestion) == ("injection.depth", "mm", "2")
        assert missing.source == "a study of mm"
        assert missing.accept == "pore.template.test/injection.depth"
        case.accepted = (missing.accept,)
        assert figures(case.plan())["injection.depth"] == "2 mm suggestion-accepted"

    @pytest.mark.parametrize("accepted", ["injection.depth", "pore.template.other/injection.depth"])
    def test_accepting_another_templates_suggestion_changes_nothing(self, accepted: str) -> None:
        case = Case(accepted=(accepted,)).at("/injection/depth", lambda _: number("2", "mm", "T"))
        assert case.codes() == {"plan.missing_number"}

    def test_accepting_an_empty_figure_does_not_invent_one(self) -> None:
        case = Case(accepted=("pore.template.test/injection.depth",))
        assert case.at("/injection/depth", lambda _: number(None, "mm")).codes() == {"plan.missing_number"}

    def test_an_accepted_dilution_holds_for_one_inn_only(self) -> None:
        case = Case().at("/injection/dilutions/0/steps/0/add", lambda _: number("2.5", "mL", "T"))
        case.accepted = (f"pore.template.test/dilution.vial.add.{ONA}",)
        assert case.codes() == {"plan.missing_number"}
        case.accepted = (f"pore.template.test/dilution.vial.add.{INCO}",)
        assert case.plan().injection is not None

    def test_a_protocol_measures_a_region_and_its_dilution_replaces_the_templates(self) -> None:
        plan = Case(protocol=protocol(dilution=OWN_DILUTION, regions=[OWN_NOSE]), regions=[(NOSE, None)]).plan()
        assert regions(plan) == {NOSE: (10, "0.3", "6")}
        assert figures(plan)[f"region.{NOSE}.volume"] == "0.3 mL protocol"
        assert figures(plan)["dilution.own.add"] == "5 mL protocol"
        assert plan.injection is not None
        assert [one.id for one in plan.injection.dilutions] == ["own"]

    def test_figures_of_sides_are_told_apart(self) -> None:
        own = protocol(regions=[{"region": CHEEK, "side": "left", "points": 10, "units": "5"}])
        plan = Case(protocol=own, regions=[(CHEEK, "left"), (CHEEK, "right")]).plan()
        assert regions(plan) == {f"{CHEEK} left": (10, "0.25", "5"), f"{CHEEK} right": (20, "0.4", "8")}
        assert figures(plan)[f"region.{CHEEK}.left.points"] == "10 {points} protocol"
        assert figures(plan)[f"region.{CHEEK}.right.points"] == "20 {points} template"


class TestWhatIsMissing:
    def test_every_missing_figure_is_listed_in_one_go(self) -> None:
        case = Case(anaesthetic="cream-a")
        for name in ("spacing", "depth", "angle", "needle_gauge", "needle_length"):
            case.at(f"/injection/{name}", lambda old: number(None, old["unit"]))
        case.at("/injection/syringe_graduation", lambda _: number(None))
        case.at("/injection/dilutions/0/vial_units", lambda _: number(None, "{U}"))
        case.at("/injection/dilutions/0/steps/0/add", lambda _: number(None))
        case.at("/injection/dilutions/0/steps/1/draw", lambda _: number(None))
        for index in (0, 1):
            case.at(f"/injection/regions/{index}/points", lambda _: number(None, "{points}"))
            case.at(f"/injection/regions/{index}/volume_per_point", lambda _: number(None))
            case.at(f"/injection/regions/{index}/units", lambda _: [])
        case.at("/parameters/0/number", lambda _: number(None, "min"))
        case.at("/anaesthetics/0/contact_time", lambda _: number(None, "min"))
        with pytest.raises(MissingNumbersError) as caught:
            case.plan()
        assert [one.key for one in caught.value.missing] == [
            "injection.spacing",
            "injection.depth",
            "injection.angle",
            "injection.needle_gauge",
            "injection.needle_length",
            "injection.syringe_graduation",
            "dilution.vial_units",
            "dilution.vial.add",
            "dilution.syringe.draw",
            f"region.{CHEEK}.points",
            f"region.{CHEEK}.volume_per_point",
            f"region.{NOSE}.points",
            f"region.{NOSE}.volume_per_point",
            "anaesthetic.cream-a.contact_time",
            "parameter.observation",
        ]
        assert {problem.code for problem in caught.value.problems} == {"plan.missing_number"}
        assert len(caught.value.problems) == 15
        assert all(one.reason and one.source and one.suggestion is None for one in caught.value.missing)

    def test_both_sides_of_a_region_are_one_missing_figure(self) -> None:
        case = Case().at("/injection/regions/0/points", lambda _: number(None, "{points}"))
        (missing,) = case.numbers().missing
        assert missing.reason.endswith("Side: left, right.")

    def test_units_of_another_inn_are_no_figure_for_this_one(self) -> None:
        case = Case().at("/injection/regions/1/volume_per_point", lambda _: number(None))
        case.at("/injection/regions/1/units/0/inn", lambda _: "prabotulinumtoxinA")
        assert [one.key for one in case.numbers().missing] == [f"region.{NOSE}.volume_per_point"]

    def test_suggested_units_are_offered_instead_of_an_empty_volume(self) -> None:
        case = Case().at("/injection/regions/1/volume_per_point", lambda _: number(None))
        case.at("/injection/regions/1/units/0/number", lambda _: number("8", "{U}", "T"))
        (missing,) = case.numbers().missing
        assert missing.accept == f"pore.template.test/region.{NOSE}.units.{INCO}"
        assert missing.unit == "pore.unit.bocouture"
        case.accepted = (missing.accept,)
        assert regions(case.plan())[NOSE] == (20, "0.4", "8")

    def test_powder_without_a_dilution_lacks_vial_and_diluent(self) -> None:
        case = Case().at("/injection/dilutions", lambda _: [])
        assert [one.key for one in case.numbers().missing] == ["dilution.vial_units", "dilution.step-1.add"]

    def test_missing_figures_and_other_problems_come_together(self) -> None:
        case = Case(market="US").at("/injection/depth", lambda _: number(None, "mm"))
        assert case.codes() == {"plan.missing_number", "plan.market"}

    def test_what_may_be_left_out_is_listed_as_not_given(self) -> None:
        plan = Case().plan()
        assert [one.key for one in plan.not_given] == ["aftercare.no-rubbing", "aftercare.upright", "parameter.cooling"]
        assert [one.planned for one in plan.aftercare] == [None, None]
        assert plan.not_given[0].accept == "pore.template.test/aftercare.no-rubbing"

    def test_accepted_or_given_aftercare_stands_in_the_plan(self) -> None:
        own = protocol(parameters=[{"key": "aftercare.upright", "value": "4", "unit": "h"}])
        plan = Case(protocol=own, accepted=("pore.template.test/aftercare.no-rubbing",)).plan()
        assert figures(plan)["aftercare.no-rubbing"] == "24 h suggestion-accepted"
        assert figures(plan)["aftercare.upright"] == "4 h protocol"


class TestExactDoses:
    def test_a_two_step_dilution_says_what_to_draw_up(self) -> None:
        plan = Case().plan()
        injection = plan.injection
        assert injection is not None
        assert regions(plan) == {
            f"{CHEEK} left": (20, "0.4", "8"),
            f"{CHEEK} right": (20, "0.4", "8"),
            NOSE: (20, "0.4", "8"),
        }
        vial, syringe = injection.dilutions
        assert (vial.volume.value, vial.concentration.value, vial.batches, vial.left and vial.left.value) == (
            "2.5",
            "40",
            1,
            "1.5",
        )
        assert (syringe.draw and syringe.draw.value, syringe.add.value, syringe.volume.value) == ("0.5", "0.5", "1")
        assert (syringe.concentration.value, syringe.batches, syringe.left and syringe.left.value) == ("20", 2, "0.8")
        assert (injection.vials, injection.concentration.value, injection.per_tenth.value) == (1, "20", "2")
        assert (injection.total_units.value, injection.total_volume.value) == ("24", "1.2")
        assert (injection.waste_units.value, injection.waste_volume.value) == ("76", "2.3")

    def test_units_are_those_of_the_product(self) -> None:
        injection = Case().plan().injection
        assert injection is not None
        assert {injection.total_units.unit, injection.regions[0].units.unit, injection.unit_id} == {
            "pore.unit.bocouture"
        }
        assert injection.concentration.unit == "pore.unit.bocouture/mL"

    def test_figures_per_point_are_nominal_and_totals_are_exact(self) -> None:
        injection = Case().plan().injection
        assert injection is not None
        for region in injection.regions:
            assert region.volume_per_point.nominal
            assert region.units_per_point.nominal
            assert not region.volume.nominal
            assert not region.units.nominal

    def test_a_ready_to_use_solution_is_planned_without_dilution(self) -> None:
        ready = product(presentations=[{"units": number("125", "pore.unit.bocouture"), "volume": number("0.625")}])
        own = protocol(dilution={"vial_units": "125", "steps": []}, regions=[OWN_NOSE])
        injection = Case(product=ready, protocol=own, regions=[(NOSE, None)]).plan().injection
        assert injection is not None
        assert (injection.concentration.value, injection.dilutions) == ("200", ())
        assert injection.vial_volume is not None
        assert (injection.vial_volume.value, injection.total_units.value, injection.waste_units.value) == (
            "0.625",
            "60",
            "65",
        )

    def test_a_ready_to_use_solution_needs_no_scheme(self) -> None:
        ready = product(presentations=[{"units": number("125", "pore.unit.bocouture"), "volume": number("0.625")}])
        case = Case(product=ready, protocol=protocol(regions=[OWN_NOSE]), regions=[(NOSE, None)])
        plan = case.at("/injection/dilutions", lambda _: []).plan()
        assert figures(plan)["dilution.vial_units"] == "125 pore.unit.bocouture label"
        assert figures(plan)["dilution.vial_volume"] == "0.625 mL label"

    def test_an_unread_volume_of_a_solution_comes_from_the_protocol(self) -> None:
        ready = product(presentations=[{"units": number("125", "pore.unit.bocouture"), "volume": number(None)}])
        own = protocol(dilution={"vial_units": "125", "steps": []}, regions=[OWN_NOSE])
        case = Case(product=ready, protocol=own, regions=[(NOSE, None)])
        assert [one.key for one in case.numbers().missing] == ["dilution.vial_volume"]
        own["parameters"] = [{"key": "dilution.vial_volume", "value": "1.25", "unit": "mL"}]
        injection = case.plan().injection
        assert injection is not None
        assert injection.concentration.value == "100"

    def test_planned_doses_for_the_assessment_are_never_rounded_down(self) -> None:
        own = protocol(
            dilution={"vial_units": "100", "steps": [{"id": "own", "diluent": "saline", "add": "1.2"}]},
            regions=[OWN_NOSE],
        )
        (dose,) = Case(protocol=own, regions=[(NOSE, None)]).numbers().doses
        assert (dose.region, dose.side, dose.units) == (NOSE, None, "25")
        own["regions"] = [OWN_NOSE | {"volume": "0.1"}]
        (dose,) = Case(protocol=own, regions=[(NOSE, None)]).numbers().doses
        assert dose.units == "8.3334"

    @given(st.integers(1, 1000), st.integers(1, 400), st.integers(1, 400))
    def test_used_and_wasted_are_what_was_opened(self, points: int, hundredths: int, add: int) -> None:
        own = protocol(
            dilution={
                "vial_units": "100",
                "steps": [{"id": "own", "diluent": "saline", "add": spell(Fraction(add, 100))}],
            },
            regions=[{"region": NOSE, "points": points, "volume": spell(Fraction(hundredths, 100))}],
        )
        numbers = Case(protocol=own, regions=[(NOSE, None)]).numbers()
        assert numbers.solution is not None
        assert numbers.supply is not None
        assert numbers.solution.dose(numbers.volume).units + numbers.supply.waste.units == 100 * numbers.supply.vials
        assert numbers.supply.vials == -(-hundredths // add)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"product": None}, "plan.product_needed"),
            ({"market": "US"}, "plan.market"),
            ({"product": product(inn="letibotulinumtoxinA")}, "plan.inn"),
            (
                {"product": product(presentations=[{"units": number("50", "pore.unit.bocouture")}])},
                "plan.unknown_presentation",
            ),
            ({"protocol": protocol(template="pore.template.other")}, "plan.protocol_template"),
            ({"protocol": protocol(product="pore.product.botox-uk")}, "plan.protocol_product"),
            (
                {"protocol": {key: value for key, value in protocol().items() if key != "product"}},
                "plan.protocol_product",
            ),
            ({"protocol": protocol(regions=[{"region": CHEEK, "points": 5}])}, "plan.unknown_side"),
            ({"protocol": protocol(regions=[{"region": "pore.region.chin", "points": 5}])}, "plan.unknown_region"),
            ({"protocol": protocol(dilution={"vial_units": "100", "steps": []})}, "dose.no_concentration"),
            (
                {
                    "protocol": protocol(
                        dilution={"vial_units": "100", "steps": [{"id": "a", "diluent": "s", "add": "0"}]}
                    )
                },
                "dose.no_concentration",
            ),
            (
                {
                    "protocol": protocol(
                        dilution={
                            "vial_units": "100",
                            "steps": [
                                {"id": "a", "diluent": "s", "add": "2.5"},
                                {"id": "b", "diluent": "s", "draw": "2.6", "add": "1"},
                            ],
                        }
                    )
                },
                "dose.draw_exceeds",
            ),
            (
                {
                    "protocol": protocol(
                        dilution={"vial_units": "100", "steps": [{"id": "a", "diluent": "s", "draw": "1", "add": "2"}]}
                    )
                },
                "dose.draw_powder",
            ),
            (
                {
                    "protocol": protocol(
                        dilution={"vial_units": "100", "steps": 2 * [{"id": "a", "diluent": "s", "add": "2"}]}
                    )
                },
                "plan.duplicate_step",
            ),
            (
                {"protocol": protocol(parameters=[{"key": "injection.spacng", "value": "1", "unit": "cm"}])},
                "plan.unknown_key",
            ),
            (
                {"protocol": protocol(parameters=[{"key": "injection.spacing", "value": "1", "unit": "mm"}])},
                "plan.unit",
            ),
            (
                {"protocol": protocol(parameters=[{"key": "injection.spacing", "value": "0", "unit": "cm"}])},
                "plan.not_positive",
            ),
            (
                {"protocol": protocol(parameters=[{"key": "consumable.gauze", "value": "-1", "unit": "{piece}"}])},
                "plan.not_positive",
            ),
            (
                {"protocol": protocol(parameters=2 * [{"key": "injection.spacing", "value": "1", "unit": "cm"}])},
                "plan.duplicate_key",
            ),
            ({"regions": [("pore.region.chin", None)]}, "plan.unknown_region"),
            ({"regions": [(CHEEK, None)]}, "plan.side_needed"),
            ({"regions": [(NOSE, "left")]}, "plan.unknown_side"),
            ({"regions": [(NOSE, None), (NOSE, None)]}, "plan.duplicate_region"),
            ({"anaesthetic": "cream-z"}, "plan.unknown_anaesthetic"),
            ({"template": peel_template()}, "plan.product_unexpected"),
        ],
    )
    def test_by_name_and_with_a_next_step(self, changes: Document, code: str) -> None:
        numbers = Case(**changes).numbers()
        assert code in {problem.code for problem in numbers.problems}
        assert all(problem.next_step for problem in numbers.problems)
        with pytest.raises(ProblemsError):
            numbers.require()

    @pytest.mark.parametrize(
        ("pointer", "value", "code"),
        [
            ("/injection/regions/1/points/value", "2.5", "plan.points"),
            ("/injection/regions/1/points/value", "1001", "plan.points"),
            ("/injection/regions/1/points/value", "0", "plan.not_positive"),
            ("/injection/regions/1/volume_per_point/value", "-0.01", "plan.not_positive"),
            ("/injection/regions/1/units/0/number/value", "8.01", "plan.sums"),
            ("/injection/dilutions/0/steps/0/add/value", "-1", "plan.not_positive"),
            ("/injection/dilutions/1/inns/0", INCO, "plan.two_dilutions"),
            ("/injection/regions/1/region", "pore.region.other", "plan.region_map"),
            ("/injection/regions/0/sides", [], "plan.region_map"),
            ("/evidence/0", "pore.evidence.none", "plan.unknown_evidence"),
        ],
    )
    def test_a_template_that_does_not_add_up(self, pointer: str, value: object, code: str) -> None:
        assert code in Case().at(pointer, lambda _: value).codes()

    @pytest.mark.parametrize(
        "pointer",
        [
            "/injection/dilutions/0/steps/0/add/unit",
            "/injection/regions/1/volume_per_point/unit",
            "/injection/syringe_graduation/unit",
        ],
    )
    def test_a_template_with_a_volume_in_another_unit_is_refused_before_it_is_planned_with(self, pointer: str) -> None:
        document = json.loads(json.dumps(Case().template))
        at = document
        for part in pointer.split("/")[1:-1]:
            at = at[int(part)] if isinstance(at, list) else at[part]
        at["unit"] = "ml"
        with pytest.raises(ProblemsError) as refused:
            check(ProcedureTemplate, document)
        assert [(one.code, one.pointer) for one in refused.value.problems] == [("template.unit", pointer)]

    @pytest.mark.parametrize("value", ["9" * 32, "0." + "0" * 29 + "1", "1000001", "0.0000001"])
    def test_absurd_figures_are_refused_and_not_computed(self, value: str) -> None:
        own = protocol(regions=[{"region": NOSE, "points": 1000, "volume_per_point": value}])
        assert "plan.out_of_range" in Case(protocol=own).codes()

    def test_the_largest_and_finest_figures_end_in_a_problem_and_not_in_a_traceback(self) -> None:
        own = protocol(
            dilution={"vial_units": "100", "steps": [{"id": "own", "diluent": "saline", "add": "0.000001"}]},
            regions=[{"region": NOSE, "points": 1000, "volume_per_point": "1000000"}],
        )
        numbers = Case(protocol=own).numbers()
        assert "plan.too_many_vials" in {one.code for one in numbers.problems}
        assert numbers.doses[-1].units == "1" + "0" * 17

    def test_a_template_with_optional_regions_only_asks_for_a_choice(self) -> None:
        case = Case()
        for index in (0, 1):
            case.at(f"/injection/regions/{index}/optional", lambda _: True)
        assert case.codes() == {"plan.no_regions"}
        case.regions = [(FOREHEAD, None)]
        assert list(regions(case.plan())) == [FOREHEAD]

    def test_the_nearest_key_is_named(self) -> None:
        own = protocol(parameters=[{"key": "injection.spacng", "value": "1", "unit": "cm"}])
        (problem,) = Case(protocol=own).numbers().problems
        assert "injection.spacing" in problem.next_step

    def test_doses_are_refused_where_nothing_is_injected(self) -> None:
        own = protocol(template="pore.template.test-peel", regions=[OWN_NOSE])
        del own["product"]
        assert Case(template=peel_template(), product=None, protocol=own).codes() == {"plan.protocol_unexpected"}

    def test_a_pin_of_another_document_is_refused(self) -> None:
        case = Case()
        with pytest.raises(ProblemsError, match=r"plan\.pin"):
            case.plan(product=None)

    def test_no_problem_repeats_a_value_of_the_protocol(self) -> None:
        own = protocol(parameters=[{"key": "canary-71f3", "value": "71.375", "unit": "canary"}])
        (problem,) = Case(protocol=own).numbers().problems
        assert "canary" not in problem.sentence + problem.next_step


class TestWhatIsShown:
    def texts(self, case: Case) -> str:
        plan = case.plan()
        assert plan.injection is not None
        return "\n".join(text["en"] for text in (*plan.warnings, *plan.injection.notes))

    def test_a_total_above_every_label_dose_is_shown_and_not_refused(self) -> None:
        warnings = [text["en"] for text in Case().plan().warnings]
        assert [text for text in warnings if "24 U are more than any dose on the label" in text and "20 U" in text]

    def test_a_total_within_the_label_doses_warns_of_nothing(self) -> None:
        assert Case(regions=[(NOSE, None)]).plan().warnings == ()

    def test_label_doses_from_a_secondary_source_say_so(self) -> None:
        assert "forehead-lines 10 (unverified) U" in self.texts(Case())

    def test_the_labels_dilution_stands_beside_the_planned_one(self) -> None:
        assert "adds 2.5 mL to this vial and states 4 U in 0.1 mL. This plan works with 20 U/mL." in self.texts(Case())

    def test_a_session_ceiling_is_shown_and_its_excess_is_a_warning(self) -> None:
        case = Case(product=product(session_ceiling=number("20", "pore.unit.bocouture", "T")))
        assert "names 20 (unverified) U a session; this plan has 24 U" in self.texts(case)
        assert "24 U are more than the label's 20 (unverified) U a session" in self.texts(case)

    def test_a_point_below_the_syringes_mark_is_said_to_be_nominal(self) -> None:
        own = protocol(regions=[{"region": NOSE, "points": 120, "volume": "1"}])
        plan = Case(protocol=own, regions=[(NOSE, None)]).plan()
        (text,) = (text["en"] for text in plan.warnings)
        assert text.startswith("Nose: about 0.0083 mL per point is below the syringe's smallest mark of 0.01 mL")

    def test_a_total_between_two_marks_is_said(self) -> None:
        own = protocol(regions=[{"region": NOSE, "points": 10, "volume": "0.305"}])
        plan = Case(protocol=own, regions=[(NOSE, None)]).plan()
        assert any("no mark at the total of 0.305 mL (nearest 0.3 mL)" in text["en"] for text in plan.warnings)

    def test_unread_vial_sizes_are_said(self) -> None:
        plan = Case(product=product(presentations=[{"units": number(None, "pore.unit.bocouture")}])).plan()
        assert any("vial sizes" in text["en"] for text in plan.warnings)

    def test_evidence_of_a_region_is_shown_and_never_borrowed(self) -> None:
        injection = Case().plan().injection
        assert injection is not None
        shown = {one.region: one.evidence["en"] for one in injection.regions if one.evidence}
        assert shown[CHEEK] == "One palsy above 20 U in one cheek."
        assert shown[NOSE].startswith("No evidence figure: no dose limit with a source was found for INCO")
        other = Case(product=product(inn=ONA, presentations=[{"units": number("50", "pore.unit.bocouture")}]))
        for index in (0, 1):
            other.at(f"/injection/regions/{index}/units", lambda _: [])
        injection = other.plan().injection
        assert injection is not None
        assert all(one.evidence and one.evidence["en"].startswith("No evidence") for one in injection.regions)

    def test_a_sample_protocol_makes_a_sample_plan(self) -> None:
        assert Case(protocol=protocol()).plan().sample
        assert not Case(protocol=protocol(sample=False, responsible="Dr Invented")).plan().sample
        assert not Case().plan().sample

    def test_the_draft_flag_is_handed_in(self) -> None:
        assert Case().plan(draft=True).draft
        assert not Case().plan(draft=False).draft


class TestSubstance:
    def test_an_unchanged_repeat_has_the_same(self) -> None:
        first = Case().plan()
        repeat = Case().plan(id="plan-2", session="repeat", treatment_date="2027-04-01", draft=False)
        assert first.substance == repeat.substance
        assert first != repeat

    @pytest.mark.parametrize("pointer", ["/title/en", "/summary/en", "/steps/0/instruction/en", "/injection/avoid"])
    def test_wording_is_outside(self, pointer: str) -> None:
        changed = Case().at(pointer, lambda old: [statement("Other.")] if isinstance(old, list) else f"{old} x")
        assert changed.plan().substance == Case().plan().substance

    @pytest.mark.parametrize(
        "case",
        [
            Case(regions=[(NOSE, None)]),
            Case(anaesthetic="cream-a"),
            Case(protocol=protocol(dilution=OWN_DILUTION)),
            Case(protocol=protocol(regions=[{"region": NOSE, "points": 20, "units": "7"}])),
            Case(protocol=protocol(parameters=[{"key": "injection.depth", "value": "1.5", "unit": "mm"}])),
            Case(protocol=protocol(parameters=[{"key": "parameter.observation", "value": "30", "unit": "min"}])),
            Case(product=product(id="pore.product.bocouture-eu")),
        ],
    )
    def test_what_is_clinically_planned_is_inside(self, case: Case) -> None:
        assert case.plan().substance != Case().plan().substance

    def test_the_order_of_regions_is_outside(self) -> None:
        one = Case(regions=[(NOSE, None), (CHEEK, "left")]).plan()
        other = Case(regions=[(CHEEK, "left"), (NOSE, None)]).plan()
        assert one.substance == other.substance


SITUATIONS: dict[str, Document] = {
    "defaults": {},
    "some regions and an anaesthetic": {"regions": [(CHEEK, "left"), (FOREHEAD, None)], "anaesthetic": "cream-a"},
    "a protocol": {
        "protocol": protocol(
            dilution=OWN_DILUTION,
            regions=[OWN_NOSE, {"region": CHEEK, "side": "left", "points": 10}],
            parameters=[
                {"key": "injection.spacing", "value": "0.7", "unit": "cm"},
                {"key": "parameter.cooling", "value": "-5", "unit": "Cel"},
                {"key": "aftercare.upright", "value": "5", "unit": "h"},
            ],
        )
    },
    "accepted suggestions": {
        "accepted": ("pore.template.test/aftercare.upright",),
        "regions": [(CHEEK, "left"), (CHEEK, "right")],
    },
    "no injection": {
        "template": peel_template(),
        "product": None,
        "anaesthetic": "cream-b",
        "regions": [(CHEEK, "left")],
    },
}


def make(situation: str) -> Case:
    case = Case(**copy.deepcopy(SITUATIONS[situation]))
    if situation == "a protocol":
        # Points come from the protocol here, so only one template measure may stand beside them.
        case.at("/injection/regions/0/volume_per_point", lambda _: number(None))
    return case


def leaves(place: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the pointer and value of every leaf of a document."""
    if isinstance(place, dict | list):
        for key, value in place.items() if isinstance(place, dict) else enumerate(place):
            yield from leaves(value, f"{path}/{key}")
    else:
        yield path, place


def elements(place: Any, path: str = "") -> Iterator[str]:
    """Yield the pointer of every list element."""
    for key, value in place.items() if isinstance(place, dict) else enumerate(place):
        if isinstance(place, list):
            yield f"{path}/{key}"
        if isinstance(value, dict | list):
            yield from elements(value, f"{path}/{key}")


OTHER = {
    "V": "D",
    "D": "V",
    "T": "V",
    "M": "T",
    "draft": "active",
    "intradermal": "intramuscular",
    "left": "right",
    "right": "left",
    "vial": "waste",
    "doses": "waste",
}


def changed(pointer: str, value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if pointer.endswith("/version"):
        return "1.0.1"
    if pointer.endswith(("/checked_on", "_on", "_due")):
        return "2026-10-01"
    if pointer.endswith("/digest"):
        return "sha256:" + "1" * 64
    if pointer.endswith("/value"):
        return f"1{value}" if "." not in value else f"{value}1"
    if pointer.split("/")[-2:-1] == ["records"] or "/records/" in pointer:
        return "waste"
    return OTHER.get(value, f"{value}x") if not pointer.endswith("/id") or "." in value else f"{value}x"


def outcome(case: Case) -> Document | None:
    """Return the plan as a document without its own account of what it dropped; `None` when it is refused."""
    try:
        document = case.plan().to_document()
    except ProblemsError:
        return None
    del document["dropped"]
    return document


def is_under(pointer: str, paths: set[str]) -> bool:
    return any(pointer == path or pointer.startswith(f"{path}/") for path in paths)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_leaf_of_a_template_is_in_the_plan_or_dropped_with_a_reason(situation: str) -> None:
    before = outcome(make(situation))
    assert before is not None
    dropped = {one.path for one in make(situation).plan().dropped}
    lost, false_drops, refused = [], [], set()
    for pointer, value in leaves(make(situation).template):
        if pointer == "/type":
            assert pointer in dropped
            continue
        try:
            after = outcome(make(situation).at(pointer, lambda old, pointer=pointer: changed(pointer, old)))  # type: ignore[misc]
        except ValueError:
            refused.add(pointer)  # the contract itself does not allow it
            continue
        if is_under(pointer, dropped):
            false_drops += [pointer] if after not in (None, before) else []
        elif after is None:
            refused.add(pointer)
        elif after == before:
            lost.append(f"{pointer} = {value}")
    assert lost == []
    # `optional` decides the selection only; a replaced figure's unit is that of the protocol's figure.
    assert [pointer for pointer in false_drops if not pointer.endswith(("/optional", "/points/unit"))] == []
    # A refusal has read the leaf as well, but only figures and what others refer to by id may end in one.
    few = ("/value", "/unit", "/inn", "/inns/0", "/region", "/side", "/sides/0", "/sides/1", "/evidence/0", "/id")
    assert {pointer for pointer in refused if not pointer.endswith(few)} == set()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_list_element_of_a_template_vanishes(situation: str) -> None:
    before = outcome(make(situation))
    dropped = {one.path for one in make(situation).plan().dropped}
    lost = []
    for pointer in elements(make(situation).template):
        if is_under(pointer, dropped):
            continue
        parent, _, index = pointer.rpartition("/")
        try:
            after = outcome(
                make(situation).at(parent, lambda old, index=index: old[: int(index)] + old[int(index) + 1 :])  # type: ignore[misc]
            )
        except ValueError:
            continue  # the contract itself does not allow the shorter list
        lost += [pointer] if after == before else []
    assert lost == []


def test_the_templates_of_these_tests_fill_every_field_of_the_contract() -> None:
    filled: set[tuple[type[Model], str]] = set()

    def note(value: Any) -> None:
        if isinstance(value, Model):
            for name in type(value).model_fields:
                inner = getattr(value, name)
                if inner not in (None, ()):
                    filled.add((type(value), name))
                note(inner)
        elif isinstance(value, tuple):
            for one in value:
                note(one)

    for document in (template(), peel_template()):
        note(ProcedureTemplate.from_json(json.dumps(document)))
    wanted = {(model, name) for model in models(ProcedureTemplate) for name in model.model_fields}
    assert {f"{model.__name__}.{name}" for model, name in wanted - filled} == set()


def models(root: type[Model]) -> set[type[Model]]:
    """Return the models that a model is made of, itself included."""
    found: set[type[Model]] = set()

    def look(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, Model):
            if annotation not in found:
                found.add(annotation)
                for field in annotation.model_fields.values():
                    look(field.annotation)
        else:
            for one in get_args(annotation):
                look(one)

    look(root)
    return found


@given(st.sampled_from(sorted(SITUATIONS)), st.data())
def test_dropped_paths_name_real_fields(situation: str, data: st.DataObject) -> None:
    case = make(situation)
    if case.template.get("injection"):
        case.regions = data.draw(
            st.lists(
                st.sampled_from([(CHEEK, "left"), (CHEEK, "right"), (NOSE, None), (FOREHEAD, None)]),
                min_size=1,
                unique=True,
            )
        )
    try:
        plan = case.plan()
    except ProblemsError:
        return
    for one in plan.dropped:
        place: Any = case.template
        for part in one.path.split("/")[1:]:
            place = place[int(part)] if isinstance(place, list) else place[part]
        assert one.reason
