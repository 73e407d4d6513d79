"""The products, evidence and markets say what their sources say, and nothing where they say nothing."""

import json
from importlib import resources
from typing import Any

import pytest

from pore_plugin import validation
from pore_plugin.contracts import EvidenceBase, Markets, Product, RegionMap, SafetyRules, SourcedNumber

CONTENT = resources.files("pore_plugin") / "content"
PRODUCTS = {
    entry.name.removesuffix(".json"): Product.from_json(entry.read_bytes())
    for entry in (CONTENT / "products").iterdir()
    if entry.name.endswith(".json")
}
EVIDENCE = EvidenceBase.from_json((CONTENT / "evidence.json").read_bytes())
MARKETS = {market.id: market for market in Markets.from_json((CONTENT / "markets.json").read_bytes()).markets}
REGIONS = RegionMap.from_json((CONTENT / "regions.json").read_bytes())


def at(model: Any, path: str) -> Any:
    for part in path.split("."):
        model = model[int(part)] if part.isdigit() else getattr(model, part)
    return model


def label_dose(slug: str, area: str) -> SourcedNumber:
    return next(dose.units for dose in PRODUCTS[slug].label_doses if dose.area == area)


def contraindications(slug: str) -> dict[str, str]:
    return {item.rule: item.mark for item in PRODUCTS[slug].contraindications}


def excipients(slug: str) -> dict[str, str]:
    return {item.name: item.present for item in PRODUCTS[slug].excipients}


def test_there_is_one_document_for_each_brand_and_market() -> None:
    assert set(PRODUCTS) == {
        "botox-cosmetic-us", "botox-uk", "dysport-us", "azzalure-uk", "azzalure-eu", "alluzience-uk", "alluzience-eu",
        "xeomin-us", "bocouture-uk", "bocouture-eu", "jeuveau-us", "nuceiva-uk", "letybo-us", "letybo-uk",
        "letybo-eu", "daxxify-us", "relfydess-uk", "relfydess-eu",
    }  # fmt: skip
    for slug, product in PRODUCTS.items():
        assert product.id == f"pore.product.{slug}"
        assert product.market.lower() == slug.rsplit("-", 1)[1]


# Value, unit and mark as section 2 of the clinical note has them.
TABLE = [
    ("botox-cosmetic-us", "presentations.0.units", "50", "pore.unit.ona", "V"),
    ("botox-cosmetic-us", "presentations.1.units", "100", "pore.unit.ona", "V"),
    ("botox-cosmetic-us", "reconstitutions.0.diluent", "1.25", "mL", "V"),
    ("botox-cosmetic-us", "reconstitutions.1.diluent", "2.5", "mL", "V"),
    ("botox-cosmetic-us", "reconstitutions.1.stated_units", "4", "pore.unit.ona", "V"),
    ("botox-cosmetic-us", "reconstitutions.1.stated_volume", "0.1", "mL", "V"),
    ("botox-cosmetic-us", "in_use", "24", "h", "V"),
    ("botox-cosmetic-us", "retreatment.0", "3", "mo", "V"),
    ("botox-cosmetic-us", "retreatment.1", "90", "d", "V"),
    ("botox-cosmetic-us", "cumulative_ceiling.units", "400", "pore.unit.ona", "V"),
    ("botox-cosmetic-us", "cumulative_ceiling.windows.0", "3", "mo", "V"),
    ("botox-cosmetic-us", "cumulative_ceiling.windows.1", "90", "d", "V"),
    ("botox-uk", "presentations.2.units", "200", "pore.unit.ona", "V"),
    ("dysport-us", "presentations.0.units", "300", "pore.unit.dysport", "V"),
    ("dysport-us", "presentations.1.units", "500", "pore.unit.dysport", "V"),
    ("dysport-us", "reconstitutions.0.diluent", "2.5", "mL", "V"),
    ("dysport-us", "reconstitutions.0.stated_volume", "0.08", "mL", "V"),
    ("dysport-us", "reconstitutions.1.diluent", "1.5", "mL", "V"),
    ("dysport-us", "reconstitutions.1.stated_volume", "0.05", "mL", "V"),
    ("dysport-us", "in_use", "24", "h", "T"),
    ("dysport-us", "age_max.years", "65", "a", "V"),
    ("azzalure-uk", "presentations.0.units", "125", "pore.unit.speywood", "V"),
    ("azzalure-uk", "reconstitutions.0.diluent", "0.63", "mL", "V"),
    ("azzalure-uk", "reconstitutions.0.stated_units", "10", "pore.unit.speywood", "V"),
    ("azzalure-uk", "reconstitutions.0.stated_volume", "0.05", "mL", "V"),
    ("azzalure-uk", "retreatment.0", "12", "wk", "V"),
    ("azzalure-eu", "in_use", "24", "h", "V"),
    ("alluzience-uk", "presentations.0.units", "125", "pore.unit.speywood", "V"),
    ("alluzience-uk", "presentations.0.volume", "0.625", "mL", "V"),
    ("alluzience-eu", "age_max.years", "65", "a", "V"),
    ("xeomin-us", "presentations.2.units", "200", "pore.unit.xeomin", "V"),
    ("xeomin-us", "reconstitutions.0.diluent", "1.25", "mL", "V"),
    ("xeomin-us", "retreatment.0", "3", "mo", "V"),
    ("bocouture-uk", "age_max.years", "65", "a", "V"),
    ("bocouture-eu", "age_max.years", "65", "a", "V"),
    ("jeuveau-us", "reconstitutions.0.diluent", "2.5", "mL", "V"),
    ("jeuveau-us", "retreatment.0", "3", "mo", "V"),
    ("letybo-us", "presentations.1.units", "100", "pore.unit.letybo", "V"),
    ("letybo-eu", "presentations.0.units", "50", "pore.unit.letybo", "V"),
    ("letybo-uk", "age_max.years", "75", "a", "V"),
    ("letybo-uk", "retreatment.0", "3", "mo", "V"),
    ("daxxify-us", "reconstitutions.0.diluent", "1.2", "mL", "V"),
    ("daxxify-us", "reconstitutions.0.stated_units", "8", "pore.unit.daxxify", "V"),
    ("daxxify-us", "session_ceiling", "40", "pore.unit.daxxify", "V"),
    ("relfydess-uk", "session_ceiling", "110", "pore.unit.relfydess", "T"),
    ("relfydess-uk", "retreatment.0", "3", "mo", "T"),
    ("relfydess-eu", "age_max.years", "65", "a", "T"),
]


