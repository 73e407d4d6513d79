"""The only validator: bytes or mapping -> JSON Schema -> typed model -> every problem at once.

Public names (the whole of it):

* `check(contract, data, *, file=None) -> Checked[T]`: `contract` is a published name ("consultation-form") or a
  model from `pore_plugin.contracts.DOCUMENTS`; `data` is bytes, str or a mapping. Raises `ProblemsError`.
* `check_toml(contract, data, *, file=None) -> Checked[T]`: the same for a TOML file (the clinic settings).
* `problems(contract, data, *, file=None) -> tuple[Problem, ...]`: empty when there is nothing wrong.
* `Checked[T]`: `.model`, `.document` (the plain dict as read), `.digest` (computed on first use).
* `Engine(documents, registry)`: the same over other models; `check` and `problems` are its methods.
* from `pore_plugin.contracts.canonical`: `canonical(document) -> bytes`, `digest(document) -> "sha256:…"`,
  `composed_version(base_version, digest) -> "1.2.0+<12 hex>"`.
* from `pore_plugin.jsontext`: `read_json(data) -> JSON value`, `from_mapping(mapping) -> dict`;
  from `pore_plugin.tomltext`: `read_toml(data) -> dict`.
"""
