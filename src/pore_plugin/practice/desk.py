"""What every use case stands on: the database, the clinic, who is asking, the clock, and the workflow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..contracts import Clinic, Event
from ..library.checking import no_collection
from ..storage import Database, Unit
from ..workflow import PoreWorkflow
from .holdings import LOOKED_UP, holdings

__all__ = ["Desk", "utc_now"]


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


class _Open(threading.local):
    """The use case that this thread is in, and what is to be published when it is committed."""

    def __init__(self) -> None:
        self.unit: Unit | None = None
        self.events: list[Event] = []


class Desk:
    """One clinic's place to work at: whoever sits there is `actor`, and every use case goes through `use`.

    Several threads may work at one desk: each has transactions of its own.

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
        self._made: tuple[PoreWorkflow, int] | None = None
        self._lookups: tuple[PoreWorkflow, int] | None = None
        self._open = _Open()

    @property
    def workflow(self) -> PoreWorkflow:
        """The workflow over the library as it is; made at first use, and again when the library has changed."""
        made = self._made
        if made is None:
            made = self._made = self._workflow_over(None)
        return made[0]

    @property
    def lookups(self) -> PoreWorkflow:
        """The workflow for looking things up: of the library it has only what names things and what is answered.

        It does not grow with the templates of a library, which may be thousands, as `workflow` does.
        """
        # Documents that were handed in may lean on anything in the library.
        if self._content or self._made is not None:
            return self.workflow
        made = self._lookups
        if made is None:
            made = self._lookups = self._workflow_over(LOOKED_UP)
        return made[0]

    def _workflow_over(self, types: Iterable[str] | None) -> tuple[PoreWorkflow, int]:
        # A library may hold thousands of documents, and all that is read of them stays.
        with no_collection():
            with self.use("content.read") as unit:
                held, number = holdings(unit, drafts=self.drafts, types=types), unit.content.number
            return PoreWorkflow(self.clinic, content=[*self._content, *held], **self._options), number

    def content_changed(self) -> None:
        """Have the workflow made anew: the library is not what it was."""
        self._made = self._lookups = None

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

        A use case inside another one joins it: there is one transaction, and its name is the outer one's. One that
        raises leaves nothing, also where the outer one goes on. What was published inside is told to the extensions
        after the commit, and never without one.
        """
        if self._open.unit is not None:
            said = len(self._open.events)
            try:
                with self._open.unit.part():
                    yield self._open.unit
            except BaseException:
                del self._open.events[said:]
                raise
            return
        now = int(self.now().timestamp())
        number = None
        try:
            with self.database.writing(self.clinic.id, self.actor, action=action, now=now) as unit:
                number = unit.content.number
                self._forget_other_library(number)
                # Somebody else may have been waited for, and was first.
                unit.now = int(self.now().timestamp())
                self._open.unit = unit
                yield unit
            told = self._open.events
        except BaseException:
            # What was made in here may be of content that was rolled back.
            self._forget_other_library(number)
            raise
        finally:
            self._open.unit, self._open.events = None, []
        self.publish(told)

    def _forget_other_library(self, number: int | None) -> None:
        """Drop a workflow over another state of the library: another process, or a use case of this one, changed it."""
        made = self._made or self._lookups
        if made is not None and number is not None and made[1] != number:
            self.content_changed()

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
        if self._open.unit is not None:
            self._open.events += events
        elif told := tuple(events):
            self.lookups.publish(told)
