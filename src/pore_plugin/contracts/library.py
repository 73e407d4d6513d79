"""The manifest of a content package: which files it holds, and what their bytes must be."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from .base import Model, Opt, Sentence, Token, Version, refuse
from .limits import MAX_BYTES, MAX_PACKAGE_FILES

__all__ = ["PackageFile", "PackageManifest", "PackagePath"]

PackagePath = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9 _.()+-]*(/[A-Za-z0-9_][A-Za-z0-9 _.()+-]*)*$",
        max_length=200,
    ),
]
"""A relative path inside a package: no part begins with a dot, so none leads out of it or is hidden."""


class PackageFile(Model):
    """One file of a package, and the bytes that it must have."""

    path: PackagePath
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Of the file's bytes, in lower-case hex."
    )
    size: Annotated[int, Field(ge=0, le=MAX_BYTES)] = Field(description="In bytes.")


class PackageManifest(Model):
    """What `pore-package.json` says at the top of a package: its name, its version and every file in it."""

    type: Literal["package-manifest"]
    schema_: Opt[str] = Field(default=None, alias="$schema", description="The schema, for completion in an editor.")
    name: Token
    version: Version
    summary: Opt[Sentence] = Field(default=None, description="What is in it, for whoever is asked to import it.")
    files: Annotated[tuple[PackageFile, ...], Field(min_length=1, max_length=MAX_PACKAGE_FILES)] = Field(
        description="Every file of the package but this one, sorted by path."
    )

    @model_validator(mode="after")
    def _each_once(self) -> "PackageManifest":
        seen: set[str] = set()
        for index, file in enumerate(self.files):
            # File systems that do not tell capitals apart would put one over the other.
            folded = file.path.casefold()
            if folded in seen:
                refuse("package.duplicate_path", "A file of this name is listed already.", f"/files/{index}/path")
            seen.add(folded)
        return self
