"""The only validator: bytes or mapping -> JSON Schema -> typed model -> every problem at once.

Public names (the whole of it):

* `check(contract, data, *, file=None) -> Checked[T]`: `contract` is a published name ("consultation-form") or a
  model from `pore_plugin.contracts.DOCUMENTS`; `data` is bytes, str or a mapping. Raises `ProblemsError`.
* `check_toml(contract, data, *, file=None) -> Checked[T]`: the same for a TOML file (the clinic settings).
* `check_yaml(contract, data, *, file=None) -> Checked[T]`: the same for a YAML 1.2 file.
* `problems(contract, data, *, file=None) -> tuple[Problem, ...]`: empty when there is nothing wrong.
* `Checked[T]`: `.model`, `.document` (the plain dict as read), `.digest` (computed on first use).
* `Engine(documents, registry)`: the same over other models; `check` and `problems` are its methods.
* from `pore_plugin.contracts.canonical`: `canonical(document) -> bytes`, `digest(document) -> "sha256:…"`,
  `composed_version(base_version, digest) -> "1.2.0+<12 hex>"`.
* in this package: `jsontext.read_json(data) -> JSON value`, `tomltext.read_toml(data) -> dict`,
  `yamltext.read_yaml(data) -> the same value as its JSON`, `yamlwriting.write_yaml(value) -> bytes`,
  `reading.read_media(data, media) -> Reading` for `engine().check_reading(contract, reading)`,
  `jsonvalues.from_mapping(mapping) -> (dict, problems)`.

Nothing here prints or keeps a value of the document outside of `Checked`.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from typing import Any, Generic, TypeVar, overload

from pydantic import ValidationError

from ..contracts import DOCUMENTS
from ..contracts.base import Model
from ..contracts.canonical import checked_canonical, checked_digest
from ..contracts.limits import MAX_PROBLEMS
from ..contracts.problems import Problem, ProblemLocation, ProblemsError
from ..schemas import SchemaRegistry, registry
from .jsonscan import shown_pointer
from .jsonvalues import read_mapping
from .reading import Locator, Reading, read_media

__all__ = ["Checked", "Engine", "check", "check_toml", "check_yaml", "engine", "problems"]

T = TypeVar("T", bound=Model)
_UNREADABLE = frozenset(
    {
        "json.cycle",
        "json.encoding",
        "json.syntax",
        "json.too_deep",
        "json.too_large",
        "json.truncated",
        "toml.encoding",
        "toml.number",
        "toml.syntax",
        "toml.too_deep",
        "toml.too_large",
        "yaml.character",
        "yaml.complex_key",
        "yaml.empty",
        "yaml.encoding",
        "yaml.syntax",
        "yaml.too_deep",
        "yaml.too_large",
    }
)


class Checked(Generic[T]):
    """A document that passed every check: the typed model, the plain document as read, and its digest."""

    __slots__ = ("_digest", "_document", "model")

    def __init__(self, model: T, document: dict[str, Any]) -> None:
        self.model = model
        self._document: dict[str, Any] | bytes = document
        self._digest: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The plain document as read; after `pack` a fresh copy, members sorted."""
        if isinstance(self._document, bytes):
            read: dict[str, Any] = json.loads(self._document)
            return read
        return self._document

    @property
    def canonical(self) -> bytes:
        """The RFC 8785 form of the document as read."""
        return self._document if isinstance(self._document, bytes) else checked_canonical(self._document)

    def pack(self) -> None:
        """Keep the plain document as its canonical bytes, which take a tenth of the memory."""
        self._digest = self.digest
        self._document = self.canonical

    @property
    def digest(self) -> str:
        """`sha256:<64 hex>` of the canonical document as read, without its top-level `digest` and `status`."""
        if self._digest is None:
            self._digest = checked_digest(self.document)
        return self._digest

    def __repr__(self) -> str:
        return f"Checked({type(self.model).__name__})"


