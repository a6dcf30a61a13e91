"""The code in the README and in the documentation runs as it stands there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _blocks(page: Path) -> list[str]:
    """The Python blocks of a page, each on its own lines of the page so that a traceback points there."""
    text = page.read_text()
    found = FENCE.finditer(text)
    return ["\n" * text[: match.start(1)].count("\n") + match[1] for match in found]


@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page)], ids=_name)
def test_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for block in _blocks(page):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_the_readme_shows_twelve_lines_of_code_early() -> None:
    (block,) = _blocks(ROOT / "README.md")
    assert len([line for line in block.splitlines() if line]) == 12
    assert block.count("\n") - block.strip().count("\n") < 35
