"""Sheets to read and print: every record as Markdown, the same for a file and for a terminal.

Pure: a record and a locale in, text out. A plan from a sample protocol says SAMPLE on every sheet, content that nobody
approved says DRAFT.
"""

from .forms import answers_sheet, form_sheet
from .plans import consent_sheet, consent_text_sheet, missing_sheet, plan_sheet
from .records import follow_up_sheet, readiness_sheet, review_sheet, treatment_sheet
from .safety import assessment_sheet, problems_sheet
from .words import SIGNS, moment, place

__all__ = [
    "SIGNS",
    "answers_sheet",
    "assessment_sheet",
    "consent_sheet",
    "consent_text_sheet",
    "follow_up_sheet",
    "form_sheet",
    "missing_sheet",
    "moment",
    "place",
    "plan_sheet",
    "problems_sheet",
    "readiness_sheet",
    "review_sheet",
    "treatment_sheet",
]
