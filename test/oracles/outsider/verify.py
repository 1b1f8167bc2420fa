#!/usr/bin/env python3
"""A second verifier of vaults and proofs, so that nobody has to believe the first one.

Written from docs/format.md and the documents it names (RFC 6962, 7516, 8032, 8785; C2SP tlog-tiles, tlog-checkpoint, signed-note,
tlog-proof), sharing no line with the program that writes vaults. It needs Python 3.10 and nothing else: Ed25519 is below. It reads,
never writes, and takes every byte it reads for an adversary's.

    verify.py <vault folder> [--vkey <key>]       one finding a line: code, object, detail; then `size` and `root`
    verify.py proof <proof file> [--vkey <key>]   the same for a proof; then `index`, `size` and `root`
    verify.py --batch                             requests as JSON lines on stdin, one answer a line: {"folder" or "proof":…, "vkey":…}

Exit: 0 clean, 1 findings, 2 could not. Without a key given, a vault or a proof is only held against the keys it brings along.
"""

import base64
import binascii
import datetime
import functools
import hashlib
import json
import os
import re
import stat
import sys

# --- Ed25519, RFC 8032 ------------------------------------------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add_points(a, b):
    """Adds points in extended coordinates (section 5.1.4)."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    p, q, r, s = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P, 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = q - p, s - r, s + r, q + p
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def decode_point(encoded):
    """The point of 32 bytes (section 5.1.3), or None: a y of p or more, or no point of the curve, is refused."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P != 0:
        x = x * SQRT_MINUS_1 % P
        if (v * x * x - u) % P != 0:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


