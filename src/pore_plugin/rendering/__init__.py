"""Sheets to read and print: every record as Markdown, the same for a file and for a terminal.

Pure: a record, a locale and the `Names` of what the record holds ids of in, text out. A plan from a sample protocol
says SAMPLE on every sheet, content that nobody approved says DRAFT.
"""

from .content_changes import content_list_sheet, diff_sheet, history_sheet, import_sheet
from .due import due_sheet, step_history_sheet
from .forms import answers_sheet, form_sheet
from .names import Names, names_of
from .papers import paper_sheet
from .pictures import PictureFormat, outcome_picture
from .plans import consent_sheet, consent_text_sheet, missing_sheet, plan_sheet
from .recalls import lot_events_sheet, recall_sheet
from .records import follow_up_sheet, readiness_sheet, review_sheet
from .safety import assessment_sheet, problems_sheet
from .scans import scan_sheet
from .treatments import treatment_sheet
from .trends import trends_sheet
from .words import HOW, SIGNS, amount, diluent_name, mark_sample, moment, place

__all__ = [
    "HOW",
    "SIGNS",
    "Names",
    "PictureFormat",
    "amount",
    "answers_sheet",
    "assessment_sheet",
    "consent_sheet",
    "consent_text_sheet",
    "content_list_sheet",
    "diff_sheet",
    "diluent_name",
    "due_sheet",
    "follow_up_sheet",
    "form_sheet",
    "history_sheet",
    "import_sheet",
    "lot_events_sheet",
    "mark_sample",
    "missing_sheet",
    "moment",
    "names_of",
    "outcome_picture",
    "paper_sheet",
    "place",
    "plan_sheet",
    "problems_sheet",
    "readiness_sheet",
    "recall_sheet",
    "review_sheet",
    "scan_sheet",
    "step_history_sheet",
    "treatment_sheet",
    "trends_sheet",
]
