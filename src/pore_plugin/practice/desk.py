"""What every use case stands on: the database, the clinic, who is asking, the clock, and the workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..contracts import Clinic, Event
from ..library.checking import no_collection
from ..storage import Database, Unit
from ..workflow import PoreWorkflow
from .holdings import holdings

__all__ = ["Desk", "utc_now"]


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


class Desk:
    """One clinic's place to work at: whoever sits there is `actor`, and every use case goes through `use`.

    `content`: documents besides those of the library. `drafts`: new work may use drafts that are newer than what is
    approved; without it, only where nothing is approved. `clock` returns an aware moment.
    """

    def __init__(
        self,
        database: Database,
        clinic: Clinic,
        *,
        actor: str,
        clock: Callable[[], datetime] = utc_now,
        content: Iterable[bytes | Mapping[str, Any]] = (),
        drafts: bool = False,
        plugins: Mapping[str, object] | None = None,
        installed: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.database = database
        self.clinic = clinic
        self.actor = actor
        self.drafts = drafts
        self._clock = clock
        self._content = tuple(content)
        self._options: dict[str, Any] = {"plugins": plugins, "installed": installed, "environ": environ}
        self._workflow: PoreWorkflow | None = None
        self._unit: Unit | None = None

    @property
    def workflow(self) -> PoreWorkflow:
        """The workflow over the library as it is; made at first use, and again after `content_changed`."""
        if self._workflow is None:
            # A library may hold thousands of documents, and all that is read of them stays.
            with no_collection():
                with self.use("content.read") as unit:
                    held = holdings(unit, drafts=self.drafts)
                self._workflow = PoreWorkflow(self.clinic, content=[*self._content, *held], **self._options)
        return self._workflow

    def content_changed(self) -> None:
        """Have the workflow made anew: the library is not what it was."""
        self._workflow = None

    def now(self) -> datetime:
        """Return this moment in the clinic's zone, in whole seconds."""
        return self._clock().astimezone(ZoneInfo(self.clinic.zone)).replace(microsecond=0)

    def instant(self) -> str:
        """Return this moment as contracts write it."""
        return self.now().isoformat()

    def today(self) -> str:
        """Return the day in the clinic's zone."""
        return self.now().date().isoformat()

    @contextmanager
    def use(self, action: str) -> Iterator[Unit]:
        """One use case: one transaction, with what it read and wrote in the audit under this name.

        A use case inside another one joins it: there is one transaction, and its name is the outer one's.
        """
        if self._unit is not None:
            yield self._unit
            return
        now = int(self.now().timestamp())
        try:
            with self.database.writing(self.clinic.id, self.actor, action=action, now=now) as unit:
                self._unit = unit
                yield unit
        finally:
            self._unit = None

    def tell(self, unit: Unit, events: Iterable[Event], *, patient: str | None = None) -> tuple[Event, ...]:
        """Put what happened into the outbox, with what it tells of, in the same transaction.

        Returns what was not told before: that is to be published after the commit.
        """
        return tuple(
            event
            for event in events
            if unit.outbox.add(event.id, event.type, event.subject, event.to_json(), at=unit.now, patient=patient)
        )

    def publish(self, events: Iterable[Event]) -> None:
        """Tell the extensions, after the commit. What goes wrong there is theirs, and is in the load report."""
        self.workflow.publish(events)