class Engine:
    """Checks documents against models and the schemas of one registry, which has a schema for each model's name."""

    def __init__(self, documents: Mapping[str, type[Model]], registry: SchemaRegistry) -> None:
        self._documents = dict(documents)
        self._names = {model: name for name, model in self._documents.items()}
        self._registry = registry

    @overload
    def check(
        self, contract: type[T], data: bytes | str | Mapping[str, Any], *, file: str | None = None
    ) -> Checked[T]: ...
    @overload
    def check(
        self, contract: str, data: bytes | str | Mapping[str, Any], *, file: str | None = None
    ) -> Checked[Model]: ...
    def check(
        self, contract: str | type[Model], data: bytes | str | Mapping[str, Any], *, file: str | None = None
    ) -> Checked[Any]:
        """Return the checked document, or raise `ProblemsError` with everything that is wrong with it.

        With `file` every problem of a text carries its file, line and column. Raises `LookupError` for a contract
        that is not published.
        """
        if isinstance(data, Mapping):
            document, raw, found = read_mapping(data)
            return self.check_reading(contract, Reading(document, raw, found, None), file=file)
        if not isinstance(data, bytes | str):
            # `bytes(10**9)` would be a billion zeros.
            raise ProblemsError([_no_document()])
        return self.check_reading(contract, read_media(data, "json", file=file), file=file)

    @overload
    def check_toml(self, contract: type[T], data: bytes, *, file: str | None = None) -> Checked[T]: ...
    @overload
    def check_toml(self, contract: str, data: bytes, *, file: str | None = None) -> Checked[Model]: ...
    def check_toml(self, contract: str | type[Model], data: bytes, *, file: str | None = None) -> Checked[Any]:
        """Do what `check` does for a TOML file; numbers with a fraction become decimal strings, dates strings."""
        return self.check_reading(contract, read_media(data, "toml", file=file), file=file)

    @overload
    def check_yaml(self, contract: type[T], data: bytes, *, file: str | None = None) -> Checked[T]: ...
    @overload
    def check_yaml(self, contract: str, data: bytes, *, file: str | None = None) -> Checked[Model]: ...
    def check_yaml(self, contract: str | type[Model], data: bytes, *, file: str | None = None) -> Checked[Any]:
        """Do what `check` does for a YAML 1.2 file, whose document and digest are those of the same JSON."""
        return self.check_reading(contract, read_media(data, "yaml", file=file), file=file)

    @overload
    def check_reading(self, contract: type[T], reading: Reading, *, file: str | None = None) -> Checked[T]: ...
    @overload
    def check_reading(self, contract: str, reading: Reading, *, file: str | None = None) -> Checked[Model]: ...
    def check_reading(self, contract: str | type[Model], reading: Reading, *, file: str | None = None) -> Checked[Any]:
        """Do what `check` does for a text that was read already, by `reading.read_media`."""
        name, model = self._contract(contract)
        return self._decide(name, model, reading, file)

    def problems(
        self, contract: str | type[Model], data: bytes | str | Mapping[str, Any], *, file: str | None = None
    ) -> tuple[Problem, ...]:
        """Return everything that is wrong with a document; empty when nothing is."""
        try:
            self.check(contract, data, file=file)
        except ProblemsError as error:
            return error.problems
        return ()

    def _contract(self, contract: str | type[Model]) -> tuple[str, type[Model]]:
        name = contract if isinstance(contract, str) else self._names.get(contract, contract.__name__)
        if name not in self._documents:
            raise LookupError(f"no published contract is called {name!r}; there are: {', '.join(self._documents)}")
        return name, self._documents[name]

    def _decide(self, name: str, model: type[Model], reading: Reading, file: str | None) -> Checked[Any]:
        document, found = reading.document, reading.problems
        if not found and self._registry.decider(name)(document):
            try:
                # Bytes, not the dict: strict models take arrays for tuples only from JSON text.
                typed = model.model_validate_json(_bytes_of(document) if reading.raw is None else reading.raw)
            except ValidationError as error:
                found = _from_model(document, error)
            else:
                checked = Checked(typed, document)
                said = document.get("digest")
                if said is None or said == checked.digest:
                    return checked
                found = [_digest_mismatch()]
        elif not {problem.code for problem in found} & _UNREADABLE:
            found = self._explained(name, document, found)
        raise ProblemsError(_in_order(found, reading.locate, file))

    def _explained(self, name: str, document: Any, found: list[Problem]) -> list[Problem]:
        """Join what the schema says to what the text said; a place already named keeps what the text said."""
        from .explain import explain

        explainer = self._registry.explainer(name)
        named = {problem.pointer for problem in found}
        root = explainer.schema if isinstance(explainer.schema, dict) else {}
        said = islice(explain(explainer.iter_errors(document), root), MAX_PROBLEMS + 1)
        joined = found + [problem for problem in said if problem.pointer not in named]
        return joined or [_unexplained()]


@cache
def engine() -> Engine:
    """Return the engine over the published contracts and the committed schemas."""
    return Engine(DOCUMENTS, registry())


@overload
def check(contract: type[T], data: bytes | str | Mapping[str, Any], *, file: str | None = None) -> Checked[T]: ...
@overload
def check(contract: str, data: bytes | str | Mapping[str, Any], *, file: str | None = None) -> Checked[Model]: ...
def check(
    contract: str | type[Model], data: bytes | str | Mapping[str, Any], *, file: str | None = None
) -> Checked[Any]:
    """Check a document of a published contract; see `Engine.check`."""
    return engine().check(contract, data, file=file)


