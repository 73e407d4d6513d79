"""The words and sentences of our content that are put into sheets and records, in one language."""

from collections.abc import Mapping

from ..catalogue import Catalogue
from ..clinical.wording.localising import fill, localise
from ..contracts import PatientTexts, Text

__all__ = ["MESSAGES", "Messages", "messages"]

MESSAGES = "pore.texts.messages"
"""The id of the document that holds them."""


def messages(catalogue: Catalogue) -> dict[str, Text]:
    """Return every message in all its languages, by its id."""
    return {one.id: one.text for one in catalogue.get(PatientTexts, MESSAGES).model.texts}


class Messages:
    """The messages in one locale. A message that lacks the locale raises `ProblemsError` (`locale.missing`)."""

    def __init__(self, texts: Mapping[str, Text], locale: str) -> None:
        self._texts = texts
        self._locale = locale

    def text(self, message: str) -> str:
        """Return one message."""
        return localise(self._texts[message], self._locale)

    def place(self, title: str, side: str | None) -> str:
        """Return the name of a region with its side."""
        return fill(self.text(f"place-{side}"), {"region": title}) if side else title
