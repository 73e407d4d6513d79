"""What an import changes, how two versions of a document differ, what a clinic holds, and overlays on a base."""

from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from typing_extensions import TypeAliasType

from .base import (
    Digest,
    FrozenMap,
    Id,
    Instant,
    Integer,
    LocalDate,
    Model,
    Opt,
    RecordId,
    Sentence,
    Text,
    Token,
    Version,
    refuse,
)
from .common import ContentDocument, Pin
from .problems import Problem

__all__ = [
    "AddValue",
    "Bump",
    "ChangeClass",
    "ContentAction",
    "ContentDiff",
    "ContentEntry",
    "ContentHistory",
    "ContentList",
    "ContentState",
    "FieldChange",
    "HistoryEntry",
    "ImportCounts",
    "ImportItem",
    "ImportReport",
    "JsonValue",
    "MoveItem",
    "Overlay",
    "OverlayChange",
    "RatedChange",
    "RemoveValue",
    "SetValue",
    "TouchedRecords",
]

ChangeClass = Literal["wording", "additive", "breaking"]
"""Wording says the same otherwise, additive takes nothing away, breaking is all else: a dose, a duty, a meaning."""

Bump = Literal["none", "patch", "minor", "major"]
ContentAction = Literal[
    "imported", "approved", "approval-withdrawn", "handed-over", "expired", "retired", "rolled-back"
]
ContentState = Literal["draft", "active", "expired", "superseded", "retired", "rolled-back"]

Place = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""A place in a document in words: members and, for items of a list, what the item is called (`steps/consent/title/en`).

