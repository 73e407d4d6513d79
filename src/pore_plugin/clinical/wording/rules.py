"""What texts must not say, as data: patterns over normalised text, and the words that turn a claim around.

Patterns see text in lower case, without accents, quotes and line breaks (`texts.normalise`). In them `<3>` stands for
up to three words, `<time>` for a stretch of time, `<better>` for a better look, `<result>` for a result. Basis:
clinical.md sections 7, 10 and 11.10.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

__all__ = [
    "CLAIMS",
    "DRUG_WORDS",
    "HEDGE",
    "NEGATION_AFTER",
    "NEGATION_BEFORE",
    "NEGATION_INSIDE",
    "NEUTRAL",
    "OFF_LABEL",
    "Claim",
    "compiled",
]

_MACROS = {
    "<time>": (
        "(?:in|within|after|by)(?: (?:just|only|about|around|as little as|as few as|under|less than|"
        "the first|the|a|day|week))*(?: <number>(?: ?(?:-|to|or) ?<number>)?)?[ -]?(?:minutes?|hours?|"
        "days?|weeks?|months?|sessions?|treatments?|visits?)"
    ),
    "<span>": (
        "(?:for )?(?:up to |at least |about |around |over |more than |a full )*<number>(?: ?(?:-|to|"
        "or) ?<number>)?[ -](?:weeks?|months?|years?)"
    ),
    "<better>": (
        "(?:smaller|tighter|finer|smoother|clearer|younger|better|flawless|poreless|perfect|invisible|"
        "refined|radiant|less visible|minimi[sz]ed|matte|oil[- ]?free|glowing|gone|beautiful|even|"
        "shrunken|improved|closed|normal)"
    ),
    "<result>": "(?:results?|effects?|improvements?|differences?|changes?|transformations?|glow|benefits?|reductions?)",
    "<pore>": "(?:pores?|pore size|oil|oils|oiliness|oily skin|sebum|shine|skin texture)",
    "<number>": (
        r"(?:\d+(?:[.,]\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|few|"
        "couple of|some|several)"
    ),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A kind of sentence that no text may hold; `hedged` ones pass when the sentence is only a possibility."""

    code: str
    sentence: str
    next_step: str
    patterns: tuple[str, ...]
    hedged: bool = False


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "text.promise_effect",
        "promises an effect.",
        "Say that the evidence is mixed and that there may be no effect.",
        (
            r"guarant\w*",
            (
                r"(?:100|hundred) ?(?:%|per ?cent) (?:effective|success\w*|satisf\w*|results?|certain|sure|"
                "proven|of (?:our )?patients)"
            ),
            "money[- ]?back",
            r"poreless\b",
            r"\d+ ?(?:%|per ?cent|times) <2>(?:smaller|fewer|less|reduction|improvement|better|tighter)\b",
            r"(?:reduced|improved|smaller|fewer|less|shrunken)(?: in size)? by <3>\d",
            r"effective (?:for|in|on) (?:everyone|everybody|all|most|\d+)\b",
            "(?:a )?thing of the past",
            r"(?:stops?|blocks?|halts?|ends?|switch\w* off) <3>(?:oil|sebum) production",
            r"visibly <2>(?:<better>|tightened|reduced|shrunk|improved)\b",
            r"(?:enjoy|love|reveal|discover|unveil|welcome|get) <3><better> <1>(?:skin|pores|complexion|face)\b",
            "(?:always|really|truly|simply|just) works",
            r"works? (?:for|on) (?:everyone|everybody|all|every|any)\b",
            r"(?:never|cannot|can't|does not|doesn't) fails?\b",
            (
                "(?:will|'ll|going to|sure to|certain to|bound to) <3>(?:shrink|reduce|minimi[sz]e|tighten|"
                "erase|remove|eliminate|improve|clear|close|refine|cure|fix|banish|unclog|dissolve|"
                r"normali[sz]e|stop) <4><pore>\b"
            ),
            (
                "(?:pores?|skin|oiliness|shine|complexion|face|texture) (?:<2>will|'ll) <3>(?:shrink|disappear|"
                "vanish|tighten|close|improve|refine|glow|diminish|(?:be|look|become|feel|get|appear|stay) "
                "<2><better>)"
            ),
            (
                "(?:you|patients?|clients?|everyone) ?(?:will|'ll) <3>(?:see|notice|have|get|enjoy|love|"
                r"achieve|experience|feel|gain) <4>(?:<better>|<result>)\b"
            ),
            (
                "(?:you|patients?|clients?|everyone) ?(?:will|'ll) <2>(?:be|look|feel) <3>(?:<better>|"
                r"delighted|satisfied|thrilled|amazed|happy)\b"
            ),
            "(?:will not|won't|will never|never) (?:be disappointed|regret)",
            (
                "(?:shrinks?|shrinking|erases?|eliminates?|removes?|minimi[sz]es|tightens|closes|cures?|gets? "
                r"rid of|banish(?:es)?|vanish(?:es)?|unclogs|refines|dissolves) (?:<2>size of )?<3>pores?\b"
            ),
            r"(?:reduces|improves|controls|stops|normali[sz]es) <3><pore>\b",
            (
                "pores? <3>(?:shrinks?|vanish(?:es)?|disappears?|tightens?|closes?|(?:appears?|looks?|gets?|"
                "becomes?|are|seems?) <2>(?:smaller|tighter|finer|invisible|refined|less visible|minimi[sz]ed|"
                r"gone|a thing of the past))\b"
            ),
            (
                "(?:flawless|poreless|pore[- ]?free|airbrushed|picture[- ]?perfect|perfect|glass) <1>(?:skin|"
                "complexion|face|finish)"
            ),
            r"(?:goodbye|bye[- ]?bye|farewell|adieu) (?:to )?<3>(?:pores?|oil\w*|shine|shiny|skin)\b",
            r"no more <3>(?:pores?|oil\w*|shine)\b",
            r"never <3>(?:worry about|see|think of) <3>(?:pores?|oil\w*|shine)\b",
            "(?:clinically|scientifically|medically) proven",
            r"proven (?:to|results?|treatment|solution|method|way)\b",
            (
                "(?:results?|success|satisfaction|improvements?|effects?) (?:is|are) (?:certain|assured|sure|"
                "inevitable|secured?)"
            ),
            r"(?:miracle|magic\w*|wonder) <1>(?:cure|treatment|injections?|jab|solution|results?|fix)",
            (
                "(?:everyone|everybody|all (?:our |of our )?(?:patients|clients)|every (?:patient|client)) "
                r"<1>(?:sees?|gets?|notices?|is|are|loves?|responds?)\b"
            ),
            (
                "(?:definitely|undoubtedly|without fail|without doubt|no doubt) <4>(?:<better>|<result>|works?|"
                r"helps?)\b"
            ),
            "(?:transforms?|perfects) <2>(?:skin|face|complexion)",
            r"promises? (?:you )?<3>(?:<better>|<result>)\b",
        ),
        hedged=True,
    ),
    Claim(
        "text.promise_time",
        "promises a time.",
        "Say what studies saw, that it differs, and that there may be no effect.",
        (
            (
                "(?:you|patients?|clients?|everyone)(?:'ll| will| can| should)? <2>(?:see|sees|notice|have|get|"
                "enjoy|feel|expect|achieve) <5>(?:<better>|<result>|pores?|skin|shine) <4><time>"
            ),
            (
                "(?:<result>|(?:smaller|smoother|tighter|finer|clearer) <2>(?:pores?|skin)) (?:(?!was|were|had|"
                r"began|faded|followed|found|reported|seen|went)[\w'%-]+ ){0,4}<time>"
            ),
            (
                "(?:pores?|skin|shine|oiliness) (?:shrinks?|tightens?|improves?|clears?|closes?|vanish(?:es)?|"
                "disappears?|(?:looks?|is|are|appears?|gets?|becomes?) <2><better>) <4>(?:<time>|overnight|"
                "instantly|immediately|straight away|at once)"
            ),
            (
                "<time> <4>(?:pores?|skin|shine|oiliness) (?:(?:will|'ll) <2>)?(?:shrinks?|tightens?|improves?|"
                "clears?|closes?|vanish(?:es)?|disappears?|(?:be|looks?|is|are|appears?|gets?|becomes?) "
                "<2><better>)"
            ),
            "<time> (?:you|patients?) ?(?:will|'ll) <2>(?:see|notice|have|get|enjoy|be|look)",
            (
                "(?:instant|immediate|overnight|same[- ]?day|next[- ]?day|rapid|lightning[- ]?fast) "
                r"<2>(?:<result>|pores?|fix|smaller)\b"
            ),
            (
                r"(?:instantly|immediately|overnight|straight away) <3>(?:smaller|smoother|tighter|shrink\w*|"
                r"visible|reduc\w+|improv\w+|refin\w+|better)\b"
            ),
            (
                "(?:<result>|treatment|pores|skin|it|they|this|that|which|and) (?:will |'ll )?<1>(?:lasts?|"
                "holds?|stays?|keeps?|works?|remains?|continues?) <4><span>"
            ),
            r"<span> of <3>(?:<better>|<result>)\b",
        ),
        hedged=True,
    ),
    Claim(
        "text.promise_permanence",
        "promises permanence.",
        "Say that any effect is temporary.",
        (
            (
                r"permanent(?:ly)? <3>(?:<result>|<better>|solution|fix|cure|remov\w+|reduc\w+|shrink\w*|pores?|"
                r"smooth\w*|tight\w*|clos\w+)"
            ),
            (
                r"(?:<result>|pores?|it|skin|shrink\w*|remov\w+|gone|reduc\w+|clos\w+|fix\w*|<better>) "
                r"<3>permanent(?:ly)?\b"
            ),
            r"forever|for ever\b",
            r"<better> <2>(?:pores?|skin) (?:that|which) (?:lasts?|stays?)\b",
            "for good(?: |$)(?=$|and |with |after |in |thanks )",
            r"for life(?![\w-])",
            "once and for all",
            "life[- ]?(?:long|time) <2>(?:<result>|<better>|solution|fix)",
            "everlasting|ever[- ]lasting",
            r"(?:long[- ]?|lasting|enduring|durable)(?:lasting)? <1>(?:<result>|solution|fix|smooth\w*|<better>)",
            (
                "(?:never|won't|will not|do not|don't) (?:come|comes|coming|return|returns|grow|grows) "
                r"?(?:back|again)?\b"
            ),
            "(?:one[- ]and[- ]done|one[- ]?(?:time|off) (?:fix|treatment|solution))",
            "never <2>need <3>(?:another|again|repeat|top[- ]?up|further)",
            r"no need (?:for|to) <2>(?:repeat\w*|top[- ]?ups?|maintenance|further|more)\b",
            "no <1>(?:repeats?|top[- ]?ups?|maintenance|sessions?|treatments?) <1>(?:needed|required|necessary)",
            "irreversibl[ey] <2>(?:<better>|<result>)",
        ),
    ),
    Claim(
        "text.no_downtime",
        "promises that there is no downtime.",
        "Say what is common afterwards: weals, redness, bruises, pain.",
        (
            (
                "(?:no|zero|0|without(?: any)?|minimal|little|hardly any|virtually no|free of) <1>(?:down[- "
                r"]?time|recovery(?: time| period)?|healing time|time off)\b"
            ),
            "down[- ]?time[- ]?free",
            "back (?:at|to) <3>(?:work|desk|office|job) <3>same (?:day|morning|afternoon|evening)",
            "(?:in|during|over|on) (?:your|the|a) lunch[- ]?(?:hour|break|time)",
            (
                "lunch[- ]?(?:time|break|hour)? <2>(?:procedures?|treatments?|fix|jabs?|sessions?|tweaks?|"
                "tweakments?|facials?|appointment)"
            ),
            "(?:straight|right|immediately) back to (?:work|normal|your|life|everyday)",
            (
                "back (?:to|at) (?:work|your desk|normal) (?:immediately|right away|straight away|at once|the "
                "same day|within minutes)"
            ),
            "(?:resume|return to|carry on with) <4>(?:immediately|straight away|right away|at once)",
        ),
    ),
    Claim(
        "text.painless",
        "promises that it does not hurt.",
        "Say that pain is common and many points by hand are often poorly tolerated.",
        (
            r"pain[- ]?(?:free|less)\w*",
            (
                "(?:no|zero|without(?: any)?|minimal|little|hardly any|barely any|virtually no|next to no|"
                r"little to no) <1>(?:pain|discomfort|bruising|bruises|swelling)\b"
            ),
            "(?:does not|doesn't|do not|don't|will not|won't) <1>hurt",
            "(?:feel|feels) (?:nothing|no pain)",
            "(?:barely|hardly) <2>(?:a pinch|feel)",
            "(?:will not|won't|do not|don't) feel a thing",
            "(?:completely|totally|perfectly|very) comfortable",
        ),
    ),
    Claim(
        "text.promise_safety",
        "promises that nothing can go wrong.",
        "Name the effects that are common, less common and rare.",
        (
            r"(?:no|zero|without(?: any)?|free (?:of|from)) <1>(?:side[- ]?effects?|risks?|complications?)\b",
            "(?:risk|side[- ]?effect|complication)s?[- ]?free",
            r"(?:completely|totally|perfectly|absolutely|entirely|100 ?%|proven|always) safe\b",
            "nothing can go wrong",
            "safe and (?:effective|proven)",
        ),
    ),
    Claim(
        "text.claim_muscle",
        "explains pores or oil by the muscles of the face, which no source does.",
        "Name the accepted causes: oil, lost elasticity, the volume of the follicle.",
        (
            (
                r"muscles? <8>(?:tug\w*|pull\w*|stretch\w*|widen\w*|enlarg\w*|dilat\w*|squeez\w*|caus\w*|"
                r"responsible|produc\w*|control\w*|linked|driv\w*|connect\w*|open\w*) <6>(?:pores?|follicles?|"
                r"oil\w*|sebum|sebaceous)"
            ),
            (
                r"(?:relax\w*|weaken\w*|calm\w*|freez\w*|paraly[sz]\w*) <4>muscles? <8>(?:pores?|oil\w*|sebum|"
                "sebaceous)"
            ),
            (
                r"(?:pores?|follicles?|oil\w*|sebum) <6>(?:caused|stretched|widened|enlarged|pulled|tugged|"
                "opened|controlled|driven|produced) <3>by <5>muscles?"
            ),
            r"pores? <6>(?:because|since|when|as|by) <6>(?:relax\w*|contract\w*|tens\w*|overactive) <3>muscles?",
            r"pores? <6>(?:because|since|when|as) <4>muscles? <4>(?:contract|relax|tense|tighten|pull)\w*",
        ),
    ),
    Claim(
        "text.claim_root_cause",
        "claims to treat the root cause.",
        "Say that the way it might work is unsettled.",
        (
            "root[- ]?causes?",
            (
                "(?:treats?|tackles?|targets?|addresses|fixes|removes?|gets? to) the <1>(?:cause|source|origin|"
                r"root) of <4>(?:pores?|oil\w*)"
            ),
        ),
    ),
    Claim(
        "text.claim_sweat",
        "says that visible pores release sweat.",
        "Visible pores are the openings of hair follicles with their oil glands.",
        (
            r"pores? <4>(?:releas\w*|secret\w*|excret\w*|let out|giv\w+ off|produc\w*) <5>sweat",
            "sweat <4>(?:through|from|out of|via) <3>pores?",
        ),
    ),
    Claim(
        "text.claim_ageing",
        "says as a fact that ageing enlarges pores; studies disagree.",
        "Say that studies disagree about age.",
        (
            (
                "(?:age|ageing|aging|(?:getting|growing) older) <3>(?:makes?|enlarges?|widens?|causes?|opens?|"
                "stretches) <4>pores?"
            ),
            "pores? <3>(?:get|grow|become|widen|enlarge)s? <3>(?:with|as) <3>(?:age|ageing|aging|older)",
        ),
        hedged=True,
    ),
    Claim(
        "text.claim_licensed",
        "says that the use is licensed.",
        "Say that this use is off-label.",
        (
            (
                "(?:licen[sc]ed|approved|authori[sz]ed|registered|cleared)(?: | by <4>)(?:for|to treat|for the "
                r"treatment of) <4>(?:pores?|oil\w*|sebum)\b"
            ),
            "on[- ]label",
        ),
    ),
    Claim(
        "text.claim_convertible",
        "converts or equates units of different products.",
        "Units belong to their own product and are never converted.",
        (
            (
                r"units? <4>(?:equals?|equivalent to|correspond\w* to|convert\w* (?:in)?to|=|is the same as|are "
                "the same as|interchangeable) <5>units?"
            ),
            r"(?:conversion|dose|unit) (?:ratio|factor)\b",
        ),
    ),
    Claim(
        "text.claim_not_device",
        "says what device law would have to say.",
        "Say that it is likely a medical device in the UK and the EU, and that qualification is the manufacturer's.",
        ("not a medical device",),
    ),
)

