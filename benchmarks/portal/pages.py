"""Page times of the portal at 10, 200 and 1,000 products; requests a second beside a bare hello-world.

    python -m benchmarks.portal.pages [--products 10,200,1000] [--seconds 3]

The mesh is made for it: domains of ten products with twelve columns each, every product published once (a
certificate in the registry and a file), every product made from one of the domain before. Pages are asked for
over HTTP from another process, one after the other; the first answer and the middle of twenty are told.
Requests a second: eight connections at once on the same uvicorn, a page and `hello, world`.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mesh_assets.capabilities.contracts.scaffold import new_contract_text, new_domain_text
from mesh_assets.capabilities.portal.access import LOCAL
from mesh_assets.capabilities.portal.app import make_app, make_site
from mesh_assets.capabilities.portal.site import Guest, Site
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import Role, read_portal_settings
from mesh_assets.words.settings import PROJECT, Settings, read_settings
from mesh_assets.words.versions import BuildOutcome, BuildRecord, Certificate, InputVersion

EACH = 10
COLUMNS = [("id", "BIGINT"), *((f"column_{number}", "VARCHAR") for number in range(11))]
PAGES = (
    "/", "/?q=column_7", "/?q=owner", "/-/lineage", "/domain_000", "/domain_000/when",
    "/domain_000/product_3", "/domain_000/product_3/what", "/domain_000/product_3/when",
    "/domain_000/product_3/with", "/domain_000/product_3/how", "/domain_000/product_3.jsonld",
)  # fmt: skip


def make_mesh(root: Path, products: int) -> Settings:
    for number in range(products // EACH):
        domain = f"domain_{number:03}"
        folder = root / "domains" / domain
        names = [f"product_{each}" for each in range(EACH)]
        folder.mkdir(parents=True)
        (folder / "domain.yaml").write_text(new_domain_text(domain, products=names), encoding="utf-8")
        for name in names:
            (folder / name).mkdir()
            text = new_contract_text(ProductName(domain, name), COLUMNS)
            (folder / name / "contract.yaml").write_text(text, encoding="utf-8")
            before = f"domain_{number - 1:03}.{name}" if number else ""
            lines = [f"-- input: {before}\nselect * from {before}"] if before else ["select 1 as id"]
            (folder / name / "recipe.sql").write_text("\n".join(lines) + "\n", encoding="utf-8")
    environment = {
        "MESH_HOME": str(root / ".mesh"),
        "MESH_DOMAINS": str(root / "domains"),
        "MESH_DBT_PROJECT": str(PROJECT / "dbt_project"),
    }
    return read_settings(environment)


def publish(settings: Settings, registry: Registry, products: int) -> None:
    """Versions in the registry, with their files; what a page reads of them and no rows."""
    now = datetime.now(UTC)
    for number in range(products // EACH):
        certificates = [_certificate(settings, number, each, now) for each in range(EACH)]
        expected = {certificate.product: None for certificate in certificates}
        registry.release(certificates, expected=expected, reads={}, who="bench", run_id=f"run-{number}")
        for certificate in certificates:
            record = BuildRecord(
                product=certificate.product, run_id=f"run-{number}", outcome=BuildOutcome.PUBLISHED,
                started=now - timedelta(minutes=5), seconds=3.0, version=1, rows=1, passed=20,
            )  # fmt: skip
            registry.record_build(record)


def _certificate(settings: Settings, number: int, each: int, now: datetime) -> Certificate:
    name = ProductName(f"domain_{number:03}", f"product_{each}")
    file = settings.lakes / name.domain / "data" / f"{name.product}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    inputs = (
        (InputVersion(ProductName(f"domain_{number - 1:03}", name.product), 1, 1, "d1:0"),) if number else ()
    )
    rules = tuple(
        {"id": f"rule_{rule}", "outcome": "passed", "severity": "error", "checked_rows": 1, "sample": []}
        for rule in range(20)
    )
    return Certificate(
        product=name, number=None, rows=1, fingerprint="d1:0",
        partitions={"": {"rows": 1, "fingerprint": "d1:0"}},
        contract_version="1.0.0", contract_text=new_contract_text(name, COLUMNS),
        rule_results=rules, snapshot=1,
        files=(f"data/{name.product}.parquet",), started=now, finished=now, inputs=inputs, sources=(),
        packages={"duckdb": "1"}, recipe="recipe.sql", recipe_hash="0", git_commit=None, git_dirty=False,
        run_id=f"run-{number}", who="bench",
    )  # fmt: skip


def _serve(settings: Settings | None, port: int) -> None:
    if settings is None:
        app: Any = Starlette(routes=[Route("/", _hello)])
    else:
        site = make_site(settings, read_portal_settings({}), open_registry(settings))
        warm(site, Guest(LOCAL, Role.ADMIN))
        app = make_app(site)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def warm(site: Site, guest: Guest) -> None:
    """As `mesh portal` does when it starts."""
    site.warm(guest)
    gc.collect()
    gc.freeze()


async def _hello(_: Any) -> PlainTextResponse:
    return PlainTextResponse("hello, world")


@contextmanager
def serving(settings: Settings | None) -> Iterator[int]:
    """The portal (or hello-world) in a process of its own."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings, port), daemon=True)
    process.start()
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.05)
    yield port
    process.terminate()
    process.join()


