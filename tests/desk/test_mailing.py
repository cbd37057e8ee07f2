"""Who is written to, about what and when: over real cases, with the sweeps of the worker."""

import datetime as dt
import html
import re
import uuid
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from handover import worker
from handover.accounts import people
from handover.audit import AuditLog
from handover.cases.models import Case
from handover.compliance.models import ReturnDeclaration
from handover.context import SYSTEM
from handover.desk import mailing, reminding
from handover.mail import outbox
from handover.mail.models import Mail
from handover.settings import Settings, load
from tests.actors import Actors
from tests.conftest import any_database
from tests.desk.office import HOSTILE, Office


@pytest.fixture
def office(actors: Actors) -> Office:
    made = Office(actors)
    made.declare_and_open()
    return made


class Post:
    """What is in the outbox, by the names that tests know people by."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def sweep(self) -> "Post":
        with self._office.actors.installation.unit_of_work(SYSTEM) as ctx:
            mailing.notify(ctx)
        with self._office.actors.installation.unit_of_work(SYSTEM) as ctx:
            reminding.remind(ctx)
        return self

    def of(self, who: str, kind: str = "your_turn") -> list[str]:
        """The texts of somebody's mails, oldest first."""
        with self._office.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
            found = select(Mail).where(Mail.person_id == uuid.UUID(str(self._office.person(who).id)), Mail.kind == kind)
            return [outbox.body_of(ctx, row).text for row in ctx.session.scalars(found.order_by(Mail.id))]

    def all(self) -> list[Any]:
        with self._office.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
            return [outbox.body_of(ctx, row) for row in ctx.session.scalars(select(Mail).order_by(Mail.id))]


@pytest.fixture
def post(office: Office) -> Post:
    return Post(office)


@any_database
def test_whose_turn_it_becomes_is_told_once_with_the_page_and_whom_to_ask(office: Office, post: Post) -> None:
    assert post.sweep().of("recipient") == []
    office.send_nda("recipient", "buyer")
    (told,) = post.sweep().of("recipient")
    for part in ("recipient，您好！", "- 签署", f"https://handover.example/my/{office.reference}\n", "请联系lead。"):
        assert part in told
    assert len(post.of("buyer")) == 1
    assert post.of("rival") == []
    office.lead.post(f"parties/{office.parties['rival']}/standing", {"standing": "lost"})
    assert len(post.sweep().sweep().of("recipient")) == 1


@any_database
def test_a_step_that_comes_again_is_told_again(office: Office, post: Post) -> None:
    def drafted() -> str:
        body = {
            "case_id": office.case["id"],
            "kind": "nda",
            "party_id": office.parties["buyer"],
            "counterparty_id": office.parties["seller"],
            "fields": {"purpose": "evaluation"},
            "signers": [{"person_id": str(office.person("buyer").id), "party_id": None, "capacity": "person"}],
        }
        return str(office.lead.post("agreements", body).json()["id"])

    post.sweep()
    agreement, before = drafted(), len(post.of("legal"))
    office.lead.post(f"agreements/{agreement}/transitions/submit")
    assert len(post.sweep().of("legal")) == before + 1
    assert (
        office.person("legal")
        .post(f"agreements/{agreement}/transitions/return_to_draft", {"reason": "a clause is missing"})
        .status_code
        == 200
    )
    assert len(post.sweep().of("legal")) == before + 1
    office.lead.post(f"agreements/{agreement}/transitions/submit")
    assert len(post.sweep().of("legal")) == before + 2


def test_what_follows_from_ones_own_act_is_not_mailed_to_oneself(office: Office, post: Post) -> None:
    post.sweep()
    before = len(post.of("lead"))
    office.lead.post(
        "agreements",
        {
            "case_id": office.case["id"], "kind": "nda", "party_id": office.parties["buyer"],
            "counterparty_id": office.parties["seller"], "fields": {"purpose": "evaluation"},
            "signers": [{"person_id": str(office.person("buyer").id), "party_id": None, "capacity": "person"}],
        },
    )  # fmt: skip
    assert len(post.sweep().of("lead")) == before


def test_a_decline_is_told_to_the_lead_and_legal_and_to_nobody_else(office: Office, post: Post) -> None:
    agreement = office.send_nda("recipient", "buyer")
    answer = office.person("recipient").post(f"agreements/{agreement}/transitions/decline", {"reason": "secret reason"})
    assert answer.status_code == 200, answer.text
    post.sweep().sweep()
    for who in ("lead", "legal"):
        (told,) = post.of(who, "declined")
        assert "- 保密协议" in told
        assert f"/cases/{office.reference}/nda" in told
    for who in ("recipient", "buyer", "seller", "dpo"):
        assert post.of(who, "declined") == []
    assert "secret reason" not in "".join(one.text for one in post.all())


def test_a_dead_job_is_told_to_the_lead_by_its_kind_alone(office: Office, post: Post) -> None:
    with office.actors.installation.unit_of_work(SYSTEM) as ctx:
        case = ctx.session.scalars(select(Case).where(Case.reference == office.reference)).one()
        details = {"kind": "packages.build", "code": "storage_full", "attempts": 5}
        ctx.get(AuditLog).append(ctx, "job.dead", entity="job", entity_id=case.id, case_id=case.id, details=details)
    (told,) = post.sweep().sweep().of("lead", "job_failed")
    assert "- 构建数据包\n" in told
    assert "storage_full" not in told
    assert {one.address for one in post.all() if "后台任务失败" in one.subject} == {"lead@people.example"}