DRUG_WORDS: tuple[str, ...] = (
    r"\w*botox\w*",
    r"\w*botulin\w*",
    r"(?:baby|micro|meso|skin)[- ]?tox\w*",
    r"\w*neuro[- ]?toxins?",
    "neuro[- ]?modulators?",
    "toxins? (?:injections?|treatments?|jabs?|shots?|therapy)",
    r"(?:anti[- ]?wrinkle|wrinkle[- ]?relax\w*|muscle[- ]?relax\w*) (?:injections?|jabs?|shots?)",
    "bont(?:[- ]?[ae])?",
    "btx(?:[- ]?a)?",
    "(?:get|got|our|some|your|more|the) tox(?:'d|ed)?",
    (
        "(?:dysport|xeomin|bocouture|azzalure|alluzience|jeuveau|nuceiva|letybo|daxxify|relfydess|vistabel|"
        r"vistabex|botulax|nabota|innotox|neuronox|myobloc|neurobloc|meditoxin|hutox|croma[- ]?tox)\w*"
    ),
)
"""Brands, short forms and slang beside the names that the catalogue knows."""

NEGATION_BEFORE = (
    r"(?:\b(?:not|never|nobody|no one|nor|neither|cannot|hardly|unlikely|impossible|false|"
    "untrue|myth|wrong|unsupported|avoid|wary|beware|distrust|refuse|nowhere|dont|doesnt|cant|"
    r"wont|isnt)\b|n't\b)(?: [\w'%-]+){0,8}$|\b(?:no|without|none|nothing) (?:[\w'%-]+ "
    ")?(?:promises?|evidence|proof|claims?|study|studies|source|text|treatment|way|clinic|"
    r"cream|product|procedure|method|doctor|of|can|we|trial|reason|\w+ that)(?: [\w'%-]+){0,8}$|"
    r"\b(?:no|without|any|zero)(?: an?)?$"
)
"""A negation that reaches the claim from the words before it."""

