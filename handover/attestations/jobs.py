"""Background work of attestations: one job issues one document."""

import uuid

from handover.attestations.service import prepare, store
from handover.documents.issue import issue
from handover.jobs import JobHandler, JobRun
from handover.settings import Settings
from handover.vault.signers import Signers


def _issue(run: JobRun) -> None:
    kind, entity_id = run.arguments["document"], run.entity_id
    with run.unit_of_work() as ctx:
        prepared = prepare(ctx, kind, entity_id)
    if prepared is None:
        return
    document, gathered = prepared
    installation = run.installation
    issued = issue(document, installation.get(Signers).pdf, tsa_url=installation.get(Settings).tsa_url)
    with run.finish() as ctx:
        store(ctx, document, gathered, issued, entity_id, run.case_id or uuid.UUID(int=0))


JOBS = {"attestations.issue": JobHandler(_issue)}