def ask(connection: http.client.HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    connection.request("GET", path, headers={"accept": "*/*" if "json" in path else "text/html"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, answer.status, body[:300])
    return (time.perf_counter() - began) * 1000


def per_second(port: int, path: str, seconds: float, connections: int = 8) -> float:
    counts = [0] * connections
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < until:
            ask(connection, path)
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def measure(products: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = make_mesh(Path(folder), products)
        with open_registry(settings) as registry:
            publish(settings, registry, products)
            site = make_site(settings, read_portal_settings({}), registry)
            began, burnt = time.perf_counter(), time.process_time()
            site.shelf.read()
            first, burnt = time.perf_counter() - began, time.process_time() - burnt
            site.shelf._made = 0.0
            began = time.perf_counter()
            site.shelf._make()
            again = time.perf_counter() - began
            told = f"reading all {first:.2f} s ({burnt:.2f} s of CPU), reading again {again:.2f} s"
            print(f"\n{products} products: {told}")
            making(site)
            with serving(settings) as port:
                connection = http.client.HTTPConnection("127.0.0.1", port)
                print(f"{'page':34} {'first ms':>9} {'middle ms':>10} {'slowest ms':>11}")
                for path in PAGES:
                    start = ask(connection, path)
                    times = [ask(connection, path) for _ in range(20)]
                    print(f"{path:34} {start:9.1f} {statistics.median(times):10.1f} {max(times):11.1f}")
                for path in ("/domain_000/product_3", "/?q=column_7"):
                    print(f"{path}: {per_second(port, path, seconds):.0f} requests/s")


def making(site: Site) -> None:
    """What main pages cost when nothing of them is kept, in CPU: the machine's other work does not count."""
    guest = Guest("nobody else")
    opened = {"open": ["*"]}
    warm(site, Guest())
    for called, make in (
        ("front page", lambda: site.front({}, "html", guest)),
        ("a search that finds everything", lambda: site.front({"q": ["column_7"]}, "html", guest)),
        ("lineage", lambda: site.lineage({}, "html", guest)),
        ("lineage, all open", lambda: site.lineage(opened, "html", guest)),
    ):
        began = time.thread_time()
        make()
        print(f"{called:34} {(time.thread_time() - began) * 1000:9.1f} ms of CPU")


def hello(seconds: float) -> None:
    with serving(None) as port:
        print(f"\nhello, world on the same server: {per_second(port, '/', seconds):.0f} requests/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", default="10,200,1000")
    parser.add_argument("--seconds", type=float, default=3)
    given = parser.parse_args()
    for products in (int(each) for each in given.products.split(",")):
        measure(products, given.seconds)
    hello(given.seconds)


if __name__ == "__main__":
    main()
