"""Files, folders and packages for the tests of the library: documents of one's own, and zips that are amiss."""

from __future__ import annotations

import copy
import json
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from pore_plugin.builtin import documents
from pore_plugin.library.sources import MANIFEST, SourceFile, media_of
from pore_plugin.validation.yamlwriting import write_yaml

CONTENT: dict[str, dict[str, Any]] = {document["id"]: document for document in (json.loads(d) for _, d in documents())}
PEEL = CONTENT["pore.template.salicylic-peel"]
SCHEDULE = CONTENT["pore.schedule.peel"]


def template(identifier: str = "acme.template.peel", **members: Any) -> dict[str, Any]:
    """Return a template of one's own; a member that is `None` is left out."""
    document = {**copy.deepcopy(PEEL), "id": identifier, "version": "1.0.0", **members}
    return {key: value for key, value in document.items() if value is not None}


def schedule(identifier: str = "acme.schedule.peel", **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SCHEDULE), "id": identifier, "version": "1.0.0", **members}


def written(document: dict[str, Any], media: str = "json") -> bytes:
    return write_yaml(document) if media == "yaml" else json.dumps(document, indent=2).encode()


def source(name: str, document: dict[str, Any] | bytes) -> SourceFile:
    data = document if isinstance(document, bytes) else written(document, media_of(name))
    return SourceFile(name, data, media_of(name), name)


def put(folder: Path, **files: dict[str, Any] | bytes) -> Path:
    """Write files into a folder; `a_json` is `a.json`, `deep__a_yaml` is `deep/a.yaml`."""
    for name, document in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document if isinstance(document, bytes) else written(document, media_of(path.name)))
    return folder


def listing(held: dict[str, bytes], **members: Any) -> bytes:
    """Return the manifest of these files."""
    document = {
        "type": "package-manifest",
        "name": "acme-peels",
        "version": "1.0.0",
        "files": [{"path": path, "sha256": sha256(data).hexdigest(), "size": len(data)} for path, data in held.items()],
        **members,
    }
    return json.dumps(document, indent=1).encode()


def packed(
    files: dict[str, bytes], *, manifest: bytes | None = None, method: int = zipfile.ZIP_DEFLATED, **more: bytes
) -> bytes:
    """Return a zip of these files with their manifest, or with another one; an empty one is none."""
    head = listing(files) if manifest is None else manifest
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        if head:
            archive.writestr(MANIFEST, head)
        for path, data in {**files, **more}.items():
            archive.writestr(path, data)
    return out.getvalue()
