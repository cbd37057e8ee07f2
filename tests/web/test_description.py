"""The description of the API names every route and every answer that the edge itself can give."""

import re
from typing import Any

import pytest
from litestar.testing import TestClient

from handover import rooms
from handover.web import health


@pytest.fixture
def schema(anonymous: TestClient[Any]) -> dict[str, Any]:
    found: dict[str, Any] = anonymous.get("/schema/openapi.json").json()
    return found


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, found) for path, item in schema["paths"].items() for method, found in item.items()]


def test_every_route_is_described(schema: dict[str, Any]) -> None:
    routes = [*rooms.routes(), *health.ROUTES]
    assert len(routes) > 90
    assert any(route.paths == {"/login"} for route in routes)
    for route in routes:
        for path in route.paths:
            if not path.startswith(("/api/", "/healthz", "/readyz", "/metrics")):
                assert not route.include_in_schema, f"{path} is a page"
                continue
            described = schema["paths"][re.sub(r":\w+}", "}", path)]
            assert {method.lower() for method in route.http_methods} <= set(described), path


def test_errors_are_problem_details_everywhere(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and path.startswith("/api/"):
                assert "application/problem+json" in answer["content"], (path, method, status)


def test_what_the_edge_answers_is_documented(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        if not path.startswith("/api/") or method == "options":
            continue
        answers = set(operation["responses"])
        assert {"400", "413", "503"} <= answers, (path, method)
        if operation.get("security") != [] and "security" in operation:
            assert {"401", "403"} <= answers, (path, method)
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            assert "415" in answers, (path, method)


def test_headers_that_the_edge_reads_are_documented(schema: dict[str, Any]) -> None:
    change = schema["paths"]["/api/v1/cases/{case_id}"]["patch"]
    create = schema["paths"]["/api/v1/cases"]["post"]
    assert "If-Match" in {p["name"] for p in change["parameters"]}
    assert "Idempotency-Key" in {p["name"] for p in create["parameters"]}


def test_nothing_is_loaded_from_elsewhere(anonymous: TestClient[Any]) -> None:
    for page in ("/schema/swagger", "/schema/redoc", "/schema/elements", "/schema/rapidoc", "/docs"):
        assert anonymous.get(page).status_code == 404
