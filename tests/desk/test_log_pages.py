"""The log on pages: filtered, proven against a checkpoint that is signed now, compared with one that was kept."""

import re

import pytest
import sqlalchemy as sa

from handover.audit.models import AuditEntry
from tests.actors import Actors
from tests.desk.office import Office, text_of


@pytest.fixture
def office(actors: Actors) -> Office:
    made = Office(actors)
    made.declare_and_open()
    return made


def _indexes(text: str) -> list[int]:
    return [int(n) for n in re.findall(r'<li id="e(\d+)">', text)]


def test_filters_by_group_person_entity_and_day_hold_together(office: Office) -> None:
    everything = _indexes(office.page("lead", "/cases/REF/log").text)
    conflicts = office.page("lead", "/cases/REF/log?group=conflict")
    assert len(_indexes(conflicts.text)) == 3 < len(everything)
    by_legal = office.page("lead", f"/cases/REF/log?group=conflict&person={office.person('legal').id}")
    assert len(_indexes(by_legal.text)) == 1
    assert _indexes(office.page("lead", "/cases/REF/log?entity=party").text) != []
    assert "No entry fits" in office.page("lead", "/cases/REF/log?until=2020-01-01").text
    assert _indexes(office.page("lead", "/cases/REF/log?since=2020-01-01").text) == everything
    assert "No entry fits" in office.page("lead", "/cases/REF/log?group=%25").text
    assert everything == sorted(everything, reverse=True)


def test_an_entry_is_proven_against_a_checkpoint_signed_now_and_an_altered_one_is_not(office: Office) -> None:
    index = _indexes(office.page("legal", "/cases/REF/log").text)[1]
    done = office.send("legal", f"/cases/REF/log/{index}/check", {})
    assert done.status_code == 303
    shown = text_of(office.page("legal", done.headers["location"].partition("#")[0]))
    assert f"Checked now: entry {index} is in the tree" in shown
    with office.actors.installation.database.transaction(write=True) as session:
        row = session.get_one(AuditEntry, index)
        changed = row.entry.replace('"random":"', '"random":"0', 1)[:-3] + row.entry[-2:]
        altered = re.sub(r'"random":"(.)', lambda m: f'"random":"{"1" if m[1] == "0" else "0"}', row.entry)
        assert changed != row.entry
        session.execute(sa.update(AuditEntry).where(AuditEntry.index == index).values(entry=altered))
    assert f"Entry {index} is not proven" in text_of(office.page("legal", done.headers["location"].partition("#")[0]))


def test_nobody_proves_an_entry_of_another_case_from_this_one(office: Office) -> None:
    other = Office(office.actors)
    foreign = _indexes(other.page("lead", "/cases/REF/log").text)[0]
    answer = office.send("lead", f"/cases/REF/log/{foreign}/check", {})
    assert office.page("lead", answer.headers["location"].partition("#")[0]).status_code == 404


def test_the_whole_log_is_verified_and_compared_by_auditors_only(office: Office) -> None:
    assert office.page("lead", "/audit").status_code == 403
    assert office.send("lead", "/audit/verify", {}).status_code == 403
    assert office.page("lead", "/audit/checkpoint.txt").status_code == 403
    kept = office.page("auditor", "/audit/checkpoint.txt").text
    office.send_nda("recipient")
    office.page("auditor", "/audit/checkpoint.txt")
    assert office.send("auditor", "/audit/verify", {}).status_code == 303
    shown = text_of(office.page("auditor", "/audit"))
    assert "It held" in shown
    compared = office.send("auditor", "/audit", {"checkpoint": kept.replace("\n", "\r\n")})
    assert compared.status_code == 200
    assert "It fits" in text_of(compared)


def test_a_checkpoint_of_another_log_or_an_altered_one_does_not_fit(office: Office) -> None:
    kept = office.page("auditor", "/audit/checkpoint.txt").text
    lines = kept.splitlines()
    other_size = "\n".join([lines[0], str(int(lines[1]) - 1), *lines[2:]]) + "\n"
    for wrong in (other_size, "no checkpoint at all", "", kept.replace(lines[0], "other.example/log")):
        assert "It does not fit" in text_of(office.send("auditor", "/audit", {"checkpoint": wrong})), wrong[:40]


def test_an_altered_entry_is_found_by_the_verification_and_shown(office: Office) -> None:
    office.page("auditor", "/audit/checkpoint.txt")
    with office.actors.installation.database.transaction(write=True) as session:
        row = session.get_one(AuditEntry, 3)
        altered = row.entry.replace('"version":1', '"version":2')
        session.execute(sa.update(AuditEntry).where(AuditEntry.index == 3).values(entry=altered))
    office.send("auditor", "/audit/verify", {})
    shown = text_of(office.page("auditor", "/audit"))
    assert "It did not hold" in shown
    assert "entries 3 to 3" in shown
