#!/usr/bin/env python3
"""Verifies an export of the audit log without Doorcode, with Python's standard library alone.

    verify.py EXPORT [--checkpoints FILE] [--key VKEY]... [--use FILE]

Prints the number of records, the hash of the last one, and unrecorded erasures; or the first
discrepancy, with exit status 1. With --use it also verifies a use of a token, as
GET /v1/audit/uses/{id} returns it with its proof, against the root in the export. The format is
specified in docs/reference/audit-format.md.
"""

import argparse
import base64
import hashlib
import json
import re
import sys

FIELDS = set(
    "user_id action actor_id actor_kind address agent at client_id detail id method"
    " organization_id outcome request_id sequence target token_id".split()
)
PERSONAL = ("address", "agent"), ("device_name", "token_name")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HASH = re.compile(r"[0-9a-f]{64}")
SALT = re.compile(r"[0-9a-f]{32}")
ERASED = re.compile(r"sha256:[0-9a-f]{64}")


class Discrepancy(Exception):
    """A difference between the log and its seals, signatures or proofs."""


def require(holds, why):
    if not holds:
        raise Discrepancy(why)


# --- Lines ------------------------------------------------------------------------------


def canonical(document):
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def refuse_number(text):
    raise ValueError(f"not an integer: {text}")


def read(line):
    """A line as a document, if it is the canonical form of one."""
    try:
        document = json.loads(line, parse_float=refuse_number, parse_constant=refuse_number)
        is_canonical = isinstance(document, dict) and canonical(document) == line
    except (ValueError, RecursionError):
        is_canonical = False
    require(is_canonical, "it is not canonical JSON")
    return document


def record_hash(record, previous):
    domain = b"doorcode audit record v1\n"
    return hashlib.sha256(domain + canonical(record) + b"\n" + previous.encode()).hexdigest()


def personal(record):
    """The personal texts of a record: the object that contains each, and its key."""
    of_request, chosen = PERSONAL
    for key in of_request:
        if isinstance(record.get(key), str):
            yield record, key
    yield from texts(record["detail"], chosen)


def texts(part, keys):
    """The texts with one of these keys, in objects of objects and lists of objects too."""
    for key, value in list(part.items()):
        if isinstance(value, str) and key in keys:
            yield part, key
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from texts(inner, keys)


def hide(record, salt):
    """Puts pseudonyms where the hash covers nothing else."""
    texts = list(personal(record))
    is_salt = isinstance(salt, str) and SALT.fullmatch(salt)
    require(texts and is_salt, "its salt is none, or hides nothing")
    for part, key in texts:
        domain = b"doorcode audit personal v1\n"
        hidden = hashlib.sha256(domain + salt.encode() + b"\n" + part[key].encode())
        part[key] = "sha256:" + hidden.hexdigest()


def named(record, keys, origin):
    """The ranges of records that it says were erased; none, if no known key has signed that."""
    records, note = record["detail"].get("records"), record["detail"].get("note")
    if record["action"] != "audit.erased" or not isinstance(records, str):
        return
    if keys and not is_signed(note, [origin, record["target"], records, "erased"], keys):
        return
    for words in records.split(" "):
        match = re.fullmatch(r"([0-9]{1,20})(?:-([0-9]{1,20}))?", words)
        if match:
            yield int(match[1]), int(match[2] or match[1])


def genesis(origin):
    return hashlib.sha256(b"doorcode audit genesis v1\n" + origin.encode()).hexdigest()