@any_database
def test_a_date_is_reminded_of_three_days_and_one_day_before_to_those_it_concerns(office: Office, post: Post) -> None:
    clock = office.actors.clock
    with office.actors.installation.unit_of_work(SYSTEM) as ctx:
        case = ctx.session.scalars(select(Case).where(Case.reference == office.reference)).one()
        asked = ReturnDeclaration(
            case_id=case.id, party_id=uuid.UUID(office.parties["rival"]),
            due_at=clock() + dt.timedelta(days=10),
        )  # fmt: skip
        ctx.session.add(asked)
    told = []
    for _ in range(12):
        told.append(len(post.sweep().sweep().of("rival", "reminder")))
        clock.advance(days=1)
    assert told == [0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2]
    assert "返还或销毁声明到期 (截止 " in post.of("rival", "reminder")[0]
    for who in ("buyer", "recipient", "seller", "lead"):
        assert post.of(who, "reminder") == [], who


def test_no_reminders_where_the_policy_says_none(office: Office, post: Post) -> None:
    settings = office.actors.settings
    with office.actors.installation.unit_of_work(SYSTEM) as ctx:
        case = ctx.session.scalars(select(Case).where(Case.reference == office.reference)).one()
        case.review_on = (ctx.now() + dt.timedelta(days=2)).date()
    office.actors.clock.advance(days=1)
    office.actors.installation.services[Settings] = msgspec.structs.replace(
        settings, policy=msgspec.structs.replace(settings.policy, reminder_days=0)
    )
    assert post.sweep().of("lead", "reminder") == []
    office.actors.installation.services[Settings] = settings
    assert len(post.sweep().of("lead", "reminder")) == 1


def test_mails_name_no_case_company_or_other_person_than_the_contact(actors: Actors) -> None:
    office = Office(actors, HOSTILE)
    office.declare_and_open()
    office.send_nda("recipient", "buyer")
    written = Post(office).sweep().all()
    assert written
    for one in written:
        for trace in ("Ltd", "alert", "{{", "rival", "evaluation"):
            assert trace not in one.text + one.html + one.subject


def test_suspended_people_and_those_without_an_account_get_none(office: Office, post: Post) -> None:
    admin = office.actors("admin2", "platform_admin")
    with admin.acting() as ctx:
        people.suspend(ctx, uuid.UUID(str(office.person("recipient").id)))
    office.send_nda("recipient", "buyer")
    post.sweep()
    assert post.of("recipient") == []
    assert len(post.of("buyer")) == 1


def test_a_sweep_looks_at_few_cases_and_comes_to_all_of_them(actors: Actors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "CASES", 1)
    cases = [Office(actors, "one"), Office(actors, "two")]
    made = []
    for _ in range(3):
        with actors.installation.unit_of_work(SYSTEM) as ctx:
            mailing.notify(ctx)
        with actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
            made.append(len(set(ctx.session.scalars(select(Mail.case_id)))))
    assert made == [1, 2, 2]
    assert len(cases) == 2


def test_the_worker_sweeps_them() -> None:
    assert {mailing.notify, reminding.remind} <= set(worker.SWEEPS)


# The administration


def test_only_administrators_see_the_outbox_and_its_mails(office: Office, post: Post) -> None:
    office.send_nda("recipient", "buyer")
    post.sweep()
    office.actors("boss", "platform_admin")
    listed = office.page("boss", "/admin/mail").text
    paths = re.findall(r'href="(/admin/mail/[0-9a-f-]{36})"', listed)
    assert office.reference in listed
    assert "kept, no mail server" in listed
    for path in ("/admin/mail", paths[0], f"{paths[0]}/file"):
        assert office.page("boss", path).status_code == 200
        assert office.page("lead", path).status_code == 403
        assert office.page("auditor", path).status_code == 403
    shown = html.unescape(office.page("boss", paths[0]).text)
    assert "您好！" in shown
    file = office.page("boss", f"{paths[0]}/file")
    assert file.headers["content-type"].startswith("message/rfc822")
    assert file.headers["content-disposition"].endswith('.eml"')
    assert b"Message-ID: <" in file.content


def test_a_failed_mail_is_sent_again_from_its_page_and_the_log_says_so(office: Office, post: Post) -> None:
    office.send_nda("recipient", "buyer")
    post.sweep()
    office.actors("boss", "platform_admin")
    with office.actors.installation.unit_of_work(SYSTEM) as ctx:
        row = ctx.session.scalars(select(Mail).limit(1)).one()
        row.state, row.error_code = "failed", "mail_refused"
    path = f"/admin/mail/{row.id}"
    assert office.send("boss", f"{path}/retry", {}).status_code == 409  # there is no mail server
    server = {"HANDOVER_SMTP_URL": "smtp://127.0.0.1:9?from=a@b.example"}
    office.actors.installation.services[Settings] = msgspec.structs.replace(
        office.actors.settings, mail_server=load(server).mail_server
    )
    assert "the mail server refused it" in office.page("boss", path).text
    assert office.send("lead", f"{path}/retry", {}).status_code == 403
    assert office.send("boss", f"{path}/retry", {}).status_code == 303
    with office.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert ctx.session.get_one(Mail, row.id).state == "queued"
    assert "waiting to be sent" in office.page("boss", "/admin/mail").text


def test_a_hostile_name_is_text_in_the_outbox(office: Office, post: Post) -> None:
    admin = office.actors("boss", "platform_admin")
    with admin.acting() as ctx:
        people.rename(ctx, uuid.UUID(str(office.person("recipient").id)), HOSTILE)
    office.send_nda("recipient", "buyer")
    post.sweep()
    assert any(HOSTILE in one for one in post.of("recipient"))
    listed = office.page("boss", "/admin/mail").text
    assert html.escape(HOSTILE) in listed.replace("&#34;", '"')
    assert "<script>alert" not in listed
    for path in re.findall(r'href="(/admin/mail/[0-9a-f-]{36})"', listed):
        assert "<script>alert" not in office.page("boss", path).text
