"""A recipient in a case, at the point where their key or their package is what comes next; and their session in a browser."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from handover.archive.head import Facts, SigningKeys
from handover.archive.manifest import Exclusion, PackageHead, WorkflowHead
from handover.archive.seal import Entry, Plan
from handover.cases.models import Case
from handover.context import SYSTEM, Context, Installation
from handover.db import new_id
from handover.delivery.service import open_for
from handover.packages.models import Package
from handover.recipients.models import Recipient
from handover.storage import Storage, new_blob_key
from handover.vault.signers import Signers
from tests.actors import Actors, Someone


def logged_in(browser: Browser, address: str, person: Someone) -> BrowserContext:
    """A fresh profile with this person's session; the file picker, which a test cannot drive, is absent."""
    context = browser.new_context(base_url=address, locale="en-GB", accept_downloads=True)
    context.add_cookies(
        [{"name": "__Host-handover", "value": person.token, "url": address.replace("http:", "https:"), "secure": True}]
    )
    context.add_init_script("delete window.showSaveFilePicker")
    return context


def recipient_of(actors: Actors, *, key_policy: str = "classic") -> tuple[Someone, dict[str, Any], str]:
    """A recipient whose identity was verified: the person, their case, and the recipient's id."""
    lead, person = actors("lead", "consultant"), actors("recipient")
    case = lead.post("cases", {"title": "t", "structure": "asset_transfer"}).json()
    buyer = lead.post(
        "parties",
        {"case_id": case["id"], "side": "buyer", "name": "买方", "uscc": "91310115MA1K30002G", "place": "CN-31"},
    ).json()
    member = {"person_id": str(person.id), "role": "recipient", "party_id": buyer["id"]}
    assert lead.post(f"cases/{case['id']}/members", member).status_code == 201
    body = {"case_id": case["id"], "party_id": buyer["id"], "person_id": str(person.id)}
    recipient = lead.post("recipients", body).json()
    with actors.installation.unit_of_work(SYSTEM) as ctx:
        ctx.session.get_one(Recipient, uuid.UUID(recipient["id"])).state = "identity_verified"
        ctx.session.get_one(Case, uuid.UUID(case["id"])).key_policy = key_policy
    return person, case, recipient["id"]


def deliver(
    installation: Installation,
    case: dict[str, Any],
    recipient_id: str,
    entries: Sequence[Entry],
    public: str,
    *,
    keys: SigningKeys | None = None,
    persons: int = 20_000,
) -> tuple[Package, Path]:
    """Builds, signs and offers a package with these files; returns it and where its ciphertext lies."""
    signers, storage = installation.get(Signers), installation.get(Storage)  # type: ignore[type-abstract]
    number = f"{case['reference']}-P01"
    facts = Facts(
        package=PackageHead(
            number=number,
            purpose="closing",
            case=case["reference"],
            built_at="2026-11-23T00:00:00Z",
            software="handover test",
        ),
        persons=persons,
        exclusions=(Exclusion("no_consent", 2),),
        workflow=WorkflowHead("case", 1, "00" * 32),
        audit_checkpoint="log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    )
    keys = keys or SigningKeys(signers.manifest_ed25519, signers.manifest_mldsa)
    place = new_blob_key()
    with storage.create(place) as sink:
        result = Plan(entries, recipients=[public], facts=facts, keys=keys).write(sink).result

    def add(ctx: Context) -> Package:
        row = ctx.session.get_one(Recipient, uuid.UUID(recipient_id))
        package = Package(
            id=new_id(),
            case_id=row.case_id,
            number=number,
            purpose="closing",
            state="released",
            recipient_id=row.id,
            party_id=row.party_id,
            created_by=row.created_by,
            storage_key=place,
            manifest_sha256=result.manifest_sha256,
            ciphertext_sha256=result.ciphertext_sha256,
            size=result.size,
            receipt_key=result.receipt_key,
            file_count=result.files_count,
            content_size=result.files_size,
            records=result.records,
            persons=result.persons,
            exclusions={},
            record_set_ids=[],
        )
        ctx.session.add(package)
        ctx.session.flush()
        open_for(ctx, package)
        return package

    with installation.unit_of_work(SYSTEM) as ctx:
        package = add(ctx)
        ctx.session.expunge(package)
    with storage.open(place) as file:
        return package, Path(file.name)
