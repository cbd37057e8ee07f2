"""Every detector finds its positive examples exactly, and nothing in its near misses."""

import pytest

from handover.detection.detectors import DETECTORS
from handover.detection.folding import fold

POSITIVE = [(d, text, value) for d in DETECTORS for text, value in d.POSITIVE]
NEGATIVE = [(d, text) for d in DETECTORS for text in d.NEGATIVE]


@pytest.mark.parametrize(("detector", "text", "value"), POSITIVE, ids=lambda x: getattr(x, "KIND", x))
def test_positive_example_is_found_exactly(detector, text: str, value: str) -> None:  # type: ignore[no-untyped-def]
    assert value in {text[span.start : span.end] for span in detector.find(fold(text))}


@pytest.mark.parametrize(("detector", "text"), NEGATIVE, ids=lambda x: getattr(x, "KIND", x))
def test_near_miss_is_not_a_hit(detector, text: str) -> None:  # type: ignore[no-untyped-def]
    assert [text[span.start : span.end] for span in detector.find(fold(text))] == []


def test_kinds_are_those_of_the_interface() -> None:
    interface = [
        "resident_id",
        "passport",
        "travel_permit",
        "mobile",
        "landline",
        "phone",
        "email",
        "wechat",
        "qq",
        "person_name",
        "address",
        "bank_card",
        "iban",
        "uscc",
        "plate",
        "vin",
        "ip",
        "mac",
        "imei",
        "gps",
        "birth_date",
        "credential",
        "health",
        "religion",
        "criminal",
        "credit",
        "us_ssn",
    ]
    kinds = [detector.KIND for detector in DETECTORS]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == set(interface)
