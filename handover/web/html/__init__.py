"""Pages: templates in the reader's language, forms that keep what was typed, and answers that work without JavaScript."""

from handover.web.html.answers import Done, answer_form, error_answer, page, redirect, submit
from handover.web.html.fields import FORM, Fields, FilledForm

__all__ = [
    "FORM",
    "Done",
    "Fields",
    "FilledForm",
    "answer_form",
    "error_answer",
    "page",
    "redirect",
    "submit",
]
