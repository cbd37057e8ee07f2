"""Mails to people: composed from templates, kept sealed in a table, sent by a job where a mail server is configured.

Without one the table is the outbox, which the administration shows. A mail tells whose turn it is and where; it names no
file, no customer, no company and no title of a case.
"""

from handover.mail.letter import Item, Letter
from handover.mail.outbox import MailView, body_of, mails, message_of, post, retry

__all__ = ["Item", "Letter", "MailView", "body_of", "mails", "message_of", "post", "retry"]
