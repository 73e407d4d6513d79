"""Remember in which market the clinic works."""

from pore_plugin.contracts import HostInfo
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"

markets: list[str] = []


@hookimpl
def pore_startup(host: HostInfo) -> None:
    markets.append(host.market)