# --- Ed25519 (RFC 8032, section 5.1) -----------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(p, q):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = p, q
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def point(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (sign and not x):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def has_signed(key, text, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = point(key), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % ORDER
    (x1, y1, z1, _), (x2, y2, z2, _) = multiply(s, BASE), add(r, multiply(k, a))
    return (x1 * z2 - x2 * z1) % P == 0 and (y1 * z2 - y2 * z1) % P == 0


# --- Signed statements -----------------------------------------------------------------------


def read_key(text):
    """A verifier key as (name, id) and the 32 bytes of the key."""
    name, key_id, encoded = text.split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if key[:1] != b"\x01" or len(key) != 33 or key_id != expected.hex():
        raise argparse.ArgumentTypeError("this is not a verifier key")
    return (name, expected), key[1:]


def check_signatures(text, signatures, keys):
    """Requires a signature by a known key with the name of the log, and no invalid one of any."""
    known, origin = 0, text.split("\n")[0]
    for line in signatures.split("\n"):
        match = re.fullmatch(r"— (\S+) (\S+)", line)
        require(match, "it has no signature")
        signature = base64.b64decode(match[2], validate=True)
        key = keys.get((match[1], signature[:4]))
        if key:
            is_whole = has_signed(key, text.encode(), signature[4:])
            require(is_whole, "its signature does not fit its text")
            known += match[1] == origin
    require(known, "no known key has signed it")


def is_signed(note, lines, keys):
    """Whether a note is the statement of these lines, and a known key has signed it."""
    if not all(isinstance(line, str) for line in [note, *lines]):
        return False
    text = "".join(line + "\n" for line in lines)
    if not note.startswith(text + "\n") or note[-1] != "\n":
        return False
    try:
        check_signatures(text, note[len(text) + 1 : -1], keys)
    except (Discrepancy, ValueError):
        return False
    return True


def read_checkpoints(path, keys, origin):
    """The checkpoints of a file as (sequence, hash), in the order of sequences."""
    with open(path, encoding="utf-8", newline="") as file:
        parts = re.split(r"\n\n+", file.read().strip("\n"))
    last, checkpoints = 0, set()
    for text, signatures in zip(parts[::2], parts[1::2] + [""]):
        where = f"the checkpoint after that of record {last}: "
        require(text, where + "it is empty")
        try:
            check_signatures(text + "\n", signatures, keys)
        except Discrepancy as discrepancy:
            raise Discrepancy(f"{where}{discrepancy}") from None
        lines = text.split("\n")
        is_checkpoint = len(lines) == 5 and lines[4] == "checkpoint"
        require(is_checkpoint and re.fullmatch(r"0|[1-9]\d*", lines[1]), where + "it is none")
        require(lines[0] == origin, where + "it is of another log")
        require(MOMENT.fullmatch(lines[3]), where + "it has no moment")
        last = int(lines[1])
        checkpoints.add((last, base64.b64decode(lines[2], validate=True).hex()))
    return iter(sorted(checkpoints))


# --- The log ----------------------------------------------------------------------------


def verify(file, checkpoints_of, keys):
    """How many records there are, behind which they begin, the last one's number and hash, and
    the first that was erased without a word."""
    header = read(file.readline().removesuffix(b"\n"))
    require(header.get("doorcode_audit") == 1, "line 1: it is no header of an export")
    origin = header["origin"]
    is_filtered = header == {"doorcode_audit": 1, "filtered": True, "origin": origin}
    if is_filtered:
        sequence, head = 0, genesis(origin)
    else:
        sequence, head = header["from"] - 1, header["previous"]
        require(len(header) == 4 and sequence >= 0, "line 1: it is no header of an export")
        require(sequence or head == genesis(origin), "line 1: the log begins with another hash")

    start = sequence
    checkpoints = checkpoints_of(origin)
    checkpoint = next(checkpoints, None)

    def compare(sequence, head):
        nonlocal checkpoint
        while checkpoint and checkpoint[0] <= sequence:
            agrees = checkpoint[0] < sequence or checkpoint[1] == head
            require(agrees, f"record {sequence}: the checkpoint over it names another hash")
            checkpoint = next(checkpoints, None)

    compare(sequence, head)
    count, erased = 0, set()
    for count, line in enumerate(file, 1):
        try:
            record = read(line.removesuffix(b"\n"))
            claimed = record.pop("hash", "")
            previous = record.pop("previous", "") if is_filtered else head
            is_salted = "salt" in record
            salt = record.pop("salt", None)
            require(record.keys() == FIELDS, "it has not the fields of a record")
            require(isinstance(record["detail"], dict), "its detail is none")
            if is_salted:
                hide(record, salt)
            elif any(ERASED.fullmatch(part[key]) for part, key in personal(record)):
                erased.add(record["sequence"])
            require(MOMENT.fullmatch(record["at"]), "its moment is none")
            number = record["sequence"]
            require(type(number) is int, "its number is none")
            if is_filtered:
                require(number > sequence, f"its number {number} does not rise")
                if number == sequence + 1:
                    require(previous == head, "it was sealed behind another record")
            else:
                require(number == sequence + 1, f"its number is {number}, not {sequence + 1}")
            hashes = [claimed, previous]
            require(all(HASH.fullmatch(str(text)) for text in hashes), "its hash is none")
            require(record_hash(record, previous) == claimed, "its hash is another")
            for first, last in named(record, keys, origin):
                erased -= {number for number in erased if first <= number <= last}
        except Discrepancy as discrepancy:
            raise Discrepancy(f"line {count + 1}, after record {sequence}: {discrepancy}") from None
        compare(number - 1, previous)
        compare(number, claimed)
        sequence, head = number, claimed
    if checkpoint and not is_filtered:
        raise Discrepancy(f"the log ends at record {sequence}, a checkpoint knows {checkpoint[0]}")
    return count, start, sequence, head, None if is_filtered else min(erased, default=None)


# --- Uses of tokens (RFC 9162, section 2.1.3.2) -------------------------------------------


def climb(leaf, index, size, path):
    """The root to which a path leads from a leaf."""
    require(0 <= index < size, "its proof is none")
    last = size - 1
    for sibling in map(bytes.fromhex, path):
        require(last, "its proof is too long")
        while index == last and index % 2 == 0:
            index, last = index // 2, last // 2
        pair = sibling + leaf if index % 2 else leaf + sibling
        leaf, index, last = hashlib.sha256(b"\1" + pair).digest(), index // 2, last // 2
    require(last == 0, "its proof is too short")
    return leaf.hex()


def verify_use(text, file):
    """Verifies that the proof of a use leads to the root in the record that it names."""
    proven = json.loads(text)
    used = {key: value for key, value in proven["use"].items() if key != "id"}
    leaf = hashlib.sha256(b"\0" + canonical(used)).digest()
    proof, number = proven["proof"], proven["sequence"]
    root = climb(leaf, proof["index"], proof["size"], proof["path"])
    for record in map(json.loads, file):
        if record.get("sequence") == number:
            detail = record["detail"]
            recorded = record["action"], detail.get("root"), detail.get("count")
            expected = "token.uses_recorded", root, proof["size"]
            require(recorded == expected, f"the use is not among those of record {number}")
            return f"the use is among those of record {number}"
    raise Discrepancy(f"the use is said to be of record {number}, which is not in this copy")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export")
    parser.add_argument("--checkpoints")
    parser.add_argument("--key", action="append", default=[], type=read_key)
    parser.add_argument("--use", type=argparse.FileType(encoding="utf-8"))
    arguments = parser.parse_args()
    path, keys = arguments.checkpoints, dict(arguments.key)
    if path and not keys:
        parser.error("--checkpoints needs a --key")

    def checkpoints_of(origin):
        return read_checkpoints(path, keys, origin) if path else iter(())

    try:
        with open(arguments.export, "rb") as file:
            count, start, sequence, head, erased = verify(file, checkpoints_of, keys)
            file.seek(0)
            proven = arguments.use and verify_use(arguments.use.read(), file)
    except (Discrepancy, KeyError, TypeError, ValueError) as discrepancy:
        print(f"does not fit: {discrepancy}")
        return 1
    print(f"{count} records fit, the last is {sequence} with hash {head}")
    if start:
        print(f"the copy begins behind record {start}")
    if erased is not None:
        print(f"record {erased} was erased, and nothing that counts in this copy says so")
    if proven:
        print(proven)
    return 0


if __name__ == "__main__":
    sys.exit(main())
