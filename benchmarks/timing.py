"""Measuring by turns: whatever slows the machine for a moment slows all that is compared."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter, thread_time

__all__ = ["by_turns", "bytecode", "fresh"]

_SAMPLE = 200e-6
"""The least time, in seconds, that one sample of a short job takes: many calls are timed together until it does."""


def by_turns(
    jobs: Mapping[str, Callable[[], object]],
    *,
    turns: int,
    together: bool = True,
    warm_up: int = 5,
    clock: Callable[[], float] = thread_time,
) -> dict[str, float]:
    """Return the median seconds of one call of each job over `turns` turns, each job once a turn, first a `warm_up`.

    The clock is that of this thread's work, so what else the machine does in a long call is not counted.

    `together` times calls of a short job in a row, as one sample; otherwise a sample is a single call, which finds
    the processor's caches as the other jobs of its turn left them.
    """
    calls = {name: _calls(job) if together else 1 for name, job in jobs.items()}
    samples: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(-warm_up, turns):
        for name, job in jobs.items():
            repeats = range(calls[name])
            started = clock()
            for _ in repeats:
                job()
            taken = (clock() - started) / calls[name]
            if turn >= 0:
                samples[name].append(taken)
    return {name: median(taken) for name, taken in samples.items()}


def _calls(job: Callable[[], object]) -> int:
    job()
    started = perf_counter()
    job()
    return max(1, round(_SAMPLE / max(perf_counter() - started, 1e-9)))


@contextmanager
def bytecode() -> Iterator[dict[str, str]]:
    """Give the environment of an installed package: compiled modules are kept, in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield {**environment, "PYTHONPYCACHEPREFIX": folder}


def fresh(commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], *, turns: int) -> dict[str, float]:
    """Return the median seconds of each command of this interpreter, each in a process of its own, once a turn."""

    def job(arguments: Sequence[str]) -> Callable[[], object]:
        return lambda: subprocess.run(
            [sys.executable, *arguments], env=dict(environment), check=True, stdout=subprocess.DEVNULL
        )

    return by_turns(
        {name: job(arguments) for name, arguments in commands.items()},
        turns=turns,
        together=False,
        warm_up=2,
        clock=perf_counter,
    )
