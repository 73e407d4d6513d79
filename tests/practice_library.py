"""Content of a clinic's own for the tests of its library, made from what ships."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factories import clinic
from pore_plugin.builtin import documents
from pore_plugin.contracts import Clinic
from pore_plugin.practice import Desk
from pore_plugin.storage import Database

SHIPPED = {document["id"]: document for document in (json.loads(data) for _, data in documents())}
PEEL = "acme.template.peel"
SCHEDULE = "acme.schedule.peel"
PRESCRIBER = "dr-sample"
NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


def template(version: str = "1.0.0", content_id: str = PEEL, **members: Any) -> dict[str, Any]:
    """Return the peel that ships under an id of the clinic's own; `None` leaves a member out."""
    document = {**copy.deepcopy(SHIPPED["pore.template.salicylic-peel"]), "id": content_id, "version": version}
    return {key: value for key, value in {**document, **members}.items() if value is not None}


def schedule(version: str = "1.0.0", content_id: str = SCHEDULE, **members: Any) -> dict[str, Any]:
    """Return the schedule that ships under an id of the clinic's own."""
    return {**copy.deepcopy(SHIPPED["pore.schedule.peel"]), "id": content_id, "version": version, **members}


def reworded(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Return a next version that says something otherwise."""
    return {**copy.deepcopy(document), "version": version, "title": {"en": "Another peel for pores"}}


def write(path: Path, document: dict[str, Any]) -> Path:
    """Write a document as an admin would have it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return path


class Clock:
    """A clock that the test sets."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def desk_at(database: Database, clock: Callable[[], datetime], settings: Clinic | None = None, **options: Any) -> Desk:
    """Return a place to work at, without the extensions that happen to be installed."""
    return Desk(
        database, settings or clinic(), actor=options.pop("actor", PRESCRIBER), clock=clock, installed=False, **options
    )


def with_second_prescriber() -> Clinic:
    """Return the sample clinic with somebody to hand over to."""
    settings = clinic()
    second = {**settings.people[0].to_document(), "id": "dr-second", "name": "Dr Zoe Second (invented)"}
    return clinic(people=[*(person.to_document() for person in settings.people), second])


def without_leaver() -> Clinic:
    """Return that clinic after the first prescriber has left it."""
    settings = with_second_prescriber()
    return clinic(people=[person.to_document() for person in settings.people if person.id != PRESCRIBER])
