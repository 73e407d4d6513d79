"""Count what happens, for the clinic's dashboard."""

from collections import Counter

from pore_plugin.contracts import Event
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"

counts: Counter[str] = Counter()


@hookimpl
def pore_on_event(event: Event) -> None:
    counts[event.type] += 1
