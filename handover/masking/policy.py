"""What happens to every field, and to every kind of hit in running text. Data: decodes from JSON and TOML.

A rule for a field decides over its whole values, whether a detector recognises them or not; fields without a rule are
scanned, and only their hits are replaced.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from handover.detection import LEVELS, FieldReport, ScanReport

Action = Literal["keep", "mask", "pseudonymise", "surrogate", "generalise", "drop"]
FieldAction = Literal["keep", "mask", "pseudonymise", "surrogate", "generalise", "drop", "scan"]

#: `default` is what `handover redact` does without a policy; the others are purposes of a package.
Purpose = Literal["default", "due_diligence", "closing", "return"]


class FieldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to the values of one field. `drop` empties them; the column stays, so that its absence shows."""

    action: FieldAction
    #: What the values are, for pseudonyms, masks and generalisation.
    kind: str = ""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A redaction policy."""

    version: Literal[1] = 1
    fields: dict[str, FieldRule] = msgspec.field(default_factory=dict)
    #: Hits by kind.
    kinds: dict[str, Action] = msgspec.field(default_factory=dict)
    #: Hits of kinds that `kinds` does not name.
    other: Action = "drop"

    def action_for(self, kind: str) -> Action:
        return self.kinds.get(kind, self.other)

    def is_verbatim(self) -> bool:
        """True when no value changes: the closing package's full scope."""
        return self.other == "keep" and not any(
            action != "keep" for action in [*self.kinds.values(), *(rule.action for rule in self.fields.values())]
        )


#: Replaces every hit, keeps rows, columns and everything that is not a hit. Content that only needs to go is dropped,
#: identifiers become tokens so that records of one person still belong together.
_KINDS: Mapping[str, Action] = MappingProxyType(
    {
        "resident_id": "drop",
        "passport": "drop",
        "travel_permit": "drop",
        "vin": "drop",
        "gps": "drop",
        "bank_card": "drop",
        "iban": "drop",
        "us_ssn": "drop",
        "credential": "drop",
        "health": "drop",
        "religion": "drop",
        "criminal": "drop",
        "credit": "drop",
        "plate": "drop",
        "mobile": "pseudonymise",
        "landline": "pseudonymise",
        "phone": "pseudonymise",
        "email": "pseudonymise",
        "wechat": "pseudonymise",
        "qq": "pseudonymise",
        "imei": "pseudonymise",
        "mac": "pseudonymise",
        "person_name": "pseudonymise",
        "address": "generalise",
        "birth_date": "generalise",
        "ip": "generalise",
        "uscc": "keep",
    }
)
#: The kind that a column's role stands for.
_ROLE_KINDS = {"telephone": "phone", "customer_id": "customer_id"}
#: Share of a column's values from which its commonest kind is what the column holds.
_MAIN_SHARE = 0.5


def default_policy() -> Policy:
    """Hits alone are replaced."""
    return Policy(kinds=dict(_KINDS))


def keep_all() -> Policy:
    """Nothing is replaced; records may still be left out."""
    return Policy(other="keep")


def propose_policy(report: ScanReport, purpose: Purpose) -> Policy:
    """A policy for a person to review: everything for `closing` and `return`, redacted for `due_diligence`.

    A column of identifiers gets a rule for its whole values, so that a mistyped number does not stay.
    """
    if purpose in {"closing", "return"}:
        return keep_all()
    if purpose == "default":
        return default_policy()
    rules = {field.name: rule for field in report.fields if (rule := _rule(field)) is not None}
    return Policy(fields=rules, kinds=dict(_KINDS))


def _rule(field: FieldReport) -> FieldRule | None:
    kind = _main_kind(field)
    if kind == "customer_id":
        return FieldRule("pseudonymise", kind)
    action = _KINDS.get(kind)
    return FieldRule(action, kind) if action and action != "keep" else None


def _main_kind(field: FieldReport) -> str:
    if field.role in {"free_text", "order", "amount"}:
        return ""
    common = max(field.kinds, key=lambda kind: field.kinds[kind], default="")
    if common and field.kinds[common] >= _MAIN_SHARE * field.values:
        return common
    role = _ROLE_KINDS.get(field.role, field.role)
    return role if role in LEVELS or role == "customer_id" else ""
