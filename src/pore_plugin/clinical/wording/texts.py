"""The text check: no promises, no claims without a source, no drug names before the consultation, names after it.

It finds known wordings, with the negation and the hedge around them; it does not understand a text, and passing it
does not make a text lawful.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache, lru_cache
from typing import Any, Literal

from ...contracts.base import FrozenMap, Model
from ...contracts.consent import ConsentText
from ...contracts.content_changes import Overlay
from ...contracts.extension import PatientTexts
from ...contracts.follow_up import FollowUpSchedule
from ...contracts.problems import Problem
from ...contracts.procedure import ProcedureTemplate
from .rules import (
    CLAIMS,
    DRUG_WORDS,
    HEDGE,
    NEGATION_AFTER,
    NEGATION_BEFORE,
    NEGATION_INSIDE,
    NEUTRAL,
    OFF_LABEL,
    Claim,
    compiled,
)

__all__ = ["TextUse", "check_document", "check_text", "localised_texts", "normalise"]

TextUse = Literal[
    "promotional", "invitation", "information", "consultation", "aftercare", "red-flag-card", "practitioner", "consent"
]

_BEFORE_CONSULTATION = frozenset({"promotional", "invitation", "information"})
_NAMES_PRODUCT = frozenset({"aftercare", "red-flag-card", "consent"})

# Cyrillic and Greek letters that look like Latin ones.
_LOOKALIKES = str.maketrans("авекмнорстухіјѕԁɡαβεικνορτυχ", "abekmhopctyxijsdgabeiknoptux")
_DIGITS_AS_LETTERS = str.maketrans("0134$5@", "oieassa")
_SENTENCE = re.compile(r"(?<=[.!?])\s(?:;\s)?|\s;\s")
_NEGATIVE = re.compile(r"\b(?:not|never|no|zero|cannot|without)\b")
_PART = re.compile(
    r"\s*[.!?;:](?:\s+|$)|\s+-+\s+|,\s+(?!(?:or|nor|neither|then)\b)|\s+(?:but|yet|however|while|whereas)\s+"
    r"|\s+and\s+(?=(?:your?|you'll|pores|results?|the|it|we|it's)\b)"
)
_WORDY = re.compile(r"[^\w\s%{}'.,!?;:=/-]+")


def check_text(text: str, use: TextUse, *, names: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return what is wrong with a whole text for its use; one problem per code and sentence, in order.

    `names` are the brands and INNs of the catalogue; common short forms are known anyway. Claims and promises are
    refused in every use. Promotional, invitation and information texts name no drug. Consent, aftercare and red-flag
    card texts name product and lot, for which the placeholders `{product}` and `{lot}` count; a consent also says that
    the use is off-label. Problems say which sentence it is, counted from 1, and do not repeat it.
    """
    problems: list[Problem] = []
    for sentences in _readings(text):
        problems += _claims(sentences)
        if use in _BEFORE_CONSULTATION:
            problems += _named(sentences, names)
    problems = list(dict.fromkeys(problems))
    if use in _NAMES_PRODUCT:
        problems += _unnamed(text, names, off_label=use == "consent")
    return tuple(problems)


@lru_cache(maxsize=4096)
def _plain(text: str) -> tuple[Problem, ...]:
    """Return what `check_text` says of a text for practitioners, for whom no name matters."""
    return check_text(text, "practitioner")


