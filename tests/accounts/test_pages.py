"""The pages of accounts: a link that mail scanners cannot spend, one's own account, and the administration."""

import html
import re
import uuid
from typing import Any

import msgspec
import pyotp
import pytest
from litestar.testing import TestClient
from sqlalchemy import select

from handover.accounts import factors, people
from handover.accounts.errors import LoginError
from handover.audit.models import AuditEntry, AuditHead
from handover.context import SYSTEM, Installation
from handover.db import Base
from handover.jobs import Job, put
from handover.settings import Settings
from handover.vault import Vault
from tests.accounts.browsing import FORM, Browser, accept, invited, secret_on
from tests.actors import ADDRESS, PASSWORD, Actors, Clock, Someone, token_of

WECHAT = {"User-Agent": "Mozilla/5.0 (iPhone) AppleWebKit/605 MicroMessenger/8.0.49"}
HOSTILE = "<script>alert(1)</script>{{7*7}}张䶮"


@pytest.fixture
def admin(client: TestClient[Any], actors: Actors) -> Browser:
    return Browser(client, actors("admin", "platform_admin"))


@pytest.fixture
def anna(client: TestClient[Any], actors: Actors) -> Browser:
    return Browser(client, actors("anna"))


PAGES = [
    "/account", "/account/password", "/account/authenticator", "/account/passkeys", "/account/sessions",
    "/account/tokens", "/admin/people", "/admin/people/invite", "/admin/organisation", "/admin/templates",
    "/admin/templates/nda", "/admin/policy", "/admin/health", "/telephone-codes",
]  # fmt: skip
ADMINISTRATION = [path for path in PAGES if path.startswith(("/admin", "/telephone"))]


@pytest.mark.parametrize("path", PAGES)
def test_an_administrator_has_every_page_and_nobody_without_a_session_any(admin: Browser, path: str) -> None:
    assert admin.get(path).status_code == 200
    admin.client.cookies.clear()
    stranger = admin.client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    assert (stranger.status_code, stranger.headers["location"].split("?")[0]) == (303, "/login")


@pytest.mark.parametrize("path", ADMINISTRATION)
def test_the_administration_is_closed_to_everybody_else(anna: Browser, path: str) -> None:
    assert anna.get(path).status_code == 403


def test_consultants_issue_codes_and_auditors_look_at_the_health_and_change_nothing(
    client: TestClient[Any], actors: Actors, installation: Installation
) -> None:
    lead = Browser(client, actors("lead", "consultant"))
    auditor = Browser(client, actors("auditor", "auditor"))
    anna = actors("anna")
    for sought in ("ann", "Anna@people.example"):
        assert lead.get(f"/telephone-codes?q={sought}").text.count("/telephone-codes/") == 1
    shown = lead.post(f"/telephone-codes/{anna.id}")
    code = "".join(re.findall(r"<code>(\d{4}) (\d{4})</code>", shown.text)[0])
    assert (
        client.post(
            "/api/v1/sessions", json={"email": anna.email, "password": PASSWORD, "telephone_code": code}
        ).status_code
        == 201
    )
    assert lead.post(f"/telephone-codes/{lead.someone.id}").status_code == 403
    assert auditor.get("/admin/health").status_code == 200
    with installation.unit_of_work(SYSTEM) as ctx:
        job = put(ctx, "attestations.issue")
    assert f"/jobs/{job}/cancel" not in auditor.get("/admin/health").text
    assert auditor.post(f"/admin/health/jobs/{job}/cancel").status_code == 403


def test_health_shows_jobs_without_their_messages_and_cancels_them(
    admin: Browser, installation: Installation, clock: Clock
) -> None:
    with installation.unit_of_work(SYSTEM) as ctx:
        job = put(ctx, "attestations.issue")
        dead = ctx.session.get_one(Job, put(ctx, "packages.build"))
        dead.state, dead.error_code = "dead", "package_too_large"
        dead.error_sealed = ctx.get(Vault).seal_text("server", "names.xlsx", field="jobs.error", row=dead.id)
    page = admin.get("/admin/health").text
    assert "package_too_large" in page
    assert "names.xlsx" not in page
    assert "No worker takes jobs" not in page
    assert admin.post(f"/admin/health/jobs/{job}/cancel").status_code == 303
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert ctx.session.get_one(Job, job).cancel_requested
    clock.advance(minutes=2)
    assert "No worker takes jobs" in admin.get("/admin/health").text


