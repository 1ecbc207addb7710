"""The documents say what there is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from hiiki.cli import main
from hiiki.settings import Settings

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_the_readme() -> None:
    documented = set(re.findall(r"`HIIKI_([A-Z_]+)`", README))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_the_readme_names_only_commands_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", README, re.M)) <= {
        (name, "") for name in targets
    } | {("", name) for name in targets}
    context = click.Context(main)
    commands = set(main.list_commands(context))
    assert set(re.findall(r"`hiiki ([a-z]+)`", README)) <= commands


@pytest.mark.parametrize(
    "document", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} → {target}"
