"""The API keeps to its own description: no 5xx, no undocumented answer, whatever is sent (schemathesis)."""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from handover.demo.client import Person
from handover.demo.server import Running

EXAMPLES = int(os.environ.get("HANDOVER_FUZZ_EXAMPLES", "10"))
#: One budget for the whole description; the fuzz target lifts it.
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def description(server: Running) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_url(f"{server.address}/schema/openapi.json")


schema = schemathesis.pytest.from_fixture("description")
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@schema.exclude(path_regex=".*(content|events|uploads|imports|scans).*").parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_to_its_description(case: schemathesis.Case, consultant: Person) -> None:
    headers = {"Authorization": consultant.authorization}
    if case.path.endswith("/sessions/current") and case.method == "DELETE":
        headers = {}
    case.call_and_validate(headers=headers, checks=CHECKS, timeout=30)
