"""What the documents say is what the code does."""

import re
import tomllib
from itertools import chain
from pathlib import Path

from handover.resources import data_folder
from handover.settings import Policy, Settings
from handover.workflow.definition import read
from handover.workflow.loader import diagram

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_and_policy_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for name in Settings.NAMES:
        assert f"`HANDOVER_{name}`" in text
    for name in Policy.__struct_fields__:
        assert f"| `{name.upper()}` | {getattr(Policy(), name)} |" in text


def test_every_direct_dependency_is_named_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = [
        *project["project"]["dependencies"],
        *chain.from_iterable(project["project"]["optional-dependencies"].values()),
        *project["dependency-groups"]["dev"],
    ]
    readme = (ROOT / "README.md").read_text()
    names = {re.split(r"[\[><=]", entry)[0] for entry in listed}
    assert [name for name in sorted(names) if not re.search(rf"\| .*\b{re.escape(name)}\b.* \|", readme)] == []


def test_the_drawn_workflows_are_the_ones_that_run() -> None:
    text = (ROOT / "docs" / "workflows.md").read_text()
    files = sorted(data_folder("workflows").glob("*.toml"))
    assert len(files) == 9
    for path in files:
        assert diagram(read(path).definition) in text


def test_every_fact_on_a_document_has_a_label_in_both_languages() -> None:
    labels = tomllib.loads((data_folder("templates") / "documents" / "labels.toml").read_text())
    used = set()
    for path in (ROOT / "handover" / "attestations" / "kinds").glob("[a-z]*.py"):
        used |= set(re.findall(r'^\s+"([a-z0-9_]+)": ', path.read_text(), flags=re.MULTILINE))
    assert [name for name in sorted(used - {"zh", "en"}) if name not in labels] == []