def check_document(
    document: Model, *, names: Collection[str] = (), texts: Iterable[tuple[str, FrozenMap[str]]] | None = None
) -> tuple[Problem, ...]:
    """Return what is wrong with every localised text of a content document or a part of one, with JSON pointers.

    Patient texts are checked by their own use; a treatment consent for injections and a red-flag card must name
    product and lot as a whole; forms, rules, evidence and the like are checked for claims and promises only. `texts`
    are the `localised_texts` of the document, for whoever has them already.
    """
    problems: list[Problem] = []
    uses: dict[str, TextUse] = {f"/texts/{index}/text": one.use for index, one in enumerate(_texts(document))}
    if isinstance(document, FollowUpSchedule):
        uses["/red_flag_card"] = "red-flag-card"
    for pointer, text in localised_texts(document) if texts is None else texts:
        use = uses.get(pointer) if uses else None
        for locale, sentence in text.items():
            found = _plain(sentence) if use is None else check_text(sentence, use, names=names)
            if found:
                problems += [one.model_copy(update={"pointer": f"{pointer}/{locale}"}) for one in found]
    if isinstance(document, ConsentText) and document.purpose == "treatment" and document.injections_only:
        for locale in sorted({locale for one in document.paragraphs for locale in one.text}):
            whole = "\n\n".join(one.text.get(locale, "") for one in document.paragraphs)
            lacking = _unnamed(whole, names, off_label=True)
            problems += [one.model_copy(update={"pointer": "/paragraphs"}) for one in lacking]
    if isinstance(document, ProcedureTemplate) and document.off_label is not None:
        for locale, sentence in document.off_label.items():
            if compiled(OFF_LABEL).search(normalise(sentence)) is None:
                problems.append(_off_label_missing(f"/off_label/{locale}"))
    return tuple(problems)


def normalise(text: str, divider: str = "-") -> str:
    """Return the text as the patterns see it.

    Lower case, no accents, no invisible characters, no quotes or mark-up, look-alike letters as Latin ones, every dash
    a hyphen; sentences stay apart. A hyphen at the end of a line becomes `divider`.
    """
    text = text.casefold().replace("`", "'") if text.isascii() else _latin(text)
    text = re.sub(r"(?<=\w)-[^\S\n]*\n\s*(?=\w)", divider, text)
    text = _WORDY.sub(" ", text)
    text = re.sub(r"(?<=\d)\s+(?=%)", "", text)
    text = re.sub(r"\s*\n\s*\n\s*", " ; ", text)
    return re.sub(r"\s+", " ", text).strip()


def _latin(text: str) -> str:
    """Return the text in lower case, each character as the ASCII one that it looks like, where there is one."""
    text = unicodedata.normalize("NFKC", re.sub("\u00ad\\s*", "", text)).casefold()
    text = "".join(char for char in text if unicodedata.category(char) != "Cf").translate(_LOOKALIKES)
    text = "".join(char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char) != "Mn")
    return re.sub(r"[\u2018\u2019\u02bc\u00b4`]", "'", re.sub(r"[\u2010-\u2015\u2212]", "-", text))