@overload
def check_toml(contract: type[T], data: bytes, *, file: str | None = None) -> Checked[T]: ...
@overload
def check_toml(contract: str, data: bytes, *, file: str | None = None) -> Checked[Model]: ...
def check_toml(contract: str | type[Model], data: bytes, *, file: str | None = None) -> Checked[Any]:
    """Check a TOML file of a published contract; see `Engine.check_toml`."""
    return engine().check_toml(contract, data, file=file)


@overload
def check_yaml(contract: type[T], data: bytes, *, file: str | None = None) -> Checked[T]: ...
@overload
def check_yaml(contract: str, data: bytes, *, file: str | None = None) -> Checked[Model]: ...
def check_yaml(contract: str | type[Model], data: bytes, *, file: str | None = None) -> Checked[Any]:
    """Check a YAML 1.2 file of a published contract; see `Engine.check_yaml`."""
    return engine().check_yaml(contract, data, file=file)


def problems(
    contract: str | type[Model], data: bytes | str | Mapping[str, Any], *, file: str | None = None
) -> tuple[Problem, ...]:
    """Return everything that is wrong with a document of a published contract; empty when nothing is."""
    return engine().problems(contract, data, file=file)


def _bytes_of(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _from_model(document: Any, error: ValidationError) -> list[Problem]:
    """Turn what a model refuses into problems.

    A refused item also makes pydantic find the array around it too short, so beside our own dotted codes its own
    types say nothing.
    """
    entries = error.errors(include_url=False, include_input=False)
    own = [entry for entry in entries if "." in entry["type"]]
    return [_from_entry(document, entry) for entry in own or entries]


def _from_entry(document: Any, entry: Mapping[str, Any]) -> Problem:
    """Only sentences of our own are passed on; those of pydantic may repeat a value."""
    code, pointer = str(entry["type"]), shown_pointer(_path(document, entry["loc"]))
    if "." not in code:
        sentence = "The typed model refuses what the schema accepts here."
        return Problem(
            code=f"model.{code}", sentence=sentence, pointer=pointer, next_step="Report this; the two should agree."
        )
    return Problem(
        code=code,
        sentence=str(entry["msg"]),
        pointer=pointer + str(entry.get("ctx", {}).get("at", "")),
        next_step="Mend this place as the sentence says, then check the document again.",
    )


def _path(document: Any, loc: Iterable[str | int]) -> list[str | int]:
    """Return the path into the document for pydantic's location, which also names the chosen branch of a union."""
    path: list[str | int] = []
    here, tagged = document, False
    for part in loc:
        if isinstance(here, dict) and isinstance(part, str):
            if not tagged and part in (here.get("type"), here.get("kind"), here.get("op")):
                tagged = True
                continue
            if part not in here:
                continue
        elif not (isinstance(here, list) and isinstance(part, int) and part < len(here)):
            continue
        path.append(part)
        here, tagged = here[part], False
    return path


def _in_order(found: list[Problem], locator: Locator | None, file: str | None) -> list[Problem]:
    """Sort by place and code, drop repetitions, and give each problem its line and column where there is a file."""
    unique = {(problem.pointer, problem.code, problem.sentence): problem for problem in reversed(found)}
    patterned = {problem.pointer for problem in found if problem.code in ("schema.pattern", "instant.naive")}
    kept = [item for item in unique.values() if item.code != "schema.format" or item.pointer not in patterned]
    kept.sort(key=lambda problem: (_natural(problem.pointer), problem.code, problem.sentence))
    if len(kept) > MAX_PROBLEMS:
        sentence = f"There are more problems than the {MAX_PROBLEMS} that are listed."
        kept[MAX_PROBLEMS:] = [Problem(code="problems.more", sentence=sentence, next_step="Mend these first.")]
    if file is None or locator is None:
        return kept
    missing = {problem.pointer for problem in kept if problem.location is None}
    places = locator(missing) if missing else {}
    return [problem if problem.location else _placed(problem, file, *places[problem.pointer]) for problem in kept]


def _natural(pointer: str) -> list[tuple[int, int, str]]:
    """Sort key of a pointer in which item 10 comes after item 2."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in pointer.split("/")[1:]]


def _placed(problem: Problem, file: str, line: int, column: int) -> Problem:
    return problem.model_copy(update={"location": ProblemLocation(file=file, line=line, column=column)})


def _digest_mismatch() -> Problem:
    return Problem(
        code="digest.mismatch",
        sentence="The document is not the one that its digest was computed from.",
        pointer="/digest",
        next_step="Get the original again, or leave `digest` out of a document that was changed on purpose.",
    )


def _no_document() -> Problem:
    return Problem(
        code="schema.type",
        sentence="This is neither JSON text nor an object.",
        next_step="Hand in bytes, text or a mapping.",
    )


def _unexplained() -> Problem:
    return Problem(
        code="schema.refused",
        sentence="The schema refuses this document, but the explaining engine accepts it.",
        next_step="Report this with the contract's name; the two engines should agree.",
    )
