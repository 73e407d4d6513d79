"""The frozen merge of all content: documents by id and by pin, their cross-references, and composed forms."""

from .composing import Composed, compose_form
from .entries import CLINIC, Entry, entry_of
from .merging import Catalogue

__all__ = ["CLINIC", "Catalogue", "Composed", "Entry", "compose_form", "entry_of"]
