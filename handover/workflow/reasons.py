"""Reasons in clear live sealed with the case; the log gets a salted digest that proves the text later."""

import secrets
from typing import Any

from handover.audit import reason_digest
from handover.context import Context
from handover.db import new_id
from handover.vault import Vault
from handover.workflow.models import TransitionReason


def keep_reason(ctx: Context, row: Any, trigger: str, text: str | None) -> str | None:
    """Stores the text; returns the digest for the log, or None without a text."""
    if not text or not text.strip():
        return None
    salt, identifier = secrets.token_hex(16), new_id()
    sealed = ctx.get(Vault).seal_text(
        f"case:{row.case_id}:metadata", text, field="transition_reasons.text", row=identifier
    )
    ctx.session.add(
        TransitionReason(
            id=identifier,
            case_id=row.case_id,
            machine=row.MACHINE,
            entity_id=row.id,
            trigger=trigger,
            person_id=ctx.actor.person_id,
            salt=salt,
            text_sealed=sealed,
        )
    )
    return reason_digest(text, salt)
