"""The published limits of every document, in one place. `docs/limits.md` explains them."""

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_INTEGER",
    "MAX_NODES",
    "MAX_PACKAGE_BYTES",
    "MAX_PACKAGE_FILES",
    "MAX_PACKAGE_RATIO",
    "MAX_PROBLEMS",
    "MAX_TOML_BYTES",
    "MAX_YAML_BYTES",
]

MAX_BYTES = 4 * 1024 * 1024
"""The most bytes one JSON document may have."""
MAX_TOML_BYTES = 256 * 1024
"""The most bytes one TOML settings file may have."""
MAX_YAML_BYTES = 1024 * 1024
"""The most bytes one YAML document may have: reading YAML takes a hundred times as long as reading JSON."""
MAX_DEPTH = 64
"""The most objects and arrays that may stand inside each other."""
MAX_INTEGER = 2**53 - 1
"""The greatest integer that every JSON reader keeps exactly (RFC 7493, section 2.2)."""
MAX_NODES = 2_000_000
"""The most values one mapping handed in by a Python caller may hold; a cycle ends here too."""
MAX_PROBLEMS = 500
"""The most problems reported for one document; the last one then says that there are more."""
MAX_PACKAGE_FILES = 20_000
"""The most files that are read in one go, from a package or a folder."""
MAX_PACKAGE_BYTES = 512 * 1024 * 1024
"""The most bytes that are read in one go, unpacked; a packed file is no larger either."""
MAX_PACKAGE_RATIO = 200
"""How many times smaller than itself a packed file of more than a few bytes may be; content packs to a tenth."""