def test_a_link_opened_by_a_mail_scanner_changes_nothing_and_then_enrols(
    client: TestClient[Any], installation: Installation
) -> None:
    made, before = invited(installation), entries(installation)
    for _ in range(20):
        page = client.get(made.link, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert made.code not in page.text
        assert "anna" not in page.text, "the link alone does not say whose it is"
    assert client.head(made.link).status_code == 200
    assert entries(installation) == before
    enrolled = accept(client, made.link, f"{made.code[:4]} {made.code[4:]}")
    assert (enrolled.status_code, enrolled.headers["location"]) == (303, f"/p/{token_of(made)}/first")
    assert client.get(made.link, headers={"Accept": "text/html"}).status_code == 410


def test_the_first_code_of_the_new_authenticator_logs_in(client: TestClient[Any], installation: Installation) -> None:
    made = invited(installation)
    first = accept(client, made.link, made.code).headers["location"]
    for _ in range(2):
        page = client.get(first)
    secret = secret_on(page)
    assert "data:image/svg+xml" in page.text
    wrong = client.post(first, data={"code": "000000"}, headers=FORM, follow_redirects=False)
    assert wrong.status_code in {401, 422}
    assert secret_on(wrong) == secret
    right = client.post(
        first, data={"code": pyotp.TOTP(secret).at(installation.clock())}, headers=FORM, follow_redirects=False
    )
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert client.get("/account", headers={"Accept": "text/html"}).status_code == 200
    assert client.get(first).status_code == 410, "the secret is never shown again"


def test_the_link_alone_shows_no_secret_to_another_browser(client: TestClient[Any], installation: Installation) -> None:
    made = invited(installation)
    first = accept(client, made.link, made.code).headers["location"]
    client.cookies.clear()
    assert client.get(first).status_code == 410
    forged = {"Cookie": f"__Host-handover-first={'0' * 64}", **FORM}
    assert client.get(first, headers=forged).status_code == 410
    assert client.post(first, data={"code": "123456"}, headers=forged).status_code == 410


def test_a_telephone_code_is_a_first_login_too(
    client: TestClient[Any], actors: Actors, installation: Installation
) -> None:
    lead, made = actors("lead", "consultant"), invited(installation)
    first = accept(client, made.link, made.code, "telephone").headers["location"]
    assert "otpauth" not in client.get(first).text
    with lead.acting() as ctx:
        code, _ = factors.issue_code(ctx, uuid.UUID(made.person_id))
    assert client.post(first, data={"code": code}, headers=FORM, follow_redirects=False).status_code == 303


def test_what_was_typed_stays_but_passwords_do_not_and_five_wrong_codes_end_the_link(
    client: TestClient[Any], installation: Installation
) -> None:
    made = invited(installation)
    other = accept(client, made.link, made.code, "telephone", again="something else entirely")
    assert other.status_code == 422
    assert 'href="#f-again"' in other.text
    assert f'value="{made.code}"' in other.text
    assert re.search(r'value="telephone"[^>]* checked', other.text)
    assert PASSWORD not in html.unescape(other.text)
    for _ in range(4):
        assert accept(client, made.link, "00000000").status_code == 422
    assert accept(client, made.link, "00000000").status_code == 410
    assert accept(client, made.link, made.code).status_code == 410


def test_a_link_that_is_over_names_whom_to_ask(client: TestClient[Any], actors: Actors, clock: Clock) -> None:
    with actors("lead", "consultant").acting() as ctx:
        made = people.invite(ctx, email="bert@people.example", name="bert", language="zh", organisation_roles=[])
    assert "<bdi>lead</bdi>" in client.get(made.link, headers={"Accept": "text/html"}).text
    clock.advance(minutes=61)
    gone = client.get(made.link, headers={"Accept": "text/html"})
    assert gone.status_code == 410
    assert "<bdi>lead</bdi>" in gone.text
    assert client.get("/p/nothing", headers={"Accept": "text/html"}).status_code == 410


def test_a_foreign_page_cannot_accept_or_log_in(client: TestClient[Any], installation: Installation) -> None:
    made = invited(installation)
    foreign = {"Origin": "https://elsewhere.example", "Accept": "text/html"}
    fields = {"code": made.code, "password": PASSWORD, "again": PASSWORD, "second_factor": "totp"}
    assert client.post(made.link, data=fields, headers=foreign).status_code == 403
    assert client.get(made.link).status_code == 200


def test_wechat_is_told_how_to_open_a_browser(client: TestClient[Any], installation: Installation) -> None:
    made = invited(installation)
    for path in (made.link, "/p/nothing"):
        page = client.get(path, headers=WECHAT)
        plain = client.get(path, headers={"User-Agent": "Mozilla/5.0"})
        shown = "data:image/svg+xml" in page.text
        assert shown == (path == made.link)
        assert "data:image/svg+xml" not in plain.text


def test_a_fresh_installation_leads_to_its_setup_which_takes_the_printed_link_only(
    client: TestClient[Any], installation: Installation
) -> None:
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.url.path == "/setup"
    assert client.post("/setup", data={"link": f"{ADDRESS}/p/guess"}, headers=FORM).status_code == 422
    with installation.unit_of_work(SYSTEM) as ctx:
        printed = people.invite_first_again(ctx)
    assert printed is not None
    to = client.post("/setup", data={"link": f" {printed.link} "}, headers=FORM, follow_redirects=False)
    assert to.headers["location"] == f"/p/{token_of(printed)}"
    accept(client, printed.link, printed.code)
    assert client.get("/setup", follow_redirects=False).headers["location"] == "/login"
    assert client.get("/login", follow_redirects=False).status_code == 200
    with installation.unit_of_work(SYSTEM) as ctx:
        assert people.invite_first_again(ctx) is None


def test_a_second_printed_link_ends_the_first(client: TestClient[Any], installation: Installation) -> None:
    with installation.unit_of_work(SYSTEM) as ctx:
        old, new = people.invite_first_again(ctx), people.invite_first_again(ctx)
    assert old is not None
    assert new is not None
    assert client.get(old.link).status_code == 410
    assert client.get(new.link).status_code == 200


def test_a_new_authenticator_counts_after_its_first_code_and_the_old_one_no_more(
    anna: Browser, installation: Installation, clock: Clock
) -> None:
    old = anna.someone.totp_secret
    assert anna.post("/account/authenticator/new").status_code == 303
    new = secret_on(anna.get("/account/authenticator"))
    assert new != old
    assert anna.post("/account/authenticator", code="000000").status_code == 422
    assert anna.someone.log_in()
    right = anna.post("/account/authenticator", code=pyotp.TOTP(new).at(installation.clock()))
    assert right.status_code == 303
    assert new not in anna.get("/account/authenticator").text.replace("</span> <span>", "")
    with pytest.raises(LoginError):
        anna.someone.log_in()
    clock.advance(seconds=60)
    anna.someone.totp_secret = new
    assert anna.someone.log_in()


def test_a_secret_that_waits_is_shown_only_after_a_recent_second_factor(anna: Browser, clock: Clock) -> None:
    anna.post("/account/authenticator/new")
    clock.advance(minutes=16)
    assert "otpauth" not in anna.get("/account/authenticator").text
    asked = anna.post("/account/authenticator/new")
    assert (asked.status_code, "second_factor_code" in asked.text) == (403, True)


def test_a_changed_password_ends_the_other_sessions_and_is_never_sent_back(
    anna: Browser, clock: Clock, client: TestClient[Any]
) -> None:
    new = "another correct horse"
    other = anna.someone.token
    anna.someone.log_in()
    typed = {"old": PASSWORD, "password": new, "again": new}
    wrong = anna.post("/account/password", **{**typed, "again": "something else"})
    assert (wrong.status_code, new in wrong.text) == (422, False)
    assert anna.post("/account/password", **{**typed, "old": "not the old one"}).status_code == 401
    clock.advance(minutes=16)
    stale = anna.post("/account/password", **typed)
    assert (stale.status_code, new in stale.text) == (403, False)
    assert "second_factor_code" in stale.text
    changed = anna.post("/account/password", **typed, second_factor_code=anna.someone.totp())
    assert changed.status_code == 303
    assert client.get("/api/v1/people/me", headers={"Authorization": f"Bearer {other}"}).status_code == 401


def test_the_language_is_kept_with_the_account_and_greets_in_a_new_browser(
    anna: Browser, client: TestClient[Any]
) -> None:
    assert anna.post("/account/language", language="fr").status_code == 422
    assert anna.post("/account/language", language="en").status_code == 303
    client.cookies.clear()
    fields = {"email": anna.someone.email, "password": PASSWORD, "code": anna.someone.totp()}
    assert client.post("/login", data=fields, headers=FORM, follow_redirects=False).status_code == 303
    page = client.get("/account", headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
    assert '<html lang="en">' in page.text


def test_a_token_is_shown_once_works_and_is_revoked(anna: Browser, client: TestClient[Any]) -> None:
    shown = anna.post("/account/tokens", name=HOSTILE, scopes=["read"], days="7")
    token = re.search(r"hvt_[A-Za-z0-9_-]+", shown.text)
    assert token
    listed = anna.get("/account/tokens").text
    assert token.group(0) not in listed
    assert html.escape(HOSTILE, quote=False) in listed
    bearer = {"Authorization": f"Bearer {token.group(0)}"}
    assert client.get("/api/v1/people/me", headers=bearer).status_code == 200
    assert anna.post("/account/tokens", name="x", days="7").status_code == 422
    path = re.search(r"/account/tokens/[0-9a-f-]+/revoke", listed)
    assert path
    assert anna.post(path.group(0)).status_code == 303
    assert client.get("/api/v1/people/me", headers=bearer).status_code == 401


def test_sessions_are_ended_one_by_one_or_all_others(anna: Browser, client: TestClient[Any]) -> None:
    others = []
    for _ in range(3):
        others.append(anna.someone.token)
        anna.someone.log_in()
    path = re.findall(r"/account/sessions/[0-9a-f-]+/end", anna.get("/account/sessions").text)
    assert len(path) == 3
    assert anna.post(path[0]).status_code == 303
    assert anna.post("/account/sessions/end-others").status_code == 303
    assert "/end" not in anna.get("/account/sessions").text.replace("end-others", "")
    for token in others:
        assert client.get("/api/v1/people/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_an_invitation_shows_link_and_code_once_and_hostile_names_literally(
    admin: Browser, client: TestClient[Any], installation: Installation
) -> None:
    page = admin.post("/admin/people/invite", name=HOSTILE, email="x@people.example", organisation_roles=["consultant"])
    text = html.unescape(page.text)
    link = re.search(rf"{ADDRESS}/p/[A-Za-z0-9_-]+", text)
    code = re.search(r"<code>(\d{4}) (\d{4})</code>", page.text)
    assert link
    assert code
    message = re.search(r'data-copy="([^"]*)"', page.text)
    assert message
    assert "".join(code.groups()) not in message.group(1), "the code never travels with the link"
    assert "在浏览器打开" in text
    assert html.escape(HOSTILE, quote=False) in page.text
    assert "<script>alert" not in admin.get("/admin/people").text
    assert accept(client, link.group(0), "".join(code.groups())).status_code == 303
    again = admin.post("/admin/people/invite", name="张䶮", email="no address", organisation_roles=["consultant"])
    assert again.status_code == 422
    assert 'value="张䶮"' in again.text
    assert re.search(r'value="consultant" checked', again.text)


def test_an_administrator_corrects_names_and_suspends(admin: Browser, anna: Browser) -> None:
    path = f"/admin/people/{anna.someone.id}"
    assert admin.post(f"{path}/name", name="安娜").status_code == 303
    assert "安娜" in anna.get("/account").text
    assert anna.post(f"{path}/name", name="Somebody Else").status_code == 403
    assert admin.post(f"{path}/suspend").status_code == 303
    assert anna.get("/account").status_code == 303
    assert events(admin.someone)[-2:] == ["account.renamed", "account.suspended"]
    assert admin.post(f"/admin/people/{admin.someone.id}/suspend").status_code == 403


def test_pages_change_nothing_when_they_are_read(admin: Browser, installation: Installation) -> None:
    before = everything(installation)
    for path in PAGES:
        admin.get(path)
    assert everything(installation) == before


def test_a_policy_that_differs_is_marked(installation: Installation, admin: Browser) -> None:
    assert "differs</span>" not in admin.get("/admin/policy").text
    settings = installation.get(Settings)
    policy = msgspec.structs.replace(settings.policy, k_anonymity=11)
    installation.services[Settings] = msgspec.structs.replace(settings, policy=policy)
    page = admin.get("/admin/policy").text
    assert page.count("differs</span>") == 1
    assert "HANDOVER_POLICY_K_ANONYMITY" in page


def test_trust_files_are_handed_out_as_they_are_and_nothing_else_is(admin: Browser, installation: Installation) -> None:
    folder = installation.get(Settings).trust_dir
    for name in ("ca.pem", "allowed_signers", "mldsa65.pem", "log.vkey"):
        answer = admin.get(f"/admin/trust/{name}")
        assert answer.content == (folder / name).read_bytes()
        assert answer.headers["content-disposition"].startswith("attachment")
    assert admin.get("/admin/trust/..%2Fhandover.db").status_code == 404


def entries(installation: Installation) -> int:
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        return ctx.session.scalars(select(AuditHead.size)).one()


def events(someone: Someone) -> list[str]:
    with someone.acting(write=False) as ctx:
        rows = ctx.session.scalars(select(AuditEntry.entry).order_by(AuditEntry.index))
        return [row.split('"event":"')[1].split('"')[0] for row in rows]


def everything(installation: Installation) -> dict[str, list[Any]]:
    """Every row of every table."""
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        return {name: ctx.session.execute(table.select()).all() for name, table in Base.metadata.tables.items()}
