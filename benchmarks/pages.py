"""How long pages take with 1,000 cases of 200 log entries each in the database, and how much a first visit transfers.

python benchmarks/pages.py [cases] [entries]

Server time is measured at the client on loopback, so it holds HTTP as well. The limit for every page is 150 ms at the
median and 100 KB on the first visit; a plain `/healthz` in the same run is the floor.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

CASES, ENTRIES = 1000, 200
ROUNDS = 15
LIMIT_MS, LIMIT_KB = 150, 100
_NOT_PAGES = re.compile(r"^/(api|static|schema|logout)|/(pdf|twin|bundle|export|checkpoint)\b|lang=")
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|HO-\d{4}-\d{4}")


def main() -> None:
    cases, entries = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (CASES, ENTRIES)
    with tempfile.TemporaryDirectory() as folder:
        address = "http://localhost:8497"
        os.environ |= {"HANDOVER_DATA_DIR": f"{folder}/data", "HANDOVER_PUBLIC_URL": address}
        command = [sys.executable, "-m", "handover", "serve", "--demo", "--host", "localhost", "--port", "8497"]
        with Path(f"{folder}/log").open("w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_for_cases(Path(folder))
            started = time.monotonic()
            _fill(cases, entries)
            print(f"{cases} cases with {entries} log entries each, made in {time.monotonic() - started:.0f} s")
            _measure(address)
        finally:
            server.terminate()
            server.wait(timeout=60)


def _wait_for_cases(folder: Path) -> None:
    for _ in range(600):
        if "are ready" in (folder / "log").read_text():
            return
        time.sleep(0.5)
    raise SystemExit((folder / "log").read_text()[-2000:])


def _fill(cases: int, entries: int) -> None:
    """Cases of the demo's lead consultant, made by the services themselves, in the process of this benchmark."""
    from sqlalchemy import select

    from handover.accounts.models import Person
    from handover.app import open_installation
    from handover.audit import AuditLog
    from handover.cases import service
    from handover.context import Actor
    from handover.settings import load

    os.environ["HANDOVER_DEMO"] = "1"
    installation = open_installation(load())
    with installation.unit_of_work(Actor(kind="anonymous"), write=False) as ctx:
        people = list(ctx.session.scalars(select(Person).order_by(Person.id)))
        lead = next(person.id for person in people if "consultant" in person.organisation_roles)
    actor = Actor(kind="person", person_id=lead, roles=frozenset({"consultant"}))
    for start in range(0, cases, 20):
        with installation.unit_of_work(actor) as ctx:
            for number in range(start, min(start + 20, cases)):
                row = service.create(
                    ctx, title=f"案件 {number}", structure="asset_transfer", key_policy="classic", jurisdictions=["CN"]
                )
                service.add_party(
                    ctx,
                    row.id,
                    side="agency",
                    kind="company",
                    name="加信转让顾问有限公司",
                    uscc=None,
                    contact=None,
                    place="CN-31",
                )
                for _ in range(entries):
                    ctx.get(AuditLog).append(ctx, "document.read", entity="case", entity_id=row.id, case_id=row.id)
    installation.database.close()


def _measure(address: str) -> None:
    with httpx.Client(base_url=address, trust_env=False, headers={"Accept": "text/html"}, timeout=60) as floor:
        print(f"{'page':60} {'median ms':>10} {'KB first visit':>15}")
        print(f"{'/healthz (floor)':60} {_median(floor, '/healthz'):10.1f} {'':>15}")
    worst = 0.0
    for name in ("陈思远", "张䶮", "Olivia", "平台管理员"):
        with httpx.Client(base_url=address, trust_env=False, headers={"Accept": "text/html"}, timeout=60) as client:
            _log_in(client, name)
            for path in _pages(client):
                median = _median(client, path)
                worst = max(worst, median)
                size = _first_visit(client, path) / 1000
                mark = " <-- over" if median > LIMIT_MS or size > LIMIT_KB else ""
                print(f"{name[:8] + ' ' + path:60} {median:10.1f} {size:15.0f}{mark}", flush=True)
    print(f"slowest median {worst:.1f} ms, {worst / LIMIT_MS:.2f} of the limit")


def _log_in(client: httpx.Client, name: str) -> None:
    text = client.get("/demo").text
    card = text[text.index(f"<bdi>{name}") :]
    found = re.search(r'action="(/demo/as/[^"]+)"', card)
    assert found, name
    answer = client.post(found.group(1), data={}, headers={"Sec-Fetch-Site": "same-origin"})
    # The cookie is for secure origins; a browser counts localhost among them, this client does not.
    kept = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-handover="))
    cookie = kept.partition(";")[0]
    client.event_hooks["request"].append(lambda request: request.headers.update({"Cookie": cookie}))


def _pages(client: httpx.Client) -> list[str]:
    """One page of each kind that the person can reach, found by following links."""
    waiting, kinds, found = ["/"], set[str](), []
    while waiting:
        path = waiting.pop(0)
        kind = _IDS.sub("*", path.partition("?")[0])
        if kind in kinds or _NOT_PAGES.search(path):
            continue
        kinds.add(kind)
        answer = client.get(path, follow_redirects=True)
        if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
            continue
        if path != "/":
            found.append(path)
        waiting += [link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)"', answer.text)]
    return found


def _median(client: httpx.Client, path: str) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        client.get(path, follow_redirects=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def _first_visit(client: httpx.Client, path: str) -> int:
    """Bytes over the wire of the page and all that it loads."""
    total, page = 0, client.get(path, follow_redirects=True)
    waiting, seen = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text), set[str]()
    total += len(page.content)
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
            total += sum(len(chunk) for chunk in answer.iter_raw())
        if address.endswith(".js"):
            text = client.get(address).text
            base = address.rpartition("/")[0]
            for name in re.findall(r'from\s*"(\./[^"]+|\.\./[^"]+)"', text):
                joined = os.path.normpath(f"{base}/{name}")
                waiting.append(joined)
    return total


if __name__ == "__main__":
    main()
