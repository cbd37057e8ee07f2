"""Which route the structure of the deal prescribes, and what each route demands of notice and consent.

Source: PIPL Art. 13, 22, 23; Network Data Security Management Regulations Art. 14. An equity transfer changes no controller.
"""

import msgspec


class Route(msgspec.Struct, frozen=True):
    """What must be there before records move on a basis."""

    notice: bool
    consent: bool
    moves_records: bool = True


ROUTES: dict[str, Route] = {
    "no_transfer_same_controller": Route(notice=False, consent=False, moves_records=False),
    "art22_notice": Route(notice=True, consent=False),
    "art23_separate_consent": Route(notice=True, consent=True),
    "delete": Route(notice=False, consent=False, moves_records=False),
}

DEFAULT_BASIS: dict[str, str] = {
    "equity_transfer": "no_transfer_same_controller",
    "asset_transfer": "art23_separate_consent",
    "business_transfer": "art23_separate_consent",
    "merger": "art22_notice",
    "division": "art22_notice",
    "dissolution": "art22_notice",
    "bankruptcy": "art22_notice",
}

#: Routes that a structure admits without a recorded legal opinion.
ADMITTED: dict[str, frozenset[str]] = {
    "equity_transfer": frozenset({"no_transfer_same_controller", "art23_separate_consent"}),
    "asset_transfer": frozenset({"art23_separate_consent"}),
    "business_transfer": frozenset({"art23_separate_consent"}),
    "merger": frozenset({"art22_notice", "art23_separate_consent"}),
    "division": frozenset({"art22_notice", "art23_separate_consent"}),
    "dissolution": frozenset({"art22_notice", "art23_separate_consent", "delete"}),
    "bankruptcy": frozenset({"art22_notice", "art23_separate_consent", "delete"}),
}
