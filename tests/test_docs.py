"""The code in the README and in the documentation runs as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from torchstn.cli.application import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ .*?\btorchstn (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _blocks(page: Path) -> list[str]:
    """The Python blocks of a page, each on its own lines of the page so that a traceback points there."""
    text = page.read_text()
    found = FENCE.finditer(text)
    return ["\n" * text[: match.start(1)].count("\n") + match[1] for match in found]


@pytest.mark.timeout(900)  # the tutorial trains a network
@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page)], ids=_name)
def test_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for block in _blocks(page):
        exec(compile(block, str(page), "exec"), names)


def _commands() -> list[str]:
    return sorted({line for page in PAGES for line in COMMAND.findall(page.read_text())})


@pytest.mark.parametrize("line", _commands())
def test_a_command_exists_with_its_options(line: str) -> None:
    command, words = typer.main.get_command(app), shlex.split(line)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [
        link for link in LINK.findall(CODE.sub("", page.read_text())) if not (page.parent / link).exists()
    ]
    assert missing == []


def test_the_readme_shows_twelve_lines_of_code_early() -> None:
    (block,) = _blocks(ROOT / "README.md")
    assert len([line for line in block.splitlines() if line]) == 12
    assert len(block) - len(block.lstrip("\n")) < 35