NEGATION_INSIDE = r"\b(?:not|never|cannot|no|nobody|neither|nor)\b|n't\b"
"""A negation between the words of a claim that is not itself worded as one."""

NEGATION_AFTER = (
    r"^(?: [\w'%-]+){0,4} ?(?:(?:is|are|was|were|be|been)(?: not|n't| never) (?:\w+ "
    ")?(?:promised?|guaranteed|possible|known|expected|likely|certain|proven|shown|supported|"
    "true|offered|given|seen|found|permanent)|(?:cannot|can't|can never|could not) be "
    "(?:promised|guaranteed|expected|proven|predicted|foreseen|known)|(?:has|have) (?:not|"
    "never) been|(?:do|does)(?: not|n't) exist|is (?:a myth|false|untrue|unsupported|wrong|"
    r"contested|unsettled|unknown|unclear))\b"
)
"""A negation that takes the claim back after it."""

NEUTRAL = (
    r"\b(?:not (?:only|just|to mention)|no (?:doubt|question|wonder|matter|longer|need)|without "
    "(?:a )?(?:doubt|question|fail)|nothing (?:but|short of)|why not|can't wait|don't (?:worry|"
    r"wait|miss|hesitate)|do not (?:worry|wait|miss|hesitate)|never (?:mind|been easier))\b"
)
"""Phrases that look like a negation and are none."""