`/` and `~` inside of a name are written `~1` and `~0`, as in a JSON pointer."""

_Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$")]
if TYPE_CHECKING:
    # The same, in the words that the type checker knows.
    JsonValue = Union[bool, int, str, tuple["JsonValue", ...], FrozenMap["JsonValue"]]  # noqa: UP007
else:
    JsonValue = TypeAliasType(
        "JsonValue",
        Union[  # noqa: UP007
            bool,
            Integer,
            Annotated[str, StringConstraints(max_length=4000)],
            tuple["JsonValue", ...],
            Annotated[dict[_Key, "JsonValue"], AfterValidator(FrozenMap)],
        ],
    )
"""A value of a content document: no null and no fraction, which no content document has either."""

_NOT_OVERLAID = frozenset({"$schema", "digest", "id", "review", "status", "type", "version"})


class FieldChange(Model):
    """One difference between two documents, at the smallest place that differs."""

    pointer: str = Field(description="RFC 6901 pointer into the new document; into the old one for what was removed.")
    place: Place = Field(description="The same in words, items by what they are called: `steps/consent/title/en`.")
    change: Literal["added", "removed", "changed", "moved"] = Field(
        description="Moved is an item of a list that stands elsewhere among those that both documents have."
    )
    was: Opt[str] = Field(default=None, description="Compact JSON; of a moved item its old index.")
    now: Opt[str] = Field(default=None, description="Compact JSON; of a moved item its new index.")


class RatedChange(FieldChange):
    """A difference with what it means for whoever works by the document."""

    change_class: ChangeClass = Field(description="Wording needs a patch, additive a minor, breaking a major version.")


class TouchedRecords(Model):
    """Open records that stay on the older version they are pinned to."""

    kind: Token = Field(description="What they are: `follow-up-plan`, `consultation`, `procedure-plan`.")
    version: Version = Field(description="The version they are pinned to.")
    count: Annotated[Integer, Field(ge=1)]
    records: tuple[RecordId, ...] = Field(default=(), description="Their ids, as many as are shown.")


class ImportItem(Model):
    """What an import does with one document."""

    id: Id
    type: Token
    title: Opt[Text] = None
    version: Version
    digest: Digest = Field(description="sha256 of the canonical document without digest and status.")
    outcome: Literal["created", "changed", "unchanged", "conflicting"] = Field(
        description="Against what the clinic holds; conflicting stops the whole import."
    )
    source: Opt[Sentence] = Field(default=None, description="The file; absent for what an overlay composes.")
    overlay: Opt[Id] = Field(default=None, description="The overlay that composes this document.")
    previous: Opt[Version] = Field(default=None, description="The newest version before it.")
    changes: tuple[RatedChange, ...] = Field(default=(), description="Against that version.")
    needed_bump: Opt[Bump] = Field(default=None, description="The least version step that the changes ask for.")
    touches: tuple[TouchedRecords, ...] = Field(default=(), description="What is open under older versions.")


class ImportCounts(Model):
    """How many documents an import read, by what becomes of them."""

    created: Integer
    changed: Integer
    unchanged: Integer
    conflicting: Integer


class ImportReport(Model):
    """A dry run, or what was done. With any problem nothing is applied."""

    applied: bool = Field(description="False for a dry run and for an import that was refused.")
    counts: ImportCounts
    items: tuple[ImportItem, ...] = Field(default=(), description="Every document that is not unchanged.")
    problems: tuple[Problem, ...] = Field(default=(), description="Why nothing may be applied; empty when it may.")


class ContentDiff(Model):
    """Two documents beside each other."""

    type: Token
    old: Pin = Field(description="The document that the changes start from.")
    new: Pin = Field(description="The document that they lead to.")
    changes: tuple[RatedChange, ...]
    needed_bump: Bump = Field(description="The least version step from the one to the other.")


class ContentEntry(Model):
    """One version of a document in the library."""

    id: Id
    type: Token
    title: Text
    version: Version
    digest: Digest = Field(description="sha256 of the canonical document without digest and status.")
    origin: Token = Field(description="Who brought it: `pore`, a plug-in, or `clinic`.")
    state: ContentState = Field(description="What it may be used for today; only active content can be treated with.")
    approved_by: Opt[RecordId] = None
    valid_until: Opt[LocalDate] = Field(default=None, description="The last day of its approval.")
    review_due: Opt[LocalDate] = Field(default=None, description="The last day on which its review holds.")
    base: Opt[Pin] = Field(default=None, description="What it lays changes over, or was composed from.")


class ContentList(Model):
    """What the library holds, by id and version."""

    entries: tuple[ContentEntry, ...]


class HistoryEntry(Model):
    """Something that was done to a document: who, when, why."""

    seq: Annotated[Integer, Field(ge=1)]
    at: Instant = Field(description="When it was done.")
    by: Sentence = Field(description="Who did it.")
    action: ContentAction = Field(description="What was done.")
    version: Version
    digest: Digest = Field(description="sha256 of the canonical document without digest and status.")
    why: Opt[Sentence] = None
    changes: tuple[RatedChange, ...] = Field(default=(), description="Against the version before it.")


class ContentHistory(Model):
    """Everything that was done to a document, oldest first."""

    id: Id
    type: Token
    entries: tuple[HistoryEntry, ...]


class SetValue(Model):
    """Another value than the base has."""

    action: Literal["set"]
    place: Place = Field(description="Where, in words: `steps/consent/title/en`.")
    was: JsonValue = Field(description="What the base has there; anything else is a conflict.")
    now: JsonValue


class RemoveValue(Model):
    """A member or an item of a list that the base has and the clinic leaves out."""

    action: Literal["remove"]
    place: Place = Field(description="Where, in words: `consumables/ice`.")
    was: JsonValue = Field(description="What the base has there; anything else is a conflict.")


class AddValue(Model):
    """A member or an item of a list that the base does not have."""

    action: Literal["add"]
    place: Place = Field(description="Where, in words; an item's last word is what the item itself is called.")
    now: JsonValue
    after: Opt[Sentence] = Field(default=None, description="The item of the list that it follows; absent = the last.")
    first: bool = Field(default=False, description="True for an item that opens its list.")


class MoveItem(Model):
    """An item of a list that stands elsewhere than in the base."""

    action: Literal["move"]
    place: Place = Field(description="The item, in words: `steps/photographs`.")
    after: Opt[Sentence] = Field(default=None, description="The item of the list that it follows; absent = the last.")
    first: bool = Field(default=False, description="True for an item that opens its list.")


OverlayChange = Annotated[SetValue | RemoveValue | AddValue | MoveItem, Field(discriminator="action")]


class Overlay(ContentDocument):
    """What a clinic does otherwise than a base document; together they make the document `target`."""

    type: Literal["overlay"]
    base: Pin = Field(description="The very document that the changes are laid over.")
    target: Id = Field(description="The id of the document that base and changes make.")
    changes: Annotated[tuple[OverlayChange, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_what_it_makes(self) -> "Overlay":
        if self.target in (self.id, self.base.id):
            refuse("overlay.target", "An overlay's target has an id of its own: not the overlay's, not the base's.")
        if "+" in self.version:
            refuse("overlay.version", "An overlay's version has three numbers and nothing behind them.")
        for index, change in enumerate(self.changes):
            at = f"/changes/{index}"
            if change.place.partition("/")[0] in _NOT_OVERLAID:
                refuse(
                    "overlay.place", "This member belongs to the overlay itself and is not laid over.", f"{at}/place"
                )
            if isinstance(change, AddValue | MoveItem) and change.first and change.after is not None:
                refuse("overlay.order", "An item opens its list or follows another, not both.", f"{at}/first")
        return self
