"""Files of documents: which ones a path means, which contract each follows, and the clinic's own content among them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..contracts import DOCUMENTS, ContentDocument, Problem, ProblemLocation, ProblemsError
from ..validation import check, check_toml
from ..validation.jsontext import locate, read_json
from .clinics import check_clinic
from .exits import Exit, StopError
from .files import name_of, read

__all__ = ["check_file", "expanded", "load_content", "nearest_contract"]

_URN = "urn:pore-plugin:schema:"


def load_content(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """Return the clinic's own content documents, checked. Raises `StopError` with every problem of every file."""
    found: list[bytes] = []
    problems: list[Problem] = []
    for path in expanded(paths, (".json",)):
        try:
            check_file(path, None)
            found.append(read(path))
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise StopError(Exit.FAILED, problems)
    return tuple(found)


def expanded(paths: Iterable[Path], suffixes: tuple[str, ...] = (".json", ".toml")) -> Iterator[Path]:
    """Yield each file, and of each folder the files with these endings, sorted, without hidden ones."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                p for p in path.rglob("*") if p.suffix in suffixes and not p.name.startswith(".") and p.is_file()
            )
        else:
            yield path


def check_file(path: Path, contract: str | None) -> None:
    """Check one file against the contract, or against the one that it names, and what it says to people.

    Raises `ProblemsError`.
    """
    data, name = read(path), name_of(path)
    if path.suffix == ".toml" and contract in (None, "clinic"):
        check_clinic(data, file=name)
    elif path.suffix == ".toml":
        check_toml(contract or "clinic", data, file=name)
    else:
        checked = check(contract or _contract_of(data, name), data, file=name)
        if isinstance(checked.model, ContentDocument) and checked.model.status != "retired":
            _check_texts(checked.model, data, name)


def _check_texts(document: ContentDocument, data: bytes, name: str) -> None:
    # Imported here: a record has no texts to check, and `validate` is run on one file at a time.
    from ..builtin import documents
    from ..clinical.wording.texts import check_document

    shipped = (read_json(content) for file, content in documents() if file.startswith("products/"))
    problems = check_document(document, names={product[key] for product in shipped for key in ("brand", "inn")})
    if problems:
        places = locate(data, {problem.pointer for problem in problems})
        there = {at: ProblemLocation(file=name, line=line, column=column) for at, (line, column) in places.items()}
        raise ProblemsError(one.model_copy(update={"location": there[one.pointer]}) for one in problems)


def _contract_of(data: bytes, name: str) -> str:
    """Return the contract that a document names: the last part of our `$schema`, or its `type`."""
    document: Any = read_json(data, file=name)
    said = document if isinstance(document, dict) else {}
    named = {key: value for key in ("$schema", "type") if isinstance(value := said.get(key), str)}
    words = {key: value.rsplit(":", 1)[-1] if value.startswith(_URN) else value for key, value in named.items()}
    for word in words.values():
        if word in DOCUMENTS:
            return word
    key = next(iter(words), None)
    line, column = locate(data, [f"/{key}"])[f"/{key}"] if key else (1, 1)
    raise ProblemsError(
        [
            Problem(
                code="validate.unknown_contract",
                sentence=f"`{key}` names no published contract." if key else "The document does not say what it is.",
                pointer=f"/{key}" if key else "",
                next_step=nearest_contract(words[key])
                if key
                else "Give it a `$schema` or `type`, or use --contract NAME.",
                location=ProblemLocation(file=name, line=line, column=column),
            )
        ]
    )


def nearest_contract(word: str) -> str:
    """Return the next step for somebody who misspelt the name of a contract."""
    from ..validation.explain import nearest

    close = nearest(word, DOCUMENTS)
    return f"Did you mean `{close}`?" if close else "`pore-plugin schema` lists them."
