"""The common ground of every contract: a frozen, strict, closed model and the one-spelling primitive types.

Every primitive is a string with exactly one spelling for one value, so that a document read, kept and
written again has the same bytes and the same digest. Nothing here reads a clock or a file.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, NoReturn, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .limits import MAX_INTEGER

__all__ = [
    "CountryCode",
    "DecimalString",
    "Digest",
    "Duration",
    "FrozenMap",
    "Id",
    "Instant",
    "Integer",
    "LocalDate",
    "LocalTime",
    "Locale",
    "Model",
    "NonNegativeDecimal",
    "Opt",
    "PositiveDecimal",
    "RecordId",
    "Sentence",
    "Text",
    "Token",
    "UnitId",
    "Version",
    "Zone",
    "refuse",
]

T = TypeVar("T")


def refuse(code: str, sentence: str, at: str = "") -> NoReturn:
    """Refuse a value from inside a model validator.

    `code` is a stable dotted problem code, `sentence` says what is wrong without repeating any value, `at` is
    the JSON pointer from the validated value to the culprit (`/sections/0/questions/3`), empty for itself.
    """
    raise PydanticCustomError(code, sentence, {"at": at} if at else None)


class _AbsentNotNull:
    """Makes an optional member absent rather than null in JSON; Python callers may still pass `None`.

    One spelling for "nothing": a document with `null` members would carry another digest than the same
    document without them.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        if schema["type"] != "nullable":
            return schema
        return core_schema.json_or_python_schema(json_schema=schema["schema"], python_schema=schema)


Opt = Annotated[T | None, _AbsentNotNull()]
"""An optional member: absent in a document, `None` in Python."""


class Model(BaseModel):
    """A contract noun: frozen, strict, closed, and silent about its values in `repr` and in errors."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show nothing: a record's values are patient data, and a traceback prints `repr`."""
        return ()

    def __str__(self) -> str:
        return repr(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """Parse JSON text. Raises `pydantic.ValidationError`; outside callers use `pore_plugin.validation.check`."""
        return cls.model_validate_json(data)

    def to_document(self) -> dict[str, Any]:
        """Return the plain JSON document: the members that were read or set, nothing added, no nulls.

        Members left at their default stay out, so a document read and written again is the same document and has
        the same digest.
        """
        document: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        return document

    def to_json(self) -> bytes:
        """Return `to_document` as compact UTF-8 JSON."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_unset=True, exclude_none=True)


class FrozenMap(dict[str, T]):
    """A string-keyed mapping that refuses to change and can be hashed."""

    def _no(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a contract mapping does not change")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _no

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __repr__(self) -> str:
        return "FrozenMap()"


def _real_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        refuse("date.not_real", "This date does not exist in the calendar.")
    return value


def _real_instant(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        refuse("instant.not_real", "This date and time does not exist in the calendar.")
    return value


DecimalString = Annotated[
    str,
    StringConstraints(pattern=r"^(0|-?(0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?))$", max_length=32),
]
"""An exact decimal in its one spelling: no exponent, no leading or trailing zero, no plus sign."""

NonNegativeDecimal = Annotated[
    str, StringConstraints(pattern=r"^(0|0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?)$", max_length=32)
]
PositiveDecimal = Annotated[
    str, StringConstraints(pattern=r"^(0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?)$", max_length=32)
]

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(\.[a-z0-9]+(-[a-z0-9]+)*)+$", max_length=96)]
"""A namespaced content id: `pore.form.consultation`, `acme.question.sleep`. The first part is the vendor."""

RecordId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
"""The id of a record, as FHIR R4 `id` allows it."""

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$", max_length=64)]
"""A short machine word: an option code, a rule code, a step id inside its document."""

UnitId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9%/\[\]{}'._*-]+$", max_length=48)]
"""A UCUM unit (`mL`, `d`, `a`, `mm`) or the `unit_id` of a toxin (`pore.unit.ona`), which no code converts."""

Version = Annotated[
    str,
    StringConstraints(pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(\+[0-9a-f]{12})?$", max_length=48),
]
"""A semantic version; a composed form has `base+<first 12 hex digits of its digest>`."""

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Zone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", max_length=64)]
"""An IANA time zone name. Whether tzdata knows it is checked where the clinic settings are read."""

LocalDate = Annotated[
    str,
    StringConstraints(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    AfterValidator(_real_date),
    Field(json_schema_extra={"format": "date"}),
]
LocalTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Instant = Annotated[
    str,
    StringConstraints(
        pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
        r"(\+(0[0-9]|1[0-4]):[0-5][0-9]|-(0[1-9]|1[0-2]):[0-5][0-9]|-00:[0-5][1-9]|-00:[1-5]0)$"
    ),
    AfterValidator(_real_instant),
    Field(json_schema_extra={"format": "date-time"}),
]
"""An aware date and time: whole seconds and a numeric offset (`2026-03-01T09:30:00+00:00`, never `Z`)."""

Duration = Annotated[
    str,
    StringConstraints(pattern=r"^P(0D|[1-9][0-9]{0,3}[DWMY]|T[1-9][0-9]{0,4}[HM])$"),
]
"""An ISO 8601 duration of one component: `P14D`, `P12W`, `P3M`, `PT48H`, `PT30M`; nothing is `P0D`."""

Integer = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
"""A JSON integer that every JSON reader keeps exactly."""
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Text = Annotated[dict[Locale, Sentence], Field(min_length=1), AfterValidator(FrozenMap)]
"""A localised text: locale to sentence, every locale inside the document."""