@pytest.mark.parametrize(("slug", "path", "value", "unit", "mark"), TABLE)
def test_a_figure_of_the_product_table_is_as_its_source_has_it(
    slug: str, path: str, value: str, unit: str, mark: str
) -> None:
    number = at(PRODUCTS[slug], path)
    assert (number.value, number.unit, number.mark) == (value, unit, mark)


EMPTY = [
    # Marked [M] in the table.
    ("letybo-uk", "in_use", "M"),
    ("letybo-us", "in_use", "M"),
    ("daxxify-us", "in_use", "M"),
    ("relfydess-uk", "in_use", "M"),
    # Read for the other brand of the row, or not at all.
    ("botox-uk", "in_use", None),
    ("alluzience-uk", "in_use", None),
    ("bocouture-uk", "in_use", None),
    ("bocouture-uk", "presentations.0.units", None),
    ("bocouture-eu", "presentations.0.units", None),
    ("nuceiva-uk", "in_use", None),
    ("nuceiva-uk", "presentations.0.units", None),
    ("letybo-uk", "presentations.0.units", None),
    ("letybo-us", "reconstitutions.0.diluent", None),
    ("relfydess-uk", "presentations.0.units", None),
]


@pytest.mark.parametrize(("slug", "path", "mark"), EMPTY)
def test_a_figure_that_was_not_read_stays_empty(slug: str, path: str, mark: str | None) -> None:
    number = at(PRODUCTS[slug], path)
    assert number.value is None
    assert number.mark == mark


@pytest.mark.parametrize("slug", ["azzalure-uk", "azzalure-eu", "alluzience-uk", "alluzience-eu"])
def test_label_doses_from_memory_stay_empty(slug: str) -> None:
    assert label_dose(slug, "glabellar-lines").value is None
    assert label_dose(slug, "glabellar-lines").mark == "M"


def test_label_doses_that_were_read_are_shown() -> None:
    assert label_dose("botox-cosmetic-us", "three-areas").value == "64"
    assert label_dose("botox-cosmetic-us", "lateral-canthal-lines").value == "24"
    assert label_dose("dysport-us", "glabellar-lines").value == "50"
    assert label_dose("bocouture-eu", "glabellar-lines.maximum").value == "30"
    assert label_dose("relfydess-uk", "both-areas").mark == "T"


@pytest.mark.parametrize(
    "slug", ["dysport-us", "alluzience-uk", "alluzience-eu", "botox-uk", "bocouture-uk", "bocouture-eu", "nuceiva-uk"]
)
def test_a_retreatment_interval_that_was_not_read_is_absent(slug: str) -> None:
    assert PRODUCTS[slug].retreatment == ()


def test_only_one_label_has_a_ceiling_over_time() -> None:
    with_ceiling = {slug for slug, product in PRODUCTS.items() if product.cumulative_ceiling is not None}
    assert with_ceiling == {"botox-cosmetic-us"}
    with_session = {slug for slug, product in PRODUCTS.items() if product.session_ceiling is not None}
    assert with_session == {"daxxify-us", "relfydess-uk", "relfydess-eu"}


