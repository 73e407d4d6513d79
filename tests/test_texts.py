"""The text check catches promises, claims and drug names, and lets honest sentences through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planning_data import template
from pore_plugin.clinical.wording.texts import check_document, check_text
from pore_plugin.contracts import ConsentText, FollowUpSchedule, PatientTexts, ProcedureTemplate

NAMES = ("BOTOX Cosmetic", "BOTOX", "DYSPORT", "BOCOUTURE", "LETYBO", "onabotulinumtoxinA", "incobotulinumtoxinA")

WIDE = "you will see smaller pores".translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})

BAD = {
    "text.promise_effect": [
        "Results guaranteed.",
        "We guarantee smaller pores.",
        "RESULTS GUARANTEED!",
        "100 % effective.",
        "It is 100% effective for oily skin.",
        "This treatment shrinks pores.",
        "It visibly shrinks the size of your pores.",
        "You will see smaller pores.",
        "You'll love your new, poreless skin.",
        "You will notice a real difference.",
        "Your pores will look smaller.",
        "Your pores will be smaller.",
        "As a result, pores appear smaller.",
        "Your skin will become smoother.",
        "Say goodbye to large pores.",
        "No more open pores!",
        "Get rid of your pores.",
        "It works for everyone.",
        "Clinically proven.",
        "A proven treatment for oily skin.",
        "All our patients see an improvement.",
        "You will not be disappointed.",
        "Flawless skin awaits you.",
        "Not only will your pores shrink, they will stay small.",
        "Without doubt you will see an improvement.",
        "Don't worry, your pores will look better.",
        "The treatment reduces oil.",
        "It will reduce the size of your pores.",
        "Money-back promise.",
        "The results are certain.",
        "A miracle treatment for pores.",
        "You will see sma\u00adller pores.",
        "Your p\u043eres will shrink.",
        "You will see\nsmaller pores.",
        "Results are guaran-\nteed.",
        "Results are “guaranteed”.",
        "You’ll see smaller pores.",
        "It minimises pores.",
        "Never worry about shine again.",
        "Study or not: your pores will shrink.",
        "Your oiliness will disappear.",
        "Your skin, but poreless.",
        "Say bye-bye to shiny skin.",
        "Pore size is reduced by 80%.",
        "80 % smaller pores.",
        "Effective in 9 out of 10 patients.",
        "It stops sebum production.",
        "Enjoy matte skin all summer long.",
        "Visibly tightened pores.",
        WIDE,
    ],
    "text.promise_time": [
        "You will see smaller pores in 7 days.",
        "Visible results within two weeks.",
        "Results in days.",
        "Smaller pores after one session.",
        "Instant results.",
        "Instantly smoother skin.",
        "An overnight transformation.",
        "Results last 6 months.",
        "The effect lasts for at least four months.",
        "Your pores are smaller within a week.",
        "In just 3 days your skin looks better.",
        "Expect immediate improvement.",
        "Smoother skin in as little as 48 hours.",
        "You can expect results after 4-6 weeks.",
        "Six months of smoother skin.",
        "Within a week you'll see the difference.",
    ],
    "text.promise_permanence": [
        "Permanent results.",
        "Shrinks pores for good.",
        "Your pores stay small forever.",
        "Smaller pores for life.",
        "Solves it once and for all.",
        "Long-lasting results.",
        "A lasting effect.",
        "Your pores are permanently smaller.",
        "The pores will never come back.",
        "No need for repeat treatments.",
        "No top-ups needed.",
        "A one-time fix.",
        "You will never need another session.",
        "The oil is gone for ever.",
        "Perma\u00adnent re\u00adsults.",
        "Smaller pores that last.",
    ],
    "text.no_downtime": [
        "Lunchtime procedure with zero downtime.",
        "No downtime.",
        "With minimal down-time.",
        "Downtime-free.",
        "A lunch-break treatment.",
        "You go straight back to work.",
        "No recovery time.",
        "You can resume your day immediately.",
        "There is no down\u2011time.",
        "Pop in during your lunch hour!",
        "You can be back at your desk the same afternoon.",
    ],
    "text.painless": [
        "The treatment is painless.",
        "A pain-free facial.",
        "No pain, no needles.",
        "With minimal discomfort.",
        "It does not hurt.",
        "You will feel nothing.",
        "Virtually no bruising.",
        "Pain-\nfree.",
        "Barely a pinch.",
        "You won't feel a thing.",
    ],
    "text.promise_safety": [
        "No side effects.",
        "It is completely safe.",
        "Risk-free.",
        "A 100 % safe treatment.",
        "Free from side-effects.",
        "Nothing can go wrong.",
    ],
    "text.claim_muscle": [
        "Contracted facial muscles tug follicles and stretch pores.",
        "Relaxing the facial muscles makes pores less tense.",
        "Facial muscles are linked to the sebaceous glands.",
        "Your muscles are responsible for the oil on your skin.",
        "Pores are stretched by the muscles of the face.",
        "Pores widen because facial muscles contract.",
    ],
    "text.claim_root_cause": [
        "It treats the root cause.",
        "This is the root-cause fix.",
        "It tackles the cause of enlarged pores.",
    ],
    "text.claim_sweat": [
        "Pores release sweat and sebum.",
        "Sweat escapes through the pores.",
        "Pores let out oil and sweat.",
    ],
    "text.claim_ageing": ["Ageing makes pores more visible.", "Pores get larger with age."],
    "text.claim_licensed": [
        "It is licensed for enlarged pores.",
        "FDA-approved for the treatment of oily skin.",
        "Approved by the MHRA to treat pores.",
    ],
    "text.claim_convertible": ["One unit of A equals 2.5 units of B.", "Use the conversion factor of the table."],
    "text.claim_not_device": ["This software is not a medical device."],
}

NAMED = [
    "Ask us about Botox for pores.",
    "BOTOX®",
    "Our B.o.t.o.x offer.",
    "b0tox",
    "bo-tox",
    "B\u043et\u043ex party",
    "Bo\u00adtox",
    "micro-botox",
    "Microbotox for pores",
    "microtox",
    "Baby tox",
    "Dysport or Bocouture",
    "LETYBO day",
    "onabotulinumtoxinA",
    "incobotulinum toxin A",
    "botulinum toxin",
    "Botulinumtoxin type A",
    "BoNT-A injections",
    "a neurotoxin",
    "toxin injections",
    "anti-wrinkle injections",
    "wrinkle-relaxing injections",
    "Botoxed skin",
    "botox's effect",
]

GOOD = [
    "You will not see smaller pores.",
    "No routine top-up.",
    "The patient wants no further treatment.",
    "You will probably never have perfect skin.",
    "Your skin will not look better at once.",
    "A consultation for pore concerns.",
    "The effect does not last for ever.",
    "We make no promise.",
    "It may not work for you.",
    "No effect is permanent.",
    "Nobody can guarantee a result.",
    "Results cannot be guaranteed.",
    "Results are not guaranteed.",
    "There is no guarantee that your pores will look smaller.",
    "There is no evidence that it shrinks pores.",
    "You may notice no effect at all.",
    "You might see a change after about a week, or none.",
    "Any effect is temporary.",
    "In several studies the effect had faded by 12 to 16 weeks.",
    "Where an effect was seen it began after about 1 week.",
    "Whether pores look smaller is contested.",
    "One study found a difference at week 2 only.",
    "Two series report smaller or fewer pores within weeks.",
    "In one study the side that got only saline improved as well.",
    "This is an off-label use.",
    "It is not licensed for pores.",
    "No product is licensed for pores or oil.",
    "Pain, bruises and redness are common.",
    "It can hurt.",
    "The treatment is not painless.",
    "There can be downtime: redness and bruises for some days.",
    "Nobody can say that it is completely safe.",
    "Ask us about the risks and side effects.",
    "No source names the muscles of the face as a cause of large pores.",
    "Muscles of the face do not cause pores.",
    "A dose that reaches the muscle can change your smile.",
    "Visible pores are the openings of hair follicles with their oil glands.",
    "Studies disagree about whether pores get larger with age.",
    "Keep this card with you for at least 28 days.",
    "Call the emergency number at once.",
    "Please come back in 4 weeks so that we can look at your skin.",
    "You will get a message on day 2.",
    "Do not rub your face for 24 h.",
    "Records are kept for 8 years.",
    "Most people have small weals that go within hours.",
    "The review at 4 weeks looks at pores, oil and the movement of your face.",
    "We will remove the anaesthetic cream from your skin.",
    "If you see a change in your vision, call at once.",
    "Some patients see a change after two weeks; others see none.",
    "Drooping can last for weeks to months.",
    "This does not mean that the treatment works.",
    "Redness usually fades within a few days.",
    "The number of points is not a promise.",
    "Is the effect permanent?",
    "Does it hurt?",
    "You can withdraw at any time.",
    "Beware of clinics that guarantee smaller pores.",
    "It is untrue that relaxing muscles shrinks pores.",
    "To keep an effect the treatment has to be repeated.",
    "Having no treatment is a good choice too.",
    "Units of two products are never converted.",
    "It is likely a medical device in the UK and the EU.",
    "Good light and the same distance are needed for the photographs.",
    "A permanent scar is possible.",
    "Permanent results are not possible.",
    "Smaller pores are not promised.",
    "Keep the area clean for good hygiene.",
    "Take your time: a robot oxygen mask and a detox shampoo are no treatment.",
]


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in BAD.items() for text in texts])
def test_a_bad_sentence_is_caught_by_its_code(code: str, text: str) -> None:
    problems = check_text(text, "information", names=NAMES)
    assert code in {problem.code for problem in problems}
    assert all(problem.next_step and problem.sentence.startswith("Sentence 1 ") for problem in problems)


@pytest.mark.parametrize("use", ["consultation", "practitioner", "promotional", "invitation"])
def test_promises_are_caught_in_every_use(use: Any) -> None:
    assert "text.promise_effect" in {problem.code for problem in check_text("Results guaranteed.", use)}


@pytest.mark.parametrize("text", GOOD)
def test_an_honest_sentence_passes(text: str) -> None:
    assert check_text(text, "information", names=NAMES) == ()


@pytest.mark.parametrize("use", ["promotional", "invitation", "information"])
@pytest.mark.parametrize("text", NAMED)
def test_no_drug_is_named_before_the_consultation(text: str, use: Any) -> None:
    assert "text.names_drug" in {problem.code for problem in check_text(text, use, names=NAMES)}


@pytest.mark.parametrize("use", ["consultation", "practitioner"])
def test_a_drug_may_be_named_in_the_consultation_and_to_practitioners(use: Any) -> None:
    assert check_text("You would get BOTOX, off-label.", use, names=NAMES) == ()


def test_a_name_that_only_the_catalogue_knows_is_caught() -> None:
    assert check_text("Ask for Zorblax.", "promotional") == ()
    assert [one.code for one in check_text("Ask for ZOR-blax.", "promotional", names=["Zorblax"])] == [
        "text.names_drug"
    ]


def test_the_sentence_is_counted_and_not_repeated() -> None:
    problems = check_text("A consultation. You will see smaller canary pores.\n\nNo downtime.", "information")
    assert [(one.code, one.sentence.split()[1]) for one in problems] == [
        ("text.promise_effect", "2"),
        ("text.no_downtime", "3"),
    ]
    assert "canary" not in "".join(one.sentence + one.next_step for one in problems)


def test_a_negation_does_not_reach_over_a_comma_or_a_but() -> None:
    for text in ("It is not cheap, your pores will shrink.", "It does not hurt much but your pores will shrink."):
        assert "text.promise_effect" in {one.code for one in check_text(text, "information")}


@pytest.mark.parametrize(
    ("text", "use", "codes"),
    [
        ("Off-label use of {product}, lot {lot}.", "consent", set()),
        ("Off-label use of BOCOUTURE, batch 4711A.", "consent", set()),
        ("Use of {product}, lot {lot}.", "consent", {"text.off_label_missing"}),
        ("Off-label use, lot {lot}.", "consent", {"text.product_missing"}),
        ("Off-label use of {product}.", "consent", {"text.lot_missing"}),
        ("You agree.", "consent", {"text.off_label_missing", "text.product_missing", "text.lot_missing"}),
        ("You had {product}, lot {lot}.", "aftercare", set()),
        ("You had {product}.", "aftercare", {"text.lot_missing"}),
        ("You had a treatment, lot {lot}.", "red-flag-card", {"text.product_missing"}),
        ("Call us at once.", "red-flag-card", {"text.product_missing", "text.lot_missing"}),
        ("You had {product}; a lot of patients ask.", "aftercare", {"text.lot_missing"}),
    ],
)
def test_after_the_consultation_product_and_lot_are_named(text: str, use: Any, codes: set[str]) -> None:
    assert {problem.code for problem in check_text(text, use, names=NAMES)} == codes


HEAD = {"version": "1.0.0", "title": {"en": "Title"}}


def test_patient_texts_are_checked_by_their_use_with_their_pointer() -> None:
    document = PatientTexts.from_json(
        json.dumps(
            HEAD
            | {
                "type": "patient-texts",
                "id": "acme.texts",
                "texts": [
                    {"id": "a", "use": "practitioner", "text": {"en": "BOTOX is stored cold."}},
                    {"id": "b", "use": "invitation", "text": {"en": "Come.", "de": "BOTOX für Sie."}},
                    {"id": "c", "use": "aftercare", "text": {"en": "You had {product}."}},
                ],
            }
        )
    )
    found = {(problem.pointer, problem.code) for problem in check_document(document, names=NAMES)}
    assert found == {("/texts/1/text/de", "text.names_drug"), ("/texts/2/text/en", "text.lot_missing")}


def consent(**more: Any) -> ConsentText:
    document = HEAD | {
        "type": "consent-text",
        "id": "acme.consent",
        "purpose": "treatment",
        "injections_only": True,
        "paragraphs": [
            {"id": "one", "covers": "product", "text": {"en": "You get {product}, lot {lot}."}},
            {"id": "two", "covers": "off-label", "text": {"en": "The use is off-label."}},
        ],
    }
    return ConsentText.from_json(json.dumps(document | more))


def test_a_treatment_consent_names_product_and_lot_and_off_label_as_a_whole() -> None:
    assert check_document(consent()) == ()
    promise = [{"id": "one", "covers": "benefit", "text": {"en": "You agree.", "fr": "{product} {lot} off-label"}}]
    found = [(one.pointer, one.code) for one in check_document(consent(paragraphs=promise))]
    assert found == [
        ("/paragraphs", "text.product_missing"),
        ("/paragraphs", "text.lot_missing"),
        ("/paragraphs", "text.off_label_missing"),
    ]


def test_a_consent_without_injection_or_for_photographs_names_no_product() -> None:
    plain = [{"id": "one", "covers": "photographs", "text": {"en": "You agree to photographs."}}]
    assert check_document(consent(paragraphs=plain, injections_only=False)) == ()
    assert check_document(consent(paragraphs=plain, purpose="teaching")) == ()


def test_a_red_flag_card_names_product_and_lot() -> None:
    document = HEAD | {
        "type": "follow-up-schedule",
        "id": "acme.schedule",
        "red_flag_card": {"en": "Call {emergency}."},
        "steps": [
            {
                "id": "W4",
                "title": {"en": "Review"},
                "kind": "visit",
                "offset": "P28D",
                "purpose": {"en": "Permanent results."},
                "basis": "S1",
                "mark": "V",
            }
        ],
    }
    found = {(one.pointer, one.code) for one in check_document(FollowUpSchedule.from_json(json.dumps(document)))}
    assert found == {
        ("/red_flag_card/en", "text.product_missing"),
        ("/red_flag_card/en", "text.lot_missing"),
        ("/steps/0/purpose/en", "text.promise_permanence"),
    }


def test_an_injection_template_says_off_label_in_its_off_label_text() -> None:
    document = template()
    assert check_document(ProcedureTemplate.from_json(json.dumps(document))) == ()
    document["off_label"] = {"en": "Licensed use."}
    found = [(one.pointer, one.code) for one in check_document(ProcedureTemplate.from_json(json.dumps(document)))]
    assert found == [("/off_label/en", "text.off_label_missing")]


def test_there_are_enough_seeded_sentences() -> None:
    assert sum(map(len, BAD.values())) + len(NAMED) >= 80
    assert len(GOOD) >= 40
