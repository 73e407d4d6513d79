"""Offer an adapter; `acme_host` is imported only when the clinic's settings name it."""

from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"


@hookimpl
def pore_register_host_adapters() -> list[dict]:
    return [{"kind": "acme-desk", "title": "Acme Desk 4", "factory": "acme_host.adapter:connect"}]