@pytest.mark.parametrize(
    ("slug", "inclusive"),
    [
        ("dysport-us", False),
        ("azzalure-uk", False),
        ("alluzience-uk", False),
        ("bocouture-uk", True),
        ("bocouture-eu", True),
        ("letybo-uk", False),
        ("relfydess-eu", False),
    ],
)
def test_the_upper_age_is_read_as_the_label_writes_it(slug: str, inclusive: bool) -> None:
    limit = PRODUCTS[slug].age_max
    assert limit is not None
    assert limit.inclusive is inclusive


@pytest.mark.parametrize(
    "slug", ["botox-cosmetic-us", "botox-uk", "xeomin-us", "jeuveau-us", "nuceiva-uk", "letybo-us", "daxxify-us"]
)
def test_a_product_without_an_upper_age_on_its_row_has_none(slug: str) -> None:
    assert PRODUCTS[slug].age_max is None


def test_the_labels_that_give_all_four_figures_add_up() -> None:
    rows = [row for product in PRODUCTS.values() for row in product.reconstitutions]
    stated = [row for row in rows if None not in (row.vial_units.value, row.diluent.value, row.stated_units.value)]
    assert len(stated) >= 6
    assert all(row.adds_up for row in rows)


@pytest.mark.parametrize(
    ("vial_units", "codes"),
    [
        ("105", []),
        ("105.001", ["product.label_arithmetic"]),
        ("95", []),
        ("94.999", ["product.label_arithmetic"]),
        ("10", ["product.label_arithmetic"]),
    ],
)
def test_a_label_whose_concentration_is_more_than_5_percent_off_is_refused(vial_units: str, codes: list[str]) -> None:
    document = PRODUCTS["daxxify-us"].to_document()
    figures = {"vial_units": vial_units, "diluent": "2", "stated_units": "5", "stated_volume": "0.1"}
    for name, value in figures.items():
        document["reconstitutions"][0][name]["value"] = value
    found = validation.problems(Product, document)
    assert [(problem.code, problem.pointer) for problem in found] == [(code, "/reconstitutions/0") for code in codes]


def test_an_empty_figure_of_a_label_leaves_nothing_to_add_up() -> None:
    assert PRODUCTS["letybo-us"].reconstitutions[0].diluent.value is None
    assert PRODUCTS["letybo-us"].reconstitutions[0].adds_up


def test_units_are_shared_only_where_a_source_says_so() -> None:
    by_unit: dict[str, set[str]] = {}
    for product in PRODUCTS.values():
        by_unit.setdefault(product.unit_id, set()).add(product.brand)
    shared = {unit: brands for unit, brands in by_unit.items() if len(brands) > 1}
    assert shared == {
        "pore.unit.ona": {"BOTOX Cosmetic", "BOTOX"},
        "pore.unit.speywood": {"AZZALURE", "ALLUZIENCE"},
    }


def test_contraindications_are_those_of_the_label_and_market() -> None:
    assert contraindications("botox-cosmetic-us") == {"HYP": "V", "INF": "V"}
    assert contraindications("botox-uk") == {"HYP": "V", "INF": "V"}
    assert contraindications("dysport-us") == {"HYP": "V", "INF": "V", "MILK": "T"}
    assert contraindications("azzalure-uk")["NMJ"] == "M"
    assert contraindications("alluzience-uk")["NMJ"] == "V"
    assert contraindications("bocouture-uk")["NMJ"] == "V"
    assert "NMJ" not in contraindications("xeomin-us")
    assert contraindications("letybo-us") == {"HYP": "V", "INF": "V"}
    assert set(contraindications("letybo-uk")) == {"HYP", "INF", "NMJ", "AGE_MAX"}
    assert contraindications("relfydess-uk")["NMJ"] == "V"


def test_contraindications_name_rules_that_exist() -> None:
    rules = {rule.code for rule in SafetyRules.from_json((CONTENT / "rules.json").read_bytes()).rules}
    for product in PRODUCTS.values():
        assert {item.rule for item in product.contraindications} <= rules


def test_an_excipient_is_absent_only_where_the_label_says_so() -> None:
    assert excipients("daxxify-us") == {"albumin": "no", "polysorbate-20": "yes", "trehalose": "yes"}
    assert excipients("dysport-us")["milk-protein"] == "yes"
    for slug in ("azzalure-uk", "azzalure-eu", "alluzience-uk", "alluzience-eu"):
        assert excipients(slug)["milk-protein"] == "unknown"
    without_albumin = {slug for slug in PRODUCTS if excipients(slug)["albumin"] == "no"}
    assert without_albumin == {"daxxify-us"}


