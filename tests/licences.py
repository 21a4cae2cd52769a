"""Holds every crate that is linked into the binary to deny.toml: its licence and its source.

cargo-deny checks more, and `tests/run` calls it where it is installed; building it takes longer
than all other tests together, so what matters most is checked here with what is at hand.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met with allowed licences alone."""
    # Crates from before SPDX separate alternatives with a slash.
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def alternatives():
        holds = requirements()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            holds |= requirements()
        return holds

    def requirements():
        holds = licence()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            holds &= licence()
        return holds

    def licence():
        token = tokens.pop(0)
        if token == "(":
            holds = alternatives()
            if tokens.pop(0) != ")":
                raise ValueError(expression)
            return holds
        if not re.fullmatch(r"[A-Za-z0-9.+-]+", token):
            raise ValueError(expression)
        if tokens and tokens[0] == "WITH":
            token += f" WITH {tokens[1]}"
            del tokens[:2]
        return token in allowed

    try:
        holds = alternatives()
    except IndexError as error:
        raise ValueError(expression) from error
    if tokens:
        raise ValueError(expression)
    return holds


def check_reader():
    """The reader is small enough to be shown right each time it is used."""
    allowed = {"MIT", "ISC", "A WITH e"}
    for expression, expected in {
        "MIT": True,
        "GPL-3.0": False,
        "GPL-3.0 OR MIT": True,
        "GPL-3.0/MIT": True,
        "GPL-3.0 AND MIT": False,
        "MIT OR GPL-3.0 AND ISC": True,
        "(MIT OR GPL-3.0) AND ISC": True,
        "(MIT OR GPL-3.0) AND BSD-3-Clause": False,
        "A WITH e": True,
        "A WITH f": False,
        "A": False,
    }.items():
        assert is_allowed(expression, allowed) is expected, expression
    for broken in ["", "MIT OR", "(MIT", "MIT)", "MIT ISC"]:
        try:
            is_allowed(broken, allowed)
        except ValueError:
            continue
        raise AssertionError(f"read {broken!r}")


def main():
    check_reader()
    deny = tomllib.loads((ROOT / "deny.toml").read_text())
    licences = set(deny["licenses"]["allow"])
    sources = {f"registry+{url}" for url in deny["sources"]["allow-registry"]}

    def cargo(*arguments):
        return subprocess.run(
            ["cargo", *arguments], cwd=ROOT, check=True, text=True, capture_output=True
        ).stdout

    version = subprocess.run(["rustc", "-vV"], check=True, text=True, capture_output=True)
    host = re.search(r"^host: (.+)$", version.stdout, re.MULTILINE)[1]
    metadata = json.loads(
        cargo("metadata", "--format-version=1", "--locked", f"--filter-platform={host}")
    )

    faults = []
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        expression = package["license"]
        try:
            if expression is None:
                faults.append(f"{name} names no licence")
            elif not is_allowed(expression, licences):
                faults.append(f"{name}: {expression} is not allowed")
        except ValueError:
            faults.append(f"{name}: {expression!r} is no licence expression")
        if package["source"] is not None and package["source"] not in sources:
            faults.append(f"{name} comes from a source that is not allowed")

    print(f"{len(metadata['packages'])} crates, {len(faults)} not as deny.toml asks")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
