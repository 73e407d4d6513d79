"""Add an instrument that this clinic group measures with."""

from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"


@hookimpl
def pore_register_content() -> list[dict]:
    return [
        {
            "type": "instrument",
            "id": "acme.instrument.glow",
            "version": "1.0.0",
            "title": {"en": "Glow score"},
            "minimum": "0",
            "maximum": "10",
            "direction": "higher-is-better",
            "unit": "{score}",
            "rater": "practitioner",
            "range_verified": True,
            "source": "Acme clinics, own scale",
            "mark": "D",
        }
    ]