@lru_cache(maxsize=4096)
def _readings(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the sentences; twice where a hyphen at a line's end can be part of the word or not."""
    first = normalise(text)
    readings = dict.fromkeys((first, normalise(text, ""))) if "\n" in text else (first,)
    return tuple(tuple(one for one in _SENTENCE.split(reading) if one) for reading in readings)


def _claims(sentences: tuple[str, ...]) -> Iterator[Problem]:
    for number, sentence in enumerate(sentences, start=1):
        for claim in _made(sentence):
            yield Problem(code=claim.code, sentence=f"Sentence {number} {claim.sentence}", next_step=claim.next_step)


@lru_cache(maxsize=4096)
def _made(sentence: str) -> tuple[Claim, ...]:
    """Return the claims that a sentence makes. Kept: the documents of a library say most things alike."""
    parts = [part for part in _parts(sentence) if _any_claim().search(part)]
    return tuple(claim for claim in CLAIMS if any(_makes(claim, part) for part in parts))


@cache
def _any_claim() -> re.Pattern[str]:
    """Return the pattern that finds something wherever any pattern of any claim does, which is hardly anywhere."""
    patterns = (compiled(pattern).pattern for claim in CLAIMS for pattern in claim.patterns)
    return re.compile(rf"(?<!\w)(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})")


def _parts(sentence: str) -> Iterator[str]:
    """Yield the parts of a sentence that a negation or hedge reaches; a question asks and claims nothing."""
    asks = sentence.endswith("?") and re.match(r"(?:is|are|does|do|can|could|will|would|how|what|why|when)\b", sentence)
    if not asks:
        yield from (part for part in _PART.split(sentence) if part)


def _makes(claim: Claim, part: str) -> bool:
    plain = compiled(NEUTRAL).sub(lambda match: "surely" if match[0].startswith("no") else "", part)
    for pattern in claim.patterns:
        for match in compiled(pattern, from_word=True).finditer(part):
            before = compiled(NEUTRAL).sub("", part[: match.start()]).rstrip()
            inside = compiled(NEUTRAL).sub("", match[0])
            if not _NEGATIVE.search(pattern) and compiled(NEGATION_INSIDE).search(inside):
                continue
            if compiled(NEGATION_BEFORE).search(before) or compiled(NEGATION_AFTER).search(part[match.end() :]):
                continue
            if claim.hedged and compiled(HEDGE).search(plain):
                continue
            return True
    return False


def _named(sentences: tuple[str, ...], names: Collection[str]) -> Iterator[Problem]:
    pattern = _name_pattern(frozenset(names))
    for number, sentence in enumerate(sentences, start=1):
        if pattern.search(sentence) or pattern.search(sentence.translate(_DIGITS_AS_LETTERS)):
            yield Problem(
                code="text.names_drug",
                sentence=f"Sentence {number} names a brand, an active substance or a short form of one.",
                next_step="Speak of a consultation for pore concerns; medicines are named in the consultation.",
            )


@lru_cache(maxsize=64)
def _name_pattern(names: frozenset[str]) -> re.Pattern[str]:
    spelt = {_spaced(word) for name in names for word in (normalise(name), normalise(name).partition(" ")[0])}
    spelt |= {_spaced(word) for word in ("botox", "botulinum", "dysport", "bocouture", "xeomin", "azzalure")}
    return re.compile(rf"(?<!\w)(?:{'|'.join([*DRUG_WORDS, *sorted(one for one in spelt if one)])})(?!\w)")


def _spaced(word: str) -> str:
    """Return a pattern for the word that hyphens, dots or spaces between its letters do not hide."""
    return r"[\W_]?".join(re.escape(char) for char in word if not char.isspace()) if len(word) >= 5 else ""


def _unnamed(text: str, names: Collection[str], *, off_label: bool) -> Iterator[Problem]:
    seen = normalise(text)
    if "{product}" not in seen and not _name_pattern(frozenset(names)).search(seen):
        yield Problem(
            code="text.product_missing",
            sentence="The text does not name the product.",
            next_step="Name it, or put {product} where it belongs.",
        )
    if "{lot}" not in seen and not re.search(r"\b(?:lot|batch)(?: (?:number|no))?[ .:]+(?=\w*\d)[\w/-]+", seen):
        yield Problem(
            code="text.lot_missing",
            sentence="The text does not name the lot.",
            next_step="Put {lot} where it belongs.",
        )
    if off_label and compiled(OFF_LABEL).search(seen) is None:
        yield _off_label_missing("")


def _off_label_missing(pointer: str) -> Problem:
    return Problem(
        code="text.off_label_missing",
        sentence="The text does not say that the use is off-label.",
        pointer=pointer,
        next_step="Say that the use is off-label and what that means.",
    )


def _texts(document: Model) -> tuple[Any, ...]:
    return document.texts if isinstance(document, PatientTexts) else ()


def localised_texts(document: Model) -> list[tuple[str, FrozenMap[str]]]:
    """Return every localised text inside a model with its pointer, in order.

    Of an overlay the title only: its changes are parts of a document, and are read in the document that they make.
    """
    if isinstance(document, Overlay):
        return [("/title", FrozenMap(document.title))]
    found: list[tuple[str, FrozenMap[str]]] = []
    _gather(document.__dict__.items(), "", found)
    return found


def _gather(members: Iterable[tuple[Any, Any]], pointer: str, found: list[tuple[str, FrozenMap[str]]]) -> None:
    # The only member that a document spells otherwise than its model is `$schema`, which is no text. Most members are
    # strings; a library has millions of them, so what they are is asked in the order of how often they are it.
    for name, inner in members:
        kind = type(inner)
        if kind is str or inner is None:
            continue
        if kind is FrozenMap:
            found.append((f"{pointer}/{name}", inner))
        elif kind is tuple:
            if inner and type(inner[0]) is not str:
                _gather(enumerate(inner), f"{pointer}/{name}", found)
        elif isinstance(inner, Model):
            _gather(inner.__dict__.items(), f"{pointer}/{name}", found)