# A batch asks for the same few signatures again and again.
@functools.lru_cache(maxsize=4096)
def ed25519_verify(public_key, message, signature):
    """Whether `signature` (64 bytes) is that of `public_key` (32 bytes) over `message`: section 5.1.7, without the cofactor."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, r, s = decode_point(public_key), decode_point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    # s·B - k·A, both at once, must be R.
    minus_key = (-key[0] % P, key[1], 1, -key[3] % P)
    both, sum_ = add_points(BASE, minus_key), NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        sum_ = add_points(sum_, sum_)
        which = (s >> bit & 1, k >> bit & 1)
        if which != (0, 0):
            sum_ = add_points(sum_, {(1, 0): BASE, (0, 1): minus_key, (1, 1): both}[which])
    return (sum_[0] - r[0] * sum_[2]) % P == 0 and (sum_[1] - r[1] * sum_[2]) % P == 0


# RFC 8032 section 7.1: TEST 1, 2, 3 and TEST SHA(abc) as public key, message, signature.
ED25519_VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


def self_test():
    """Whether Ed25519 as it is here accepts the vectors, and refuses each with one bit changed, or with S + L for S."""
    for key, message, signature in ((bytes.fromhex(part) for part in vector) for vector in ED25519_VECTORS):
        bit = bytes(63) + b"\x01"
        large_s = signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
        refused = [
            (key, message + b"\0", signature),
            (key, message, bytes(a ^ b for a, b in zip(signature, bit))),
            (key, message, bytes(a ^ b for a, b in zip(signature, bit[::-1]))),
            (key[:-1] + bytes([key[-1] ^ 0x80]), message, signature),
            (key, message, large_s),
        ]
        if not ed25519_verify(key, message, signature) or any(ed25519_verify(*bad) for bad in refused):
            return False
    return True


# --- RFC 6962 ---------------------------------------------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(entry):
    return sha256(b"\x00" + entry)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


class Tree:
    """The complete subtrees of a growing tree, largest first: enough for the root after any number of leaves."""

    def __init__(self):
        self.size, self.subtrees = 0, []

    def append(self, leaf):
        subtree, n = leaf, self.size
        while n & 1:
            subtree, n = node_hash(self.subtrees.pop(), subtree), n >> 1
        self.subtrees.append(subtree)
        self.size += 1

    def root(self):
        if not self.subtrees:
            return sha256(b"")
        return functools.reduce(lambda right, left: node_hash(left, right), reversed(self.subtrees))


def root_of(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def root_by_path(leaf, index, size, path):
    """The root an inclusion path leads to, or None where it has the wrong length (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return None
    node, at, last = leaf, index, size - 1
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


# --- Texts ------------------------------------------------------------------------------------------------------------------------


class Malformed(Exception):
    """What was read is not of the format; the message says in which way."""


def unbase64(text, url=False):
    """The bytes of base64 (base64url where `url`) in its one spelling."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*" if url else r"[A-Za-z0-9+/]*={0,2}", text):
        raise Malformed("is not base64")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True) if url else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("is not base64") from None
    if (base64.urlsafe_b64encode(data).rstrip(b"=") if url else base64.b64encode(data)) != text.encode():
        raise Malformed("is another spelling of base64")
    return data


def parse_json(data):
    """JSON of UTF-8 without doubled names, non-integers, or texts that are no Unicode."""

    def refuse(what):
        raise Malformed(f"holds {what}, which is no number of this format")

    def members(pairs):
        value = dict(pairs)
        if len(value) != len(pairs):
            raise Malformed("has a member twice")
        return value

    try:
        value = json.loads(data.decode(), object_pairs_hook=members, parse_float=refuse, parse_constant=refuse)
        canonical_json(value)  # lone surrogates, which the parser lets pass, are not encodable
    except (ValueError, RecursionError):
        raise Malformed("is not JSON in UTF-8") from None
    return value


SHORT_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def canonical_json(value):
    """RFC 8785, of what this format has: objects, arrays, strings, integers, true, false, null."""

    def text(string):
        return '"' + re.sub(r'[\x00-\x1f"\\]', lambda c: SHORT_ESCAPES.get(c[0]) or f"\\u{ord(c[0]):04x}", string) + '"'

    def write(value):
        if isinstance(value, dict):
            return "{" + ",".join(f"{text(name)}:{write(value[name])}" for name in sorted(value, key=utf16)) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(write, value)) + "]"
        if isinstance(value, str):
            return text(value)
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: "null"}[value]
        return str(value)

    return write(value).encode()


def utf16(text):
    return text.encode("utf-16-be")


def parse_decimal(text):
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", text) or int(text) >= 2**53:
        raise Malformed("states a number that is not a decimal below 2^53 without leading zeroes")
    return int(text)


# --- Keys, notes, checkpoints -----------------------------------------------------------------------------------------------------

KEY_NAME = re.compile(r"[^\s+]+")
MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000
MAX_KEYS = 366


class Key:
    def __init__(self, line):
        """Reads `<origin>+<key id>+<base64(0x01 ‖ public key)>`."""
        parts = line.split("+", 2)
        if len(parts) != 3 or not KEY_NAME.fullmatch(parts[0]) or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
            raise Malformed("is not a verifier key")
        self.line, self.name, self.id = line, parts[0], bytes.fromhex(parts[1])
        typed = unbase64(parts[2])
        if len(typed) != 33 or typed[0] != 1:
            raise Malformed("is not an Ed25519 key")
        if sha256(self.name.encode() + b"\n" + typed)[:4] != self.id:
            raise Malformed("has another key id than its key")
        self.public_key = typed[1:]


def parse_signature(line):
    """Name, key id and signature of a note's signature line."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not KEY_NAME.fullmatch(parts[1]):
        raise Malformed("has a line that is no signature")
    signed = unbase64(parts[2])
    if len(signed) < 5:
        raise Malformed("has a signature without bytes")
    return parts[1], signed[:4], signed[4:]


def decode_note_text(data):
    if len(data) > MAX_NOTE_BYTES:
        raise Malformed(f"has more than {MAX_NOTE_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Malformed("is not UTF-8") from None
    if any(char < " " and char != "\n" for char in text):
        raise Malformed("has a control character")
    return text


def parse_vkeys(data):
    """The keys of `log.vkeys`, oldest first, each vouched for by the one before."""
    lines = decode_note_text(data).split("\n")
    if lines.pop() != "" or len(lines) % 3 != 1 or len(lines) > 3 * MAX_KEYS:
        raise Malformed("is not a first key and then a note for each later one")
    keys = [Key(lines[0])]
    for at in range(1, len(lines), 3):
        key, (name, key_id, signature) = Key(lines[at]), parse_signature(lines[at + 2])
        by = keys[-1]
        if lines[at + 1] != "" or (name, key_id) != (by.name, by.id) or not ed25519_verify(by.public_key, f"{key.line}\n".encode(), signature):
            raise Malformed(f"has a key {at // 3 + 2} that the key before does not vouch for")
        if key.name != by.name or any(key.public_key == known.public_key for known in keys):
            raise Malformed(f"has a key {at // 3 + 2} of another name, or twice")
        keys.append(key)
    return keys


class Checkpoint:
    def __init__(self, data):
        """Reads origin, size, root and signatures; believes none of them."""
        note = decode_note_text(data)
        end = note.rfind("\n\n")
        if end < 0 or not note.endswith("\n"):
            raise Malformed("is not a signed note")
        self.text = note[: end + 1]
        signatures = note[end + 2 :].split("\n")[:-1]
        lines = self.text.split("\n")[:-1]
        if not 1 <= len(signatures) <= MAX_SIGNATURES or len(lines) != 3 or not lines[0]:
            raise Malformed("is not origin, size and root with a signature")
        self.origin, self.size, self.root = lines[0], parse_decimal(lines[1]), unbase64(lines[2])
        if len(self.root) != 32:
            raise Malformed("has a root that is not 32 bytes")
        self.signatures = [parse_signature(line) for line in signatures]

    def signer(self, keys):
        """Index of the newest of `keys` that signed; None if none of them did. A signature that names one of them and is not its, is Malformed."""
        newest = None
        for name, key_id, signature in self.signatures:
            for index, key in enumerate(keys):
                if (name, key_id) == (key.name, key.id):
                    if not ed25519_verify(key.public_key, self.text.encode(), signature):
                        raise Malformed("names a key of the log as its signer, but the signature is not that key's")
                    newest = index if newest is None else max(newest, index)
        return newest


# --- Entries ----------------------------------------------------------------------------------------------------------------------


def split_entries(data):
    """The entries of a bundle or segment."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise Malformed(f"breaks off at byte {at}")
        if len(entries) == 65536:
            raise Malformed("has more than 65,536 entries")
        entries.append(data[at + 2 : end])
        at = end
    return entries


HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
JWE_HEADER = re.compile(rb'\{"alg":"dir","enc":"A256GCM","kid":"[1-9][0-9]{0,8}"\}')
SOURCE_OF_OURS = re.compile(r"(late|none|sha256):")
OBJECT_NAME = re.compile(r"(blob|snapshot|report)/[A-Za-z0-9_./-]{1,200}")


def check_jwe(text):
    parts = text.split(".")
    if len(parts) != 5 or parts[1]:
        raise Malformed("has an image that is not JWE compact without an encrypted key")
    header, _, iv, ciphertext, tag = (unbase64(part, url=True) for part in parts)
    if not JWE_HEADER.fullmatch(header) or len(iv) != 12 or len(tag) != 16 or len(ciphertext) < 32:
        raise Malformed("has an image with another JWE header, IV or tag than the format's")


def is_time(text):
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", text):
        return False
    try:
        # The calendar repeats every 400 years; the library has no year 0.
        datetime.datetime.fromisoformat(f"{int(text[:4]) % 400 + 400:04d}{text[4:-1]}")
    except ValueError:
        return False
    return True


def is_32_bytes(text):
    return len(text) == 43 and len(unbase64(text, url=True)) == 32


ENTRY_MEMBERS = {
    "v": lambda v: type(v) is int and v == 1,
    "op": lambda v: v in ("put", "remove"),
    "kind": lambda v: isinstance(v, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,39}", v),
    "id": lambda v: isinstance(v, str) and is_32_bytes(v),
    "rev": lambda v: type(v) is int and 0 <= v < 2**53,
    "at": lambda v: isinstance(v, str) and is_time(v),
    "subject": lambda v: isinstance(v, str) and re.fullmatch(r"[A-Za-z0-9_-]{16,64}", v),
    "src": lambda v: isinstance(v, str) and is_source(v),
    "commit": lambda v: isinstance(v, str) and is_32_bytes(v),
    "image": lambda v: isinstance(v, str),
    "blob": lambda v: isinstance(v, str) and HEX_SHA256.fullmatch(v),
    "objects": lambda v: isinstance(v, list) and 1 <= len(v) <= 100 and all(map(is_object, v)),
}
ALWAYS = {"v", "op", "kind", "id", "rev", "at", "subject", "src"}


def is_source(text):
    if form := SOURCE_OF_OURS.match(text):
        return HEX_SHA256.fullmatch(text, form.end())
    return re.fullmatch(r"[!-~]{1,128}", text)


def is_object(value):
    if not isinstance(value, dict) or set(value) != {"name", "sha256"} or not all(isinstance(part, str) for part in value.values()):
        return False
    name = value["name"]
    if name.startswith("blob/") and name[5:] != value["sha256"]:
        return False
    return bool(HEX_SHA256.fullmatch(value["sha256"]) and OBJECT_NAME.fullmatch(name) and "//" not in name and ".." not in name)


# In a batch of damaged copies of one vault nearly all entries are those of the last.
@functools.lru_cache(maxsize=4096)
def parse_entry(data):
    """An entry (not to be changed), or Malformed."""
    entry = parse_json(data)
    if not isinstance(entry, dict) or canonical_json(entry) != data:
        raise Malformed("is not canonical JSON")
    for name, value in entry.items():
        if name not in ENTRY_MEMBERS or not ENTRY_MEMBERS[name](value):
            raise Malformed(f"has a member {name!a} that is unknown or malformed")
    required = ALWAYS | ({"commit", "blob" if "blob" in entry else "image"} if entry.get("op") == "put" else set())
    if set(entry) - {"objects"} != required:
        raise Malformed("does not have exactly the members of its op")
    if entry["kind"] == "raw" and (entry["op"], entry["rev"]) != ("put", 0):
        raise Malformed("is raw, but not put with revision 0")
    if "image" in entry:
        check_jwe(entry["image"])
    return entry


# --- Snapshots --------------------------------------------------------------------------------------------------------------------

SNAPSHOT_NAME = re.compile(r"snapshot/(0|[1-9][0-9]{0,15})/(manifest|[0-9]{6})-([0-9a-f]{64})")
MAX_PART_BYTES = 8_388_608
ROW_HEAD = 8


class NewerFormat(Exception):
    pass


def parse_snapshot_name(name):
    """Size, number (None of a manifest) and hex hash, or None."""
    match = SNAPSHOT_NAME.fullmatch(name)
    if not match or int(match[1]) >= 2**53:
        return None
    return int(match[1]), None if match[2] == "manifest" else int(match[2]), match[3]


def is_count(value):
    return type(value) is int and 0 <= value < 2**53


def is_root(value):
    try:
        return isinstance(value, str) and len(unbase64(value)) == 32
    except Malformed:
        return False


MANIFEST_MEMBERS = {
    "v": is_count,
    "kind": lambda v: v == "intact-snapshot",
    "origin": lambda v: isinstance(v, str) and v,
    "size": lambda v: is_count(v) and v > 0,
    "root": is_root,
    "edge": lambda v: isinstance(v, list) and all(map(is_root, v)),
    "newestAt": lambda v: isinstance(v, str) and is_time(v),
    "at": lambda v: isinstance(v, str) and is_time(v),
    "keptUntil": lambda v: isinstance(v, str) and is_time(v),
    "records": is_count,
    "rows": is_count,
    "closed": is_count,
    "parts": lambda v: isinstance(v, list) and all(map(is_part, v)),
}


def is_part(value):
    counts = ("bytes", "uncompressed", "rows", "first", "last")
    if not isinstance(value, dict) or set(value) != {"name", "sha256", *counts} or not all(is_count(value[name]) for name in counts):
        return False
    return isinstance(value["name"], str) and isinstance(value["sha256"], str) and bool(HEX_SHA256.fullmatch(value["sha256"]))


def parse_manifest(data, size):
    """The manifest that these bytes are, of a snapshot of `size`. Raises Malformed, or NewerFormat."""
    manifest = parse_json(data)
    if not isinstance(manifest, dict) or manifest.get("kind") != "intact-snapshot" or type(manifest.get("v")) is not int:
        raise Malformed("is no manifest")
    if manifest["v"] > 1:
        raise NewerFormat
    if canonical_json(manifest) != data or manifest["v"] != 1:
        raise Malformed("is not canonical JSON of version 1")
    if set(manifest) | {"keptUntil"} != set(MANIFEST_MEMBERS):
        raise Malformed("does not have exactly a manifest's members")
    for name, value in manifest.items():
        if not MANIFEST_MEMBERS[name](value):
            raise Malformed(f"has a malformed member {name}")
    if manifest["size"] != size:
        raise Malformed("is of another size than its name")
    edge = [unbase64(node) for node in manifest["edge"]]
    if len(edge) != bin(size).count("1") or root_of_edge(edge) != unbase64(manifest["root"]):
        raise Malformed("has an edge that is not the root's")
    numbers = set()
    for part in manifest["parts"]:
        parsed = parse_snapshot_name(part["name"])
        if parsed is None or parsed[1] is None or parsed[0] != size or parsed[2] != part["sha256"] or parsed[1] in numbers:
            raise Malformed("names what is no part of it, or one number twice")
        numbers.add(parsed[1])
        if not 1 <= part["rows"] <= part["last"] - part["first"] + 1 or part["last"] >= size:
            raise Malformed("has a part with more rows than entries")
        if not ROW_HEAD * part["rows"] <= part["uncompressed"] <= MAX_PART_BYTES:
            raise Malformed("has a part that is too large or too small")
    rows = sum(part["rows"] for part in manifest["parts"])
    if rows != manifest["rows"] or rows > size or max(manifest["records"], manifest["closed"]) > rows:
        raise Malformed("has counts that do not add up")
    return manifest


def root_of_edge(nodes):
    root = nodes[-1]
    for node in reversed(nodes[:-1]):
        root = sha256(b"\x01" + node + root)
    return root


# --- Vaults -----------------------------------------------------------------------------------------------------------------------


class CouldNot(Exception):
    """Nothing can be said: what should be read cannot be, or the question is wrong."""


TILE_NAME = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
SEGMENT_NAME = re.compile(r"segment/([0-9]{20})/([0-9a-f]{64})")


def tile_name(level, index, width=256):
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}{'' if width == 256 else f'.p/{width}'}"


def parse_tile_name(name):
    """Level ('entries' or a number), index and width of a tile's or bundle's name, or None."""
    match = TILE_NAME.fullmatch(name)
    if not match:
        return None
    level, index, width = match[1], int(re.sub("[x/]", "", match[2])), int(match[3] or 256)
    level = level if level == "entries" else int(level)
    is_its_name = (level == "entries" or level < 64) and width <= 256 and tile_name(level, index, width) == name
    return (level, index, width) if is_its_name else None


def list_folder(folder):
    """Names of all files under `folder`; and what is there but is no file."""
    files, others = [], []

    def walk(at, prefix):
        for item in sorted(os.listdir(at)):
            path, name = os.path.join(at, item), prefix + item
            mode = os.lstat(path).st_mode
            if stat.S_ISDIR(mode):
                walk(path, name + "/")
            else:
                (files if stat.S_ISREG(mode) else others).append(name)

    walk(folder, "")
    return files, others


class VaultCheck:
    """One verification of one folder, after docs/format.md, "Verifying a vault"; its steps are the methods of `run`, in order."""

    def __init__(self, folder, pinned):
        self.folder, self.pinned = folder, pinned
        names, others = list_folder(folder)
        self.names, self.findings = set(names), []
        self.size = self.root = None
        self.expected = {"checkpoint", "log.vkeys"}
        for name in others:
            self.find("unexpected-object", name, "is not a file")

    def find(self, code, name, detail):
        self.findings.append((code, name, detail))

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def run(self):
        self.check_keys()
        copies = self.check_checkpoints()
        self.objects = {}  # name → (hash, the entry that states it)
        self.excused = {}  # name → the hashes that entries state which no checkpoint covers
        if self.size is not None:
            bundles, tiles = self.read_bundles(), self.read_leaf_tiles()
            self.choose_leaves(bundles, tiles)
        else:
            self.leaves = None
        self.check_segments()
        self.check_bundles()
        self.check_tiles()
        self.check_roots(copies)
        self.check_objects()
        for name in sorted(self.names - self.expected):
            self.find("unexpected-object", name, "is no name of a vault, or nothing names it")
        return self

    def check_keys(self):
        """Step 1. `trusted` is what `checkpoint` must be signed by; `keys` the whole history."""
        self.keys, self.trusted = [], []
        if "log.vkeys" not in self.names:
            self.find("keys-missing", "log.vkeys", "is not there")
        else:
            try:
                self.keys = self.trusted = parse_vkeys(self.read("log.vkeys"))
            except Malformed as error:
                self.find("keys-unreadable", "log.vkeys", str(error))
        if self.pinned is not None and self.keys:
            lines = [key.line for key in self.keys]
            if self.pinned.line in lines:
                self.trusted = self.keys[lines.index(self.pinned.line) :]
            else:
                self.find("key-not-listed", "log.vkeys", "does not list the key given")
                self.keys = []
        if not self.keys:
            self.keys = self.trusted = [] if self.pinned is None else [self.pinned]

    def read_checkpoint(self, name, keys):
        """The checkpoint, and the index in `self.keys` of who signed it; None where it is not signed by one of `keys`."""
        try:
            checkpoint = Checkpoint(self.read(name))
        except Malformed as error:
            self.find("checkpoint-unreadable", name, str(error))
            return None
        try:
            signer = checkpoint.signer(self.keys)
        except Malformed as error:
            self.find("checkpoint-bad-signature", name, str(error))
            return None
        if signer is None or self.keys[signer] not in keys:
            self.find("checkpoint-untrusted-key", name, "is not signed by a key of this log that counts")
            return None
        if checkpoint.origin != self.keys[0].name:
            self.find("checkpoint-wrong-origin", name, "is of another log")
            return None
        return checkpoint, signer

    def check_checkpoints(self):
        """Step 2, and of step 6 what needs no entries. Answers with the checkpoints whose roots are to be re-derived."""
        signed = []
        if "checkpoint" not in self.names:
            self.find("checkpoint-missing", "checkpoint", "is not there")
        elif read := self.read_checkpoint("checkpoint", self.trusted):
            self.size, self.root = read[0].size, read[0].root
            signed.append((read[0].size, "checkpoint", *read))
            if f"checkpoints/{self.size}" not in self.names:
                self.find("checkpoint-copy-missing", f"checkpoints/{self.size}", "is not there")
        for name in sorted(self.names):
            if not re.fullmatch(r"checkpoints/(0|[1-9][0-9]{0,15})", name):
                continue
            self.expected.add(name)
            if not (read := self.read_checkpoint(name, self.keys)):
                continue
            if f"checkpoints/{read[0].size}" != name:
                self.find("checkpoint-wrong-size", name, f"is a checkpoint of size {read[0].size}")
                continue
            signed.append((read[0].size, name, *read))
        signed.sort(key=lambda row: row[:2])
        newest = newest_below = at = 0
        for size, name, checkpoint, signer in signed:
            if size > at:
                newest_below, at = newest, size
            newest = max(newest, signer)
            if signer < newest_below:
                self.find("checkpoint-retired-key", name, "is signed by a key that a smaller checkpoint had replaced")
            if self.size is not None and size > self.size:
                self.find("checkpoint-behind", "checkpoint", f"is of size {self.size}, though {name} is there")
        return [row[:3] for row in signed]

    def width_at(self, level, index):
        """How many hashes (or entries) tile `index` of `level` has in the log."""
        return max(0, min(256, (self.size >> 8 * level) - 256 * index))

    def read_needed(self, level, code):
        """Index and bytes of each object of `level` that the checkpoint needs. In place of a partial one its full form will do."""
        hash_level = 0 if level == "entries" else level
        needed = -(-(self.size >> 8 * hash_level) // 256)
        present = [parsed[1] for parsed in map(parse_tile_name, self.names) if parsed and parsed[0] == level]
        # However large a log a checkpoint states, no more is read than there is.
        for index in range(min(needed, max(present, default=-1) + 2)):
            name, full = tile_name(level, index, self.width_at(hash_level, index)), tile_name(level, index)
            if found := next((candidate for candidate in (name, full) if candidate in self.names), None):
                yield index, found, self.read(found)
            else:
                self.find(code, name, "is not there")

    def read_bundles(self):
        """Leaf hashes by bundle, and the objects that entries name, from the bundles."""
        bundles = {}
        for index, name, data in self.read_needed("entries", "bundle-missing"):
            width = self.width_at(0, index)
            try:
                entries = split_entries(data)
            except Malformed as error:
                self.find("bundle-unreadable", name, str(error))
                continue
            if len(entries) != parse_tile_name(name)[2]:
                code = "entry-deleted" if len(entries) < parse_tile_name(name)[2] else "entry-inserted"
                self.find(code, name, f"has {len(entries)} entries")
                continue
            bundles[index] = [leaf_hash(entry) for entry in entries[:width]]
            for at, entry in enumerate(entries[:width]):
                self.check_entry(entry, f"{name} (entry {256 * index + at})")
        return bundles

    def check_entry(self, data, where):
        """Step 4, the entry itself."""
        try:
            entry = parse_entry(data)
        except Malformed as error:
            self.find("entry-malformed", where, str(error))
            return
        for name, digest in named_objects(entry):
            if self.objects.setdefault(name, (digest, where))[0] != digest:
                self.find("object-altered", name, f"has another hash after {where} than after {self.objects[name][1]}")

    def excuse(self, segment):
        """Nobody signed these entries, so what they name may be there, and need not."""
        for data in split_entries(segment):
            try:
                named = named_objects(parse_entry(data))
            except Malformed:
                continue
            for name, digest in named:
                self.excused.setdefault(name, set()).add(digest)

    def read_leaf_tiles(self):
        tiles = {}
        for index, name, data in self.read_needed(0, "tile-missing"):
            if len(data) == 32 * parse_tile_name(name)[2]:
                tiles[index] = split_hashes(data)[: self.width_at(0, index)]
        return tiles

    def choose_leaves(self, bundles, tiles):
        """Step 3: the leaf hashes that have the checkpoint's root; those of the bundles or, to say which of the two is wrong, of the tiles."""
        needed = -(-self.size // 256)
        for source in (bundles, {**tiles, **bundles}, tiles):
            if len(source) < needed:
                continue
            leaves = [leaf for index in range(needed) for leaf in source[index]]
            if root_of(leaves) == self.root:
                break
        else:
            self.find("root-mismatch", "checkpoint", "states a root that neither the entries nor the tiles have")
            leaves = None
        self.leaves = leaves
        if leaves is None:
            return
        for index, hashes in bundles.items():
            if hashes != leaves[256 * index : 256 * index + 256]:
                self.find("entry-modified", tile_name("entries", index, len(hashes)), "holds other entries than were logged")

    def check_segments(self):
        """Step 5: each has the hash in its name; some chain of them from 0 is the log. Then what they say of the entries ahead of the checkpoint."""
        reached, by_start, altered = {0}, {}, set()
        for name in sorted(self.names):
            if not (match := SEGMENT_NAME.fullmatch(name)):
                continue
            self.expected.add(name)
            start, data = int(match[1]), self.read(name)
            if sha256(data).hex() != match[2]:
                self.find("segment-altered", name, "does not have the hash in its name")
                altered.add(start)
                continue
            by_start.setdefault(start, [])
            try:
                hashes = [leaf_hash(entry) for entry in split_entries(data)]
            except Malformed:
                continue  # an orphan proves nothing and is no fault; where it should be in the chain, the chain breaks
            if self.leaves is None or start >= len(self.leaves):
                by_start[start].append((name, hashes))
                self.excuse(data)
            elif start in reached and hashes == self.leaves[start : start + len(hashes)]:
                reached.add(start + len(hashes))
        # What is known of the log, with what is ahead of the checkpoint; None where nothing is.
        self.known = self.leaves
        if self.leaves is None:
            return
        if self.size not in reached and max(reached) not in altered:
            self.find("segment-missing", f"segment/{max(reached):020d}/", f"begins no chain to {self.size}")
        self.known = self.leaves + self.follow_ahead(by_start)
        end = len(self.known)
        if any(start > end for start in [*by_start, *altered]) and end not in altered:
            self.find("segment-missing", f"segment/{end:020d}/", "is not there, though later ones are")

    def follow_ahead(self, by_start):
        """Leaf hashes beyond the checkpoint, as far as segments follow one another; of several that begin at one entry, the likeliest."""
        ahead, end = [], self.size
        bundles = self.bundles_ahead()

        def rank(segment):
            agreement = 0
            for first, hashes in bundles:
                low, high = max(first, end), min(first + len(hashes), end + len(segment[1]))
                if low < high:
                    if hashes[low - first : high - first] != segment[1][low - end : high - end]:
                        return (-1,)
                    agreement += high - low
            return (agreement, end + len(segment[1]) in by_start, len(segment[1]))

        while candidates := [segment for segment in by_start.get(end, []) if segment[1]]:
            name, hashes = max(candidates, key=rank)
            for at, entry in enumerate(split_entries(self.read(name))):
                try:
                    parse_entry(entry)
                except Malformed as error:
                    self.find("entry-malformed", f"{name} (entry {end + at})", str(error))
            ahead += hashes
            end += len(hashes)
        return ahead

    def bundles_ahead(self):
        """First entry and leaf hashes of each readable bundle that reaches beyond the checkpoint."""
        found = []
        for name in self.names:
            parsed = parse_tile_name(name)
            if parsed and parsed[0] == "entries" and 256 * parsed[1] + parsed[2] > self.size:
                try:
                    found.append((256 * parsed[1], [leaf_hash(entry) for entry in split_entries(self.read(name))]))
                except Malformed:
                    pass  # check_bundles says so
        return found

    def check_bundles(self):
        """Step 3: every bundle there is, those that the checkpoint does not need included, holds what is known of the log."""
        for name in sorted(self.names):
            if not (parsed := parse_tile_name(name)) or parsed[0] != "entries":
                continue
            self.expected.add(name)
            _, index, width = parsed
            if self.known is not None and 256 * index + width > len(self.known):
                self.find("unexpected-object", name, "reaches beyond the checkpoint, and no segment says what it should hold")
                continue
            try:
                hashes = [leaf_hash(entry) for entry in split_entries(self.read(name))]
            except Malformed as error:
                self.find("bundle-unreadable", name, str(error))
                continue
            if len(hashes) != width or (self.known is not None and hashes != self.known[256 * index : 256 * index + width]):
                self.find("entry-modified", name, "holds other entries than were logged")

    def check_tiles(self):
        """Step 3: every tile there is, and every one there must be, against the leaves."""
        tiles = [(name, parsed) for name in sorted(self.names) if (parsed := parse_tile_name(name)) and parsed[0] != "entries"]
        hashes, level = self.known, 0
        while (self.size or 0) >> 8 * level or any(parsed[0] >= level for _, parsed in tiles):
            if level > 0 and self.size is not None:
                for _ in self.read_needed(level, "tile-missing"):
                    pass
            for name, (at_level, index, width) in tiles:
                if at_level != level:
                    continue
                self.expected.add(name)
                if hashes is not None and 256 * index + width > len(hashes):
                    self.find("unexpected-object", name, "reaches beyond the checkpoint, and no segment says what it should hold")
                    continue
                data = self.read(name)
                if len(data) != 32 * width or (hashes is not None and split_hashes(data) != hashes[256 * index : 256 * index + width]):
                    self.find("tile-altered", name, "holds other hashes than the entries have")
            if hashes is not None:
                hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
            level += 1

    def check_roots(self, checkpoints):
        """Step 6: the root each checkpoint states, by one walk over the leaves."""
        tree = Tree()
        for size, name, checkpoint in checkpoints:
            if self.leaves is None or size > self.size:
                continue
            while tree.size < size:
                tree.append(self.leaves[tree.size])
            if tree.root() != checkpoint.root:
                self.find("root-mismatch", name, "states another root than that many entries have")

    def check_objects(self):
        """Step 4: the blobs and objects that entries name; and every blob has the hash in its name."""
        parts = set()
        for name, (digest, where) in sorted(self.objects.items()):
            snapshot = parse_snapshot_name(name)
            is_manifest = snapshot is not None and snapshot[1] is None
            if name not in self.names:
                if not is_manifest:  # snapshots expire
                    self.find("object-missing", name, f"is not there; {where} names it")
                continue
            self.expected.add(name)
            data = self.read(name)
            if sha256(data).hex() != digest:
                self.find("object-altered", name, f"does not have the hash that {where} states")
            elif is_manifest:
                parts |= self.check_snapshot(name, data, snapshot[0])
        for name in sorted(self.names - set(self.objects) - parts):
            snapshot = parse_snapshot_name(name)
            if snapshot or re.fullmatch(r"blob/[0-9a-f]{64}", name):
                # It is written before what names it, so one that nothing names is a writer's that died: no fault.
                self.expected.add(name)
                if sha256(self.read(name)).hex() != (snapshot[2] if snapshot else name[5:]):
                    self.find("object-altered", name, "does not have the hash in its name")
            elif name in self.excused:
                self.expected.add(name)
                if sha256(self.read(name)).hex() not in self.excused[name]:
                    self.find("object-altered", name, "does not have the hash that an entry states")
            elif self.known is None and OBJECT_NAME.fullmatch(name):
                self.expected.add(name)  # what names it could not be read, which is a finding already


    def check_snapshot(self, name, data, size):
        """Step 4, the parts that a manifest names; answers with their names."""
        try:
            manifest = parse_manifest(data, size)
        except NewerFormat:
            return set()
        except Malformed as error:
            self.find("snapshot-malformed", name, str(error))
            return set()
        for part in manifest["parts"]:
            if part["name"] in self.names:
                self.expected.add(part["name"])
                if sha256(self.read(part["name"])).hex() != part["sha256"]:
                    self.find("object-altered", part["name"], f"does not have the hash that {name} states")
            elif "keptUntil" not in manifest or manifest["keptUntil"] >= self.last_time():
                self.find("object-missing", part["name"], f"is not there; {name} names it")
        return {part["name"] for part in manifest["parts"]}

    def last_time(self):
        """The newest time in the last bundle; the empty string where that cannot be read."""
        index = max(0, (self.size or 0) - 1) // 256
        names = [tile_name("entries", index, self.width_at(0, index) or 256), tile_name("entries", index)] if self.size else []
        times = [""]
        if name := next((candidate for candidate in names if candidate in self.names), None):
            try:
                entries = split_entries(self.read(name))
            except Malformed:
                entries = []
            for data in entries:
                try:
                    times.append(parse_entry(data)["at"])
                except Malformed:
                    pass
        return max(times)


def split_hashes(data):
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def named_objects(entry):
    """Name and hex hash of all objects an entry names."""
    blob = [(f"blob/{entry['blob']}", entry["blob"])] if "blob" in entry else []
    return blob + [(told["name"], told["sha256"]) for told in entry.get("objects", [])]


# --- Proofs -----------------------------------------------------------------------------------------------------------------------


MAX_PROOF_BYTES = 4_000_000


def check_image(value):
    """Raises Malformed unless `value` is an item in DynamoDB-JSON as the format has it."""
    scalars = {
        "S": lambda v: isinstance(v, str),
        "N": lambda v: isinstance(v, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?", v),
        "B": lambda v: isinstance(v, str) and unbase64(v) is not None,
    }

    def check(attribute):
        if not isinstance(attribute, dict) or len(attribute) != 1:
            raise Malformed("has an attribute that is not of one type")
        ((kind, value),) = attribute.items()
        if kind in scalars:
            good = scalars[kind](value)
        elif kind in ("BOOL", "NULL"):
            good = value is True or (kind == "BOOL" and value is False)
        elif kind in ("SS", "NS", "BS"):
            good = isinstance(value, list) and value and all(scalars[kind[0]](v) for v in value)
            good = good and all(utf16(a) < utf16(b) for a, b in zip(value, value[1:]))
        elif kind == "L":
            good = isinstance(value, list)
            for item in value if good else ():
                check(item)
        else:
            good = kind == "M" and isinstance(value, dict)
            for item in value.values() if good else ():
                check(item)
        if not good:
            raise Malformed(f"has an attribute that is no {kind!a}")

    check({"M": value})


class ProofCheck:
    """One verification of one proof file: the key signed the checkpoint, the entry is in that log, the image is the entry's."""

    def __init__(self, file, pinned):
        self.file, self.pinned, self.findings = file, pinned, []
        self.index = self.size = self.root = None

    def find(self, code, detail):
        self.findings.append((code, self.file, detail))

    def run(self):
        with open(self.file, "rb") as file:
            data = file.read(MAX_PROOF_BYTES + 1)
        try:
            if len(data) > MAX_PROOF_BYTES:
                raise Malformed(f"has more than {MAX_PROOF_BYTES} bytes")
            proof = self.parse(data)
        except Malformed as error:
            self.find("file", str(error))
            return self
        self.check_commitment(proof)
        self.check_inclusion(proof)
        return self

    @staticmethod
    def parse(data):
        proof = parse_json(data)
        if not isinstance(proof, dict) or set(proof) != {"format", "vkeys", "entry", "proof", "disclosed"} or proof["format"] != "intact/proof/v1":
            raise Malformed("is not a proof of the format intact/proof/v1")
        disclosed = proof["disclosed"]
        if not isinstance(disclosed, dict) or set(disclosed) != {"salt", "image"}:
            raise Malformed("does not disclose salt and image")
        if not all(isinstance(text, str) for text in (proof["vkeys"], proof["entry"], proof["proof"], *disclosed.values())):
            raise Malformed("has a member that is not text")
        return proof

    def check_commitment(self, proof):
        try:
            entry = parse_entry(proof["entry"].encode())
        except Malformed as error:
            self.find("entry", str(error))
            return
        if entry["op"] != "put" or entry["kind"] == "raw":
            self.find("entry", "is a removal or of kind raw, which commit to no image")
            return
        image = proof["disclosed"]["image"].encode()
        try:
            salt = unbase64(proof["disclosed"]["salt"])
            committed = base64.urlsafe_b64encode(sha256(b"intact/v1" + salt + image)).rstrip(b"=").decode()
            if len(salt) != 32 or committed != entry.get("commit"):
                self.find("commitment", "discloses another salt or image than the entry commits to")
        except Malformed as error:
            self.find("commitment", f"its salt {error}")
        try:
            parsed = parse_json(image)
            if canonical_json(parsed) != image:
                raise Malformed("is not canonical JSON")
            check_image(parsed)
        except (Malformed, RecursionError) as error:
            self.find("image", f"its image {error}")

    def check_inclusion(self, proof):
        try:
            keys = parse_vkeys(proof["vkeys"].encode())
            lines, empty, note = proof["proof"].partition("\n\n")
            version, index, *path = lines.split("\n")
            if index.startswith("extra "):  # says nothing, but is base64
                unbase64(index[6:])
                index, *path = path
            if version != "c2sp.org/tlog-proof@v1" or not index.startswith("index ") or not empty:
                raise Malformed("is not a C2SP tlog-proof")
            index, path, checkpoint = parse_decimal(index[6:]), [unbase64(line) for line in path], Checkpoint(note.encode())
            if any(len(node) != 32 for node in path):
                raise Malformed("has a path of other things than hashes")
        except (Malformed, ValueError) as error:
            self.find("proof", str(error))
            return
        if self.pinned is not None:
            lines = [key.line for key in keys]
            if self.pinned.line not in lines:
                self.find("unpinned-key", "does not list the key given")
                return
            keys = keys[lines.index(self.pinned.line) :]
        try:
            if checkpoint.signer(keys) is None or checkpoint.origin != keys[0].name:
                self.find("untrusted-key", "has a checkpoint that is not signed by the log's key")
                return
        except Malformed as error:
            self.find("untrusted-key", f"has a checkpoint that {error}")
            return
        self.index, self.size, self.root = index, checkpoint.size, checkpoint.root
        if root_by_path(leaf_hash(proof["entry"].encode()), index, checkpoint.size, path) != checkpoint.root:
            self.find("not-included", "has a path that does not lead from the entry to the root")


# --- The command ------------------------------------------------------------------------------------------------------------------


def answer(request):
    """Carries out {"folder" or "proof": path, "vkey": key or absent}."""
    try:
        pinned = Key(request["vkey"]) if request.get("vkey") is not None else None
    except Malformed as error:
        raise CouldNot(f"the key given {error}") from None
    try:
        check = VaultCheck(request["folder"], pinned) if "folder" in request else ProofCheck(request["proof"], pinned)
        return check.run()
    except OSError as error:
        raise CouldNot(f"cannot read {error.filename}: {error.strerror}") from None


def batch():
    """Answers as JSON: {"exit", "findings", "size", "root"}."""
    for line in sys.stdin:
        try:
            check = answer(json.loads(line))
            root = None if check.root is None else base64.b64encode(check.root).decode()
            told = {"exit": 1 if check.findings else 0, "findings": check.findings, "size": check.size, "root": root}
        except CouldNot as error:
            told = {"exit": 2, "findings": [], "size": None, "root": None, "message": str(error)}
        print(json.dumps(told), flush=True)


def plain(text):
    """One line, whatever a name holds."""
    return text if text.isprintable() else ascii(text)


def main(arguments):
    if sys.version_info < (3, 10):
        raise CouldNot("Python 3.10 or newer is needed")
    if not self_test():
        raise CouldNot("Ed25519 fails the test vectors of RFC 8032 here")
    if arguments == ["--batch"]:
        batch()
        return 0
    request, rest = {}, list(arguments)
    if "--vkey" in rest:
        at = rest.index("--vkey")
        if at + 1 == len(rest):
            raise CouldNot("--vkey needs a key")
        request["vkey"] = rest[at + 1]
        del rest[at : at + 2]
    if len(rest) == 2 and rest[0] == "proof":
        request["proof"] = rest[1]
    elif len(rest) == 1 and not rest[0].startswith("-"):
        request["folder"] = rest[0]
    else:
        raise CouldNot("usage: verify.py <vault folder> [--vkey <key>] | verify.py proof <proof file> [--vkey <key>]")
    check = answer(request)
    for finding in check.findings:
        print(plain(": ".join((" ".join(finding[:2]), finding[2]))))
    if "proof" in request:
        print(f"index {'unknown' if check.index is None else check.index}")
    print(f"size {'unknown' if check.size is None else check.size}")
    print(f"root {'unknown' if check.root is None else base64.b64encode(check.root).decode()}")
    return 1 if check.findings else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        sys.exit(main(sys.argv[1:]))
    except CouldNot as error:
        print(f"could not verify: {error}", file=sys.stderr)
        sys.exit(2)
