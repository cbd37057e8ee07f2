"""What `redaction.py` measures beside the product: redaction_others.py FUNCTION SOURCE writes out.csv; `--try` only imports."""

import csv
import re
import sys
import time


def polars_copy(source: str) -> None:
    import polars

    started = time.monotonic()
    polars.scan_csv(source).sink_csv("out.csv")
    _say(started)


def csv_and_re(source: str) -> None:
    """The least that a script would do: one alternation per cell, no check digits, no tokens."""
    pattern = re.compile(
        r"\b(?:\d{17}[\dXx]|1[3-9]\d{9}|\d{16,19}|[A-Z]{2}\d{20}|[0-9A-Z]{18}|[\w.+-]+@[\w-]+\.[\w.-]+)\b", re.ASCII
    )
    with open(source, encoding="utf-8", newline="") as file, open("out.csv", "w", encoding="utf-8", newline="") as out:  # noqa: PTH123
        csv.writer(out).writerows([pattern.sub("[removed]", cell) for cell in row] for row in csv.reader(file))


def presidio(source: str) -> None:
    """Its recognisers by pattern and checksum, without a language model."""
    from presidio_analyzer import RecognizerRegistry
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        PhoneRecognizer,
        UsSsnRecognizer,
    )
    from presidio_anonymizer import AnonymizerEngine

    registry = RecognizerRegistry(
        [
            CreditCardRecognizer(),
            EmailRecognizer(),
            IbanRecognizer(),
            IpRecognizer(),
            PhoneRecognizer(),
            UsSsnRecognizer(),
        ]
    )
    engine = AnonymizerEngine()
    started = time.monotonic()
    for cell in _cells(source):
        found = [hit for one in registry.recognizers for hit in one.analyze(cell, one.supported_entities, None)]
        engine.anonymize(cell, found)
    _say(started)


def scrubadub(source: str) -> None:
    import scrubadub

    started = time.monotonic()
    for cell in _cells(source):
        scrubadub.clean(cell)
    _say(started)


def _say(started: float) -> None:
    """The work's time, without loading the library."""
    print(f"seconds {time.monotonic() - started}")


def _cells(source: str) -> list[str]:
    if "--try" in sys.argv:
        return []
    with open(source, encoding="utf-8", newline="") as file:  # noqa: PTH123
        return [cell for row in csv.reader(file) for cell in row]


if __name__ == "__main__":
    {"polars_copy": polars_copy, "csv_and_re": csv_and_re, "presidio": presidio, "scrubadub": scrubadub}[sys.argv[1]](
        sys.argv[2]
    )
