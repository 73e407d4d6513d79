"""Installs plug-ins for a test: a module and its metadata in a folder on `sys.path`, as pip would leave them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest


class Site:
    """A folder of installed distributions; each has one module and one entry point of the group `pore_plugin`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.syspath_prepend(str(folder))

    def install(
        self, name: str, source: str, *, version: str = "1.0.0", distribution: str | None = None, target: str = ""
    ) -> str:
        """Install a plug-in; return the name of its module, which is `target`'s without one of its own."""
        distribution = distribution or f"dist-{name}"
        module = f"plugin_{distribution}_{name}".replace("-", "_").replace(".", "_")
        (self.folder / f"{module}.py").write_text(source, encoding="utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        info.joinpath("entry_points.txt").write_text(f"[pore_plugin]\n{name} = {module}{target}\n")
        # Deleting registers the restoring: what the test imports is gone afterwards.
        self._monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
        del sys.modules[module]
        importlib.invalidate_caches()
        return module
