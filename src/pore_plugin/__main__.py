"""`python -m pore_plugin` is the same as `pore-plugin`."""

from .cli import main

main()
