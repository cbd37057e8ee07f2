"""Takes personal data out of files under a policy, leaves persons out, and checks the bytes that came out.

- `propose_policy(report, purpose) -> Policy`, `default_policy()`, `keep_all()`; a `Policy` decodes from JSON and TOML.
- `redact_isolated(source, name, policy, key, *, sink, selection=None, samples=0, on_sample=…, progress=None) -> RedactionReport`: in a child.
  The output is whole only when it returns. `Selection` (by subject digests) decides whose records go in; counts of the rest are in `report.excluded` by reason.
  `on_sample` takes records for a reviewer: their shape before, their text after.
- `residual_isolated(output, name, policy, *, source, quasi_identifiers=(), progress=None) -> ResidualReport`: `.l4`, `.l3`, `.k`.
- `k_anonymity(rows, quasi_identifiers) -> int`.

`source` and `output` are `sandbox.Source`s.
"""

from handover.masking.isolated import redact_isolated, residual_isolated
from handover.masking.k_anonymity import k_anonymity
from handover.masking.policy import FieldRule, Policy, Purpose, default_policy, keep_all, propose_policy
from handover.masking.report import FieldRedaction, RedactionReport, ResidualReport
from handover.masking.samples import SampledField, SampledRecord
from handover.masking.selection import Selection, SelectionReport

__all__ = [
    "FieldRedaction",
    "FieldRule",
    "Policy",
    "Purpose",
    "RedactionReport",
    "ResidualReport",
    "SampledField",
    "SampledRecord",
    "Selection",
    "SelectionReport",
    "default_policy",
    "k_anonymity",
    "keep_all",
    "propose_policy",
    "redact_isolated",
    "residual_isolated",
]
