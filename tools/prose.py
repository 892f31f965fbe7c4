"""Checks that code, messages and documents are written in plain technical English: `python -m tools.prose`.

Each rule is an idiom that a reader has to read twice, and the words to use. It is searched in the documents, in the
templates and in Python's docstrings, comments, texts and names. A line that must quote an idiom ends with `prose: ok`.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROSE = (".py", ".md", ".j2", ".toml", ".css")
# The glossary names the idioms, and the change log quotes old messages.
EXEMPT = ("tools/prose.py", "CHANGELOG.md", "docs/glossary.md")

# In sentences: a pattern, and what to write.
IDIOMS = {
    r"\bsaid\b": "name the thing: the text, the data, the value",
    r"\btold\b": "name the thing: the configuration, the message, the log",
    r"\bwhoever\b": "name the person: the user, the caller",
    r"\b(what|where)ever\b(?! possible)": "name the cases: each, any, all",
    r"(?<!there )\b(is|are|was|were|be) no (?!(longer|more|less|later|way|need|such|other|reason)\b)\w": "is not a …",
    r"\bof which\b": "make two sentences, or use `whose`",
    r"\b(came|comes|come) (to|of)\b(?! (the|a|an|light)\b)": "name the result",
    r"\bwhat (came|becomes|became) of\b": "the outcome of",
    r"\bas (it|they) stands?\b": "as it is, unchanged",
    r"\bstands? (there|here|in|at|for|on|beside|behind)\b": "is, lies, means",
    r"\bat work\b": "running",
    r"\b(no|some|any)body\b": "no one; better: name the user",
    r"\banew\b": "again",
    r"\b(held|hold|holds|holding) (\w+ ){0,3}against\b": "compare with, check against",
    r"\bbut for\b": "except",
    r"\bshall\b": "must, will",
    r"\bas it was committed\b": "unchanged since it was committed",
    r"\bnothing but\b": "only",
    r"\bby hand\b": "manually, written in the test",
    r"\bnot so\b": "name the difference",
    r"\bever after\b": "from then on",
    r"\bmay not\b(?! exist)": "must not, or might not",
    r"\bdoes without\b": "does not need",
    r"\blooked? neither\b": "name what is skipped",
    r"\bheld out\b": "the test set, or the validation rows",
    r"\bfor want of\b": "because there is no",
    r"\bso many\b": "the number",
    r"\blet(s)? (it|them|this|that|the \w+) (serve|know|be)\b": "promote, tell, leave",
}
# In names: parts of identifiers between underscores.
NAMES = {"said", "told", "words", "whoever", "lack", "settled", "oddities"}


def main() -> int:
    """Prints every match with its place. Returns: 1 if there is one."""
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    files = [name for name in listed.split() if name.endswith(PROSE) and name not in EXEMPT]
    chosen = [name for name in files if not sys.argv[1:] or name.startswith(tuple(sys.argv[1:]))]
    found = [
        hit
        for name in sorted(chosen)
        if (ROOT / name).exists()
        for hit in check(name, (ROOT / name).read_text("utf-8"))
    ]
    print("\n".join(found))
    print(f"{len(found)} idioms in {len(chosen)} files")
    return int(bool(found))


def check(name: str, text: str) -> Iterator[str]:
    """Each match in a file, as `file:line: match: advice`.

    Args:
        name: the file's name; its ending decides what is searched.
        text: its content.
    """
    quoted = {number for number, line in enumerate(text.splitlines(), start=1) if "prose: ok" in line}
    sentences = _python(text) if name.endswith(".py") else [(1, _without_code(text))]
    for first, part in sentences:
        for idiom, advice in IDIOMS.items():
            for match in re.finditer(idiom, part, re.IGNORECASE):
                line = first + part.count("\n", 0, match.start())
                if line not in quoted:
                    yield f"{name}:{line}: {' '.join(match.group().split())}: {advice}"
    if name.endswith(".py"):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and NAMES & set(token.string.split("_")) and token.start[0] not in quoted:
                yield f"{name}:{token.start[0]}: name {token.string}: name the thing itself"


def _python(text: str) -> Iterator[tuple[int, str]]:
    """The comments and texts of a module, with their first lines; neighbouring comments are one text."""
    comment: list[str] = []
    begins = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if comment and token.start[0] != begins + len(comment):
                yield begins, "\n".join(comment)
                comment = []
            begins = begins if comment else token.start[0]
            comment.append(token.string.lstrip("# "))
        elif token.type == tokenize.STRING or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            yield token.start[0], token.string
    if comment:
        yield begins, "\n".join(comment)


def _without_code(text: str) -> str:
    """Markdown without its code blocks and code spans; the lines stay where they are."""
    text = re.sub(r"^```.*?^```", lambda block: "\n" * block.group().count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


if __name__ == "__main__":
    sys.exit(main())
