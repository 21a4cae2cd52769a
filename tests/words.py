"""Checks the vocabulary: reports each banned word of words.toml in names, file names and prose.

    python3 tests/words.py [FILE...]

Without files it reads all of src, crates, templates, docs, README.md and the other pages at the top.
"""

import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READ = ("src/", "crates/", "templates/", "docs/", "README.md", "CONTRIBUTING.md", "SECURITY.md")

RUST = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r'|(?P<raw>b?r(?P<hashes>\#*)".*?"(?P=hashes))'
    r'|(?P<text>b?"(?:\\.|[^"\\])*")'
    r"|(?P<character>b?'(?:\\[^']*|[^'\\])')"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)",
    re.DOTALL,
)
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TAG = re.compile(r"<[^>]*>|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


def parts(name):
    """The words of a name, in lower case: `TokenFilter` and `token_filter` have two."""
    return [part.lower() for part in PART.findall(name)]


def pieces(path, text):
    """Each name and each piece of prose of a file, with its offset."""
    if path.suffix == ".rs":
        for match in RUST.finditer(text):
            kind = match.lastgroup
            if kind == "name":
                yield "names", match.start(), match[0]
            elif kind == "comment":
                yield "prose", match.start(), match[0]
            elif kind in ("raw", "text", "hashes") and " " in match[0]:
                yield "prose", match.start(), match[0]
    elif path.suffix == ".html":
        end = 0
        for tag in TAG.finditer(text):
            yield "prose", end, text[end : tag.start()]
            end = tag.end()
        yield "prose", end, text[end:]
    elif path.suffix == ".md":
        yield "prose", 0, re.sub(r"```.*?```", lambda code: re.sub(r"\S", " ", code[0]), text, flags=re.DOTALL)


class Word:
    """A banned word, and where it is."""

    def __init__(self, entry):
        self.words = entry["words"]
        self.say = entry["say"]
        self.scopes = entry["scopes"]
        self.allowed = entry.get("allowed", [])
        self.files = entry.get("files", [])
        joined = "|".join(re.escape(word) for word in self.words)
        self.pattern = re.compile(rf"(?<![\w/`.-])({joined})(?![\w`/])", re.IGNORECASE)
        self.allowed_prose = re.compile(
            "|".join(re.escape(phrase) for phrase in self.allowed) or r"(?!)", re.IGNORECASE
        )

    def is_allowed_in(self, path):
        return any(fnmatch.fnmatch(path, pattern) for pattern in self.files)

    def find(self, kind, text):
        """The offsets of the word in a name or in prose."""
        if kind not in self.scopes:
            return
        if kind == "prose":
            text = self.allowed_prose.sub(lambda found: " " * len(found[0]), text)
            yield from (found.start() for found in self.pattern.finditer(text))
        elif text not in self.allowed and set(self.words) & set(parts(text)):
            yield 0


def check_reader(words):
    """The reader must see the words that it looks for."""
    probe = 'fn f() { let shelf_list = 1; } // a shelf\nconst TEXT: &str = "the shelf is";\n'
    found = [
        offset
        for kind, offset, text in pieces(Path("probe.rs"), probe)
        for word in words
        for _ in word.find(kind, text)
    ]
    assert len(found) == 3, found


def main(arguments):
    vocabulary = tomllib.loads((ROOT / "tests/words.toml").read_text())
    words = [Word(entry) for entry in vocabulary["word"]]
    check_reader(words)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, text=True, capture_output=True,
    ).stdout.splitlines()
    paths = arguments or [path for path in listed if path.startswith(READ)]
    findings = []
    for path in paths:
        file = ROOT / path
        if file.suffix not in (".rs", ".html", ".md") or not file.exists():
            continue
        if path in vocabulary["quotes"]:
            continue
        stem = file.stem if file.stem != "mod" else file.parent.name
        text = file.read_text()
        for word in words:
            if word.is_allowed_in(path):
                continue
            findings += [(path, 0, stem, word) for _ in word.find("files", stem)]
        for kind, offset, piece in pieces(file, text):
            for word in words:
                if word.is_allowed_in(path):
                    continue
                for at in word.find(kind, piece):
                    line = text.count("\n", 0, offset + at) + 1
                    findings.append((path, line, piece[at : at + 40].split("\n")[0], word))
    for path, line, found, word in findings:
        print(f"{path}:{line}: {found!r}: say {word.say}")
    print(f"{len(paths)} files, {len(findings)} banned words")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
