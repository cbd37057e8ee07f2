"""Check 7 of the interface: who has no JavaScript signs, approves and advances a case all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import made_cases
from tests.e2e.humans import Human
from tests.e2e.watching import Site


@pytest.fixture
def people(browser: Browser, demo_site: Site) -> Iterator[dict[str, Human]]:
    """People of the demo, whose browsers run no script."""
    made = {
        name: Human(browser, demo_site, name, "zh", java_script_enabled=False) for name in ("张䶮", "李静", "陈思远")
    }
    for name, person in made.items():
        person.play_as(name)
    yield made
    wrongs = [wrong for person in made.values() for wrong in person.wrongs]
    for person in made.values():
        person.close()
    assert wrongs == []


def test_sign_approve_and_advance(people: dict[str, Human], demo_site: Site, pixel: Path) -> None:
    references = {stage: reference for reference, stage in made_cases(demo_site)}
    _sign(people["张䶮"], f"/my/{references['nda_pending']}", pixel)
    case = references["recipient_verification"]
    _approve(people["张䶮"], people["李静"], case)
    lead = people["陈思远"]
    lead.move(f"/cases/{case}", "start_handover")
    assert "交接" in lead.page.inner_text("[aria-current=step]")


def _sign(signatory: Human, my: str, mandate: Path) -> None:
    signatory.visit(f"{my}/nda")
    path = signatory.page.url
    if signatory.page.locator("main form[action$='/mandate']").count():
        signatory.fill(signatory.form("/mandate"), mandate=mandate)
        signatory.page.goto(path)
    signatory.fill(signatory.form("/sign"), typed_name=signatory.name, intent=True)
    assert signatory.page.locator("h1").inner_text() == "已签署"


def _approve(seller: Human, legal: Human, case: str) -> None:
    """Both approvals that release the closing package."""
    number = f"{case}-P01"
    seller.send(f"/my/{case}/approve", f"/approve/{number}")
    legal.send(f"/cases/{case}/package/{number}", "/approve")
    legal.visit(f"/cases/{case}/package/{number}")
    assert not legal.page.locator("main form[action$='/approve']").count()