def test_who_may_inject_is_limited_where_the_label_says_so() -> None:
    limited = {slug: product.operators.professions for slug, product in PRODUCTS.items() if product.operators}
    assert limited == {"azzalure-eu": ("doctor",), "letybo-eu": ("doctor",)}


def test_the_uk_products_are_those_on_the_list_of_licensed_ones() -> None:
    brands = {product.brand.capitalize() for product in PRODUCTS.values() if product.market == "UK"}
    assert brands == {"Alluzience", "Azzalure", "Bocouture", "Botox", "Letybo", "Nuceiva", "Relfydess"}
    for product in PRODUCTS.values():
        assert product.licensed.mark == "V"
        assert "off-label" in product.licensed.text["en"]
        if product.market == "UK":
            assert product.licensed.source.startswith("R8")


def test_codes_have_their_verification_status_and_none_is_from_a_licensed_system() -> None:
    codes = {(code.code, code.status) for product in PRODUCTS.values() for code in product.codes}
    assert {
        ("M03AX01", "verified"),
        ("0023-9232", "verified"),
        ("72960-112", "verified"),
        ("427412002", "seen"),
    } <= codes
    assert {("1789950", "seen"), ("2689301", "seen"), ("J0588", "verified")} <= codes
    systems = {code.system for product in PRODUCTS.values() for code in product.codes}
    assert not any("snomed" in system or "cpt" in system for system in systems)


def test_content_is_a_draft_without_reviewer_and_states_that_the_label_version_is_unknown() -> None:
    for product in PRODUCTS.values():
        assert product.status == "draft"
        assert product.review is None
        assert product.label_version == "seen 2026-11-22, version not stated"


def test_the_one_dose_threshold_is_for_one_toxin_in_the_cheek() -> None:
    [threshold] = EVIDENCE.thresholds
    assert (threshold.inn, threshold.region, threshold.per) == ("incobotulinumtoxinA", "pore.region.cheek", "side")
    assert (threshold.units.value, threshold.units.mark) == ("20", "V")
    assert threshold.units.source.startswith("S10")


def test_the_evidence_is_graded_as_the_note_grades_it() -> None:
    certainty = {statement.id.removeprefix("pore.evidence."): statement.certainty for statement in EVIDENCE.statements}
    assert certainty["sebum-forehead"] == "low-to-moderate"
    assert certainty["pores-cheek"] == "low-inconsistent"
    assert certainty["pores-nose"] == "none"
    assert not {"moderate"} & set(certainty.values())


def test_evidence_names_regions_that_exist() -> None:
    known = {region.id for region in REGIONS.regions}
    for statement in EVIDENCE.statements:
        assert set(statement.regions) <= known


def test_regions_have_sides_where_the_face_has_two() -> None:
    assert {region.id for region in REGIONS.regions if region.paired} == {
        "pore.region.cheek",
        "pore.region.infraorbital",
    }
    assert {region.id for region in REGIONS.regions if region.periocular} == {"pore.region.infraorbital"}
    assert {region.id for region in REGIONS.regions if not region.treatable} == {"pore.region.other"}
    assert len({chart.view for chart in REGIONS.charts}) == 5


def test_only_the_uk_has_a_cooling_off_time() -> None:
    found = {key: (market.cooling_off.value, market.cooling_off.mark) for key, market in MARKETS.items()}
    assert found == {"UK": ("48", "V"), "US": (None, None), "EU": (None, None)}


def test_every_market_refuses_minors_and_asks_for_an_examination_in_person() -> None:
    assert {market.age_min.value for market in MARKETS.values()} == {"18"}
    assert {key: (m.in_person_exam.value, m.in_person_exam.mark) for key, m in MARKETS.items()} == {
        "UK": (True, "V"),
        "US": (True, "M"),
        "EU": (True, "D"),
    }
    assert {key: market.operator_may_differ.value for key, market in MARKETS.items()} == {
        "UK": True,
        "US": True,
        "EU": False,
    }


def test_the_emergency_number_comes_first() -> None:
    for market in MARKETS.values():
        assert market.emergency_instruction["en"].startswith("Call {emergency}")
        assert market.advice_instruction["en"].startswith("Call {advice}")
        assert "{clinic}" in market.same_day_instruction["en"]


def test_ireland_has_its_advertising_note() -> None:
    assert "IE" in MARKETS["EU"].countries
    assert any("Ireland" in note.text["en"] for note in MARKETS["EU"].notes)


@pytest.mark.parametrize(
    "name",
    ["evidence", "markets", "regions", *(f"products/{slug}" for slug in sorted(PRODUCTS))],
)
def test_a_document_passes_the_published_schema_it_names(name: str) -> None:
    data = (CONTENT / f"{name}.json").read_bytes()
    contract = json.loads(data)["$schema"].removeprefix("urn:pore-plugin:schema:v0:")
    assert validation.problems(contract, data) == ()
