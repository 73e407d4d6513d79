"""Tasks for people of the clinic, in the outbox: put there once, open until somebody did them."""

from __future__ import annotations

from collections.abc import Iterable

from ..clinical.follow_up.due import OpenTask
from ..contracts import Event, FollowUpReview, StaffTask, Task, refusal
from ..storage import Unit
from .desk import Desk
from .keeping import Keeping, moment

__all__ = ["CANCELLED", "DONE", "TOPIC", "finish", "of_review", "open_tasks", "put_tasks"]

TOPIC = "task"
"""What tasks are called in the outbox."""
DONE, CANCELLED = "done", "cancelled"
"""States in which nobody waits for a task any more."""


def put_tasks(keeping: Keeping, tasks: Iterable[Task]) -> int:
    """Put tasks into the outbox and return how many were not open there; one that was done is never opened again.

    One that was called off, such as by a correction of whose record it is, is opened again.
    """
    unit, count = keeping.unit, 0
    wanted = {task.key: task for task in tasks}
    known = unit.outbox.with_keys(wanted)
    for key, task in wanted.items():
        if key not in known:
            unit.outbox.add(key, TOPIC, task.about, task.to_json(), at=moment(task.created_at), patient=task.patient)
            unit.touched("write", task.patient, TOPIC, key)
            count += 1
        elif known[key].state == CANCELLED:
            unit.outbox.set_state(known[key].seq, "pending")
            count += 1
    return count


def of_review(review: FollowUpReview, patient: str) -> tuple[Task, ...]:
    """Return what a person has to do because of an answer, for the patient whom the review is kept for."""
    return tuple(
        Task(
            key=one.key,
            clinic=review.clinic,
            patient=patient,
            code=one.code,
            title=one.title,
            about=review.id,
            follow_up_plan=review.follow_up_plan.id,
            created_at=review.reviewed_at,
            due=one.due,
            ignores_hours=one.ignores_hours,
        )
        for one in review.tasks
    )


def open_tasks(unit: Unit, *, by: int) -> list[OpenTask]:
    """Return the tasks that arose by a moment and that nobody has done, each with the patient as known now."""
    rows = [row for row in unit.outbox.of_topic(TOPIC) if row.patient is not None and row.at <= by]
    heads = unit.patients.heads(row.patient for row in rows if row.patient is not None)
    found = []
    for row in rows:
        task = Task.from_json(row.document)
        unit.touched("read", row.patient, TOPIC, row.key)
        found.append(
            OpenTask(
                patient=heads[row.patient or ""],
                task=StaffTask(
                    key=task.key, code=task.code, title=task.title, due=task.due, ignores_hours=task.ignores_hours
                ),
                follow_up_plan=task.follow_up_plan,
            )
        )
    return found


def finish(desk: Desk, key: str) -> Task:
    """Say that a task was done, and return it; saying it again changes nothing.

    `key` may be the beginning of one key alone. Raises `ProblemsError` (`task.unknown`).
    """
    told: tuple[Event, ...] = ()
    with desk.use("task.finish") as unit:
        keys = unit.outbox.keys_from(key, TOPIC)
        key = keys[0] if len(keys) == 1 else key
        row = unit.outbox.with_keys([key]).get(key)
        if row is None or row.topic != TOPIC or row.state == CANCELLED:
            raise refusal(
                "task.unknown", "There is no task with this key.", "See the keys with: pore-plugin follow-up due"
            )
        task = Task.from_json(row.document)
        if row.state != DONE:
            unit.outbox.set_state(row.seq, DONE)
            unit.touched("write", row.patient, TOPIC, key)
            event = Keeping(desk, unit).event("task.done", key, desk.instant(), task.about)
            told = desk.tell(unit, [event], patient=row.patient)
    desk.publish(told)
    return task
