"""The API keeps to its own description: no 5xx, no undocumented answer, whatever is sent (schemathesis)."""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from handover.demo.client import Person
from handover.demo.server import Running

EXAMPLES = int(os.environ.get("HANDOVER_FUZZ_EXAMPLES", "10"))
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
#: Bodies that are no JSON have tests of their own; logging out would end the session of all that follow.
_APART = ("/content", "/events", "/uploads", "/imports", "/scans/", "/sessions/current", "/password", "/suspend")


@pytest.mark.timeout(3600)
def test_every_operation_keeps_to_its_description(server: Running, consultant: Person) -> None:
    schema = schemathesis.openapi.from_url(f"{server.address}/schema/openapi.json")
    headers = {"Authorization": consultant.authorization}
    problems: list[str] = []
    seen = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if any(part in operation.path for part in _APART):
            continue
        seen += 1

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def holds(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=30)

        try:
            holds()
        except (FailureGroup, AssertionError) as error:
            problems.append(f"{operation.method} {operation.path}: {str(error)[:600]}")
    assert seen > 60
    assert not problems, "\n\n".join(problems)