HEDGE = (
    r"\b(?:may|might|could|whether|unclear|uncertain|unsettled|contested|perhaps|possibly|"
    r"sometimes|hopes?|hoped|wish\w*|reported|reports?|series|some (?:people|patients|studies)|"
    "in (?:one|a|some|several|two|three|another) <3>(?:study|studies|trials?|groups?)|(?:study|"
    "studies|trial|trials|review) (?:that )?(?:measured|asked|looked|compared|found|"
    r"disagree\w*))\b"
)
"""A possibility, a question or somebody's finding rather than a promise."""

OFF_LABEL = (
    "off[- ]?label|outside (?:its|the|their) (?:licen[cs]e|label|marketing authori[sz]ation)|"
    "unlicen[cs]ed use|not licen[cs]ed for"
)
"""What counts as saying that a use is off-label."""


@cache
def compiled(pattern: str, *, from_word: bool = False) -> re.Pattern[str]:
    """Return the compiled pattern, its macros written out; `from_word` ones begin at the start of a word."""
    for macro, meaning in _MACROS.items():
        pattern = pattern.replace(macro, meaning)
    pattern = re.sub(r"<(\d)>", r"(?:[\\w'%.-]+ ){0,\1}", pattern)
    return re.compile(rf"(?<!\w)(?:{pattern})" if from_word else pattern)
