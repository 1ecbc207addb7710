"""Every sentence has its Japanese, with the same gaps, and one Japanese only."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import babel_extract

import hiiki
from hiiki.kit.forms import _SENTENCES
from hiiki.kit.i18n import catalogs

PACKAGE = Path(hiiki.__file__).parent
GAP = re.compile(r"%\((\w+)\)s|%%")
MARKS = {"_", "gettext", "Wrong"}

# Finding all sentences takes seconds: one worker does it, and only when it comes to them.
pytestmark = pytest.mark.xdist_group("translations")


def in_python(path: Path) -> Iterator[str]:
    """Yield every literal sentence in a Python file: of `_`, `ngettext` and `Wrong`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in MARKS and node.args:
            yield from literals(node.args[0])
        elif name == "ngettext" and len(node.args) >= 2:
            yield from literals(node.args[1])


def literals(node: ast.expr) -> Iterator[str]:
    """Yield the sentences in an argument, which may be a choice between two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def in_template(path: Path) -> Iterator[str]:
    """Yield every sentence in a template; of `ngettext` the plural, which carries the Japanese."""
    with path.open("rb") as file:
        options = {"trim_blocks": "1", "lstrip_blocks": "1", "encoding": "utf-8"}
        options["extensions"] = "jinja2.ext.do,jinja2.ext.loopcontrols"
        options["silent"] = "0"
        for _line, function, message, _comments in babel_extract(
            file, ("_", "gettext", "ngettext"), [], options
        ):
            parts = message if isinstance(message, tuple) else (message,)
            said = parts[1] if function == "ngettext" else parts[0]
            if said is not None:  # a variable holds a `Text`, which has been marked elsewhere
                yield said


@cache
def sentences() -> dict[str, list[str]]:
    """Return every sentence of the package, with the files in which it is said."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for sentence in in_python(path):
            found[sentence].append(str(path.relative_to(PACKAGE)))
    for path in sorted(PACKAGE.glob("*/templates/**/*.html")):
        for sentence in in_template(path):
            found[sentence].append(str(path.relative_to(PACKAGE)))
    for sentence in _SENTENCES.values():
        found[sentence].append("kit/forms.py")
    found.pop("", None)
    return found


@cache
def japanese() -> dict[str, dict[str, str]]:
    """Return sentence → room → its Japanese there."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in catalogs("ja"):
        with path.open("rb") as file:
            for message in read_po(file, locale="ja", abort_invalid=True):
                if message.id:
                    assert isinstance(message.id, str), f"{path}: plain entries only: {message.id}"
                    found[message.id][path.parent.parent.name] = str(message.string)
    return found


def test_the_extraction_finds_sentences_in_code_and_in_templates() -> None:
    assert "Please log in." in sentences()
    assert "Log in" in sentences()
    assert "Please enter a number." in sentences()


def test_every_sentence_has_its_japanese() -> None:
    missing = {
        sentence: paths
        for sentence, paths in sentences().items()
        if not any(japanese().get(sentence, {}).values())
    }
    assert not missing, "\n".join(f"{s!r}  ({', '.join(p)})" for s, p in sorted(missing.items()))


def test_the_gaps_are_the_same_in_both_languages() -> None:
    wrong = [
        (sentence, text)
        for sentence, texts in japanese().items()
        for text in texts.values()
        if text and set(GAP.findall(sentence)) - {""} != set(GAP.findall(text)) - {""}
    ]
    assert not wrong


def test_one_sentence_has_one_japanese() -> None:
    several = {
        sentence: texts for sentence, texts in japanese().items() if len(set(texts.values())) > 1
    }
    assert not several


def test_no_translation_is_left_over() -> None:
    spoken = set(sentences())
    left = {
        sentence: list(texts) for sentence, texts in japanese().items() if sentence not in spoken
    }
    assert not left


def test_templates_compile_as_the_console_compiles_them() -> None:
    env = Environment(
        autoescape=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"]
    )
    for path in PACKAGE.glob("*/templates/**/*.html"):
        env.parse(path.read_text(encoding="utf-8"), filename=str(path))
