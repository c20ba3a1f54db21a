"""Check links, anchors, tables, examples; ``--write`` writes the generated page first."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import configuration

from trimpot.config import config_from
from trimpot.files.yaml_text import parse_yaml

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GROUPS = ("lammps",)
"""Verbs that have verbs of their own."""

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Return every Markdown page of the project."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as repository hosts make them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.M):
        name = re.sub(r"[^\w\- ]", "", heading.lower().strip()).replace(" ", "-")
        count = 0
        while (unique := f"{name}-{count}" if count else name) in found:
            count += 1
        found.add(unique)
    return found


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Yield links to files or headings that do not exist."""
    for link in LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"link to {link}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"link to {link}: no such heading"


def broken_tables(text: str) -> Iterator[str]:
    """Yield tables whose rows differ in their number of cells, and open code blocks."""
    if text.count("\n```") % 2:
        yield "a code block is not closed"
    width = 0
    for line in FENCE.sub("", text).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        if cells and width and cells != width:
            yield f"table row with {cells - 1} cells, expected {width - 1}: {line[:60]}"
        width = cells


def broken_examples(text: str) -> Iterator[str]:
    """Yield Python that does not compile, wrong configurations and unknown verbs."""
    for language, code in FENCE.findall(text):
        try:
            if language == "python":
                compile(code, "example", "exec")
            elif language == "yaml":
                config_from({"data": {"path": "x"}, **parse_yaml(code, "example")})
        except (SyntaxError, ValueError) as error:
            yield f"{language} example: {error}"
        if language == "sh":
            yield from broken_commands(code)


def broken_commands(code: str) -> Iterator[str]:
    """Yield ``trimpot`` commands whose verb or options do not exist."""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["trimpot"]:
            continue
        if "--" in words:  # what follows is for another program
            words = words[: words.index("--")]
        verb = " ".join(words[1:3] if words[1] in GROUPS else words[1:2])
        shown = help_of(verb)
        known = {word.strip(",") for word in shown.split()}
        yield from () if shown else (f"`{line}`: no verb {verb}",)
        yield from (
            f"`{line}`: no option {w}" for w in words if w[0] == "-" and w not in known
        )


def help_of(verb: str, seen: dict[str, str] = {}) -> str:  # noqa: B006 - a cache
    """Return the help text of a verb, empty if there is none."""
    if verb not in seen:
        program = str(Path(sys.executable).with_name("trimpot"))
        command = [program, *verb.split(), "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seen[verb] = done.stdout if done.returncode == 0 else ""
    return seen[verb]


def main() -> int:
    """Print all problems; return 1 if there are any."""
    if "--write" in sys.argv:
        configuration.PAGE.write_text(configuration.page(), "utf-8")
    problems = []
    for page in pages():
        text = page.read_text("utf-8")
        for found in (broken_links(page, text), broken_tables(text), broken_examples(text)):
            problems += [f"{page.relative_to(ROOT)}: {problem}" for problem in found]
    written = configuration.PAGE
    if not written.is_file() or written.read_text("utf-8") != configuration.page():
        problems.append(f"{written.relative_to(ROOT)} is old: python docs/check.py --write")
    sys.stdout.writelines(f"{line}\n" for line in problems)
    sys.stdout.write(f"{len(pages())} pages, {len(problems)} problems\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
