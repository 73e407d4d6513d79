"""A process that starts others and kills them: `crash_worker.py URL`, told by lines on standard input.

Each line is `NUMBERS MICROSECONDS`: walk the sample case with these numbers in its ids, one after the other, in a
process of its own, and kill that process after so long; without MICROSECONDS let it finish. The answer is a line of
JSON: how many steps had returned, whether it was killed, and how long it ran. What costs time is imported once, and no
connection is open when a process is started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from factories import case_input, clinic
from pore_plugin import PoreWorkflow
from pore_plugin.demo import run_case
from pore_plugin.practice import Desk, Records
from pore_plugin.storage import Database
from practice_cases import NOW

STEPS = 9
"""How many use cases the sample case is."""
WARM = 9999
"""The number of the case that is walked before any other."""


class Told(Records):
    """The steps, and word of each after it returned."""

    def __init__(self, desk: Desk, said: Callable[[], object]) -> None:
        super().__init__(desk)
        self.said = said

    def _step(self, *arguments: Any) -> Any:
        result = super()._step(*arguments)
        self.said()
        return result


def case(number: int) -> dict[str, Any]:
    """Return the sample case for another patient, with ids of its own."""
    given = case_input()
    patient = {**given["consultation"]["patient"], "id": f"patient-{number}"}
    vial = {**given["vials"][0], "id": f"vial-{number}"}
    responses = [
        {
            **response,
            "id": f"{response['id']}-{number}",
            "patient": patient,
            "outcomes": [{**one, "id": f"{one['id']}-{number}"} for one in response.get("outcomes", ())],
        }
        for response in given["follow_up"]["responses"]
    ]
    treatment = given["treatment"]
    uses = [{**use, "vial": {**use["vial"], "id": vial["id"]}} for use in treatment["vials"]]
    return {
        **given,
        "consultation": {**given["consultation"], "id": f"consultation-{number}", "patient": patient},
        "day_form": {**given["day_form"], "id": f"day-{number}", "patient": patient},
        "authorisations": [{**given["authorisations"][0], "id": f"authorisation-{number}"}],
        "vials": [vial],
        "treatment": {**treatment, "id": f"treatment-{number}", "vials": uses},
        "follow_up": {**given["follow_up"], "responses": responses},
    }


def walk(database: Database, workflow: PoreWorkflow, numbers: list[int], said: Callable[[], object]) -> None:
    """Walk the sample case for each of these numbers."""
    desk = Desk(database, workflow.clinic, actor="dr-sample", clock=lambda: NOW)
    desk._workflow = workflow
    steps = Told(desk, said)
    for number in numbers:
        assert run_case(steps, case(number), "en").ended == "done"


def main(url: str) -> None:
    """Answer every line on standard input."""
    workflow = PoreWorkflow(clinic(), installed=False)
    database = Database.open(url, environ={})
    # Loads the driver and compiles the statements; no connection is left open, so each process makes its own.
    walk(database, workflow, [WARM], lambda: None)
    database.close()
    for line in sys.stdin:
        words = line.split()
        numbers = [int(number) for number in words[0].split(",")]
        heard, told = os.pipe()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            walk(database, workflow, numbers, lambda: os.write(told, b"."))  # noqa: B023  called in this round
            os._exit(0)
        os.close(told)
        if len(words) > 1:
            time.sleep(int(words[1]) / 1e6)
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        steps = 0
        while some := os.read(heard, 4096):
            steps += len(some)
        os.close(heard)
        answer = {
            "steps": steps,
            "killed": os.WIFSIGNALED(status),
            "failed": os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0,
            "seconds": time.monotonic() - started,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
