#!/usr/bin/env python3
"""Writes vectors.json: records of a fleet, good and bad, as docs/guides/fleet-format.md says.

Made from the page and the RFCs, with none of the project's code, so that both can be compared:
HKDF (RFC 5869) and HPKE (RFC 9180) are written out here, X25519, Ed25519 and ChaCha20-Poly1305
come from `cryptography`, XChaCha20-Poly1305 from `pycryptodome`:

    pip install cryptography==48.0.0 pycryptodome==4.4.0
    ./make_vectors.py > vectors.json

Before it writes it proves itself on the published answers of RFC 5869, RFC 8032, RFC 9180 and
draft-irtf-cfrg-xchacha. Every key here is public: use none of them.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from Crypto.Cipher import ChaCha20_Poly1305
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HOUR = 3_600_000
NOW = 1_790_000_000_000
ORDER = 2**252 + 27742317777372353535851937790883648493
HEAD, CLAIM, FOR_FLEET, FOR_HOST, HOST_KEY, REPORT = range(1, 7)
SEALED = {FOR_FLEET: 72, FOR_HOST: 80}


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def extract(salt, key):
    return hmac.new(salt or bytes(32), key, hashlib.sha256).digest()


def expand(prk, info, length):
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([number]), hashlib.sha256).digest()
        out, number = out + block, number + 1
    return out[:length]


# HPKE, RFC 9180: base mode, one message.
KEM_SUITE = b"KEM" + struct.pack(">H", 0x0020)
SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0003)


def labeled_extract(suite, salt, label, key):
    return extract(salt, b"HPKE-v1" + suite + label + key)


def labeled_expand(suite, prk, label, info, length):
    return expand(prk, struct.pack(">H", length) + b"HPKE-v1" + suite + label + info, length)


def derive_key_pair(ikm):
    prk = labeled_extract(KEM_SUITE, b"", b"dkp_prk", ikm)
    return labeled_expand(KEM_SUITE, prk, b"sk", b"", 32)


def public_of(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def hpke_seal(recipient, ephemeral, info, aad, text):
    enc = public_of(ephemeral)
    shared = X25519PrivateKey.from_private_bytes(ephemeral).exchange(
        X25519PublicKey.from_public_bytes(recipient)
    )
    prk = labeled_extract(KEM_SUITE, b"", b"eae_prk", shared)
    secret = labeled_expand(KEM_SUITE, prk, b"shared_secret", enc + recipient, 32)
    context = (
        b"\0"
        + labeled_extract(SUITE, b"", b"psk_id_hash", b"")
        + labeled_extract(SUITE, b"", b"info_hash", info)
    )
    prk = labeled_extract(SUITE, secret, b"secret", b"")
    key = labeled_expand(SUITE, prk, b"key", context, 32)
    nonce = labeled_expand(SUITE, prk, b"base_nonce", context, 12)
    return enc, ChaCha20Poly1305(key).encrypt(nonce, text, aad)


def xchacha_seal(key, nonce, aad, text):
    cipher = ChaCha20_Poly1305.new(key=key, nonce=nonce)
    cipher.update(aad)
    sealed, tag = cipher.encrypt_and_digest(text)
    return nonce + sealed + tag


class Signer:
    def __init__(self, secret):
        self.secret = secret
        self.key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self.key.public_key().public_bytes_raw()
        self.id = sha256(b"stekguard signer 1", self.public)[:8]

    def text(self):
        return "ed25519:" + base64.b64encode(self.public).decode()

    def sign(self, signed):
        return self.key.sign(b"stekguard fleet record\0" + signed)


def prove():
    """The published answers."""
    hexes = bytes.fromhex
    assert expand(extract(bytes(range(13)), b"\x0b" * 22), bytes(range(0xF0, 0xFA)), 42) == hexes(
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    ephemeral = derive_key_pair(
        hexes("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b")
    )
    enc, sealed = hpke_seal(
        hexes("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"),
        ephemeral,
        b"Ode on a Grecian Urn",
        b"Count-0",
        b"Beauty is truth, truth beauty",
    )
    assert enc == hexes("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
    assert sealed == hexes(
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
        "21993c62ce81883d2dd1b51a28"
    )
    sealed = xchacha_seal(
        bytes(range(0x80, 0xA0)),
        bytes(range(0x40, 0x58)),
        hexes("50515253c0c1c2c3c4c5c6c7"),
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
        b"the future, sunscreen would be it.",
    )
    assert sealed[-16:] == hexes("c0875924c1c7987947deafd8780acf49")
    signer = Signer(hexes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert signer.key.sign(b"\x72")[:8] == hexes("92a009a9f0d4cab8")


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return bytes([len(value)]) + value


def numbers(form, *values):
    return struct.pack(">" + form, *values)


def key_file(seed, layout, scope, generation, epoch):
    """A host's key file."""
    info = b"stekguard ticket key 1"
    for part in (layout.encode(), scope.encode()):
        info += numbers("I", len(part)) + part
    info += numbers("IQ", generation, epoch)
    return expand(extract(b"", seed), info, {"nginx80": 80}.get(layout, 48))


class Record:
    """A record as the page says it; every part can be told to be wrong."""

    def __init__(self, kind, body, signer, version=1, **wrong):
        self.signer = wrong.get("by", signer)
        sealed = wrong.get("sealed_length", SEALED.get(kind, 0))
        self.clear = (
            wrong.get("magic", b"SGKR")
            + bytes([version, wrong.get("reads", max(2, version)), kind])
            + wrong.get("signer_id", self.signer.id)
            + numbers("HH", wrong.get("body_length", len(body)), sealed)
            + body
        )
        self.version = version

    def bytes(self, sealed=b"", extensions=b"", sign=None):
        signed = self.clear + sealed
        if self.version > 1:
            signed += numbers("H", len(extensions)) + extensions
        return signed + (sign or self.signer.sign)(signed)


def extension(number, value):
    return numbers("HH", number, len(value)) + value


class Fleet:
    def __init__(self):
        name = lambda what: sha256(b"a public key for tests: ", what)
        self.generator, self.other = Signer(name(b"generator")), Signer(name(b"other"))
        self.identity = Signer(name(b"identity"))
        self.key, self.seed, self.private = name(b"fleet"), name(b"seed"), name(b"recipient")
        self.public = public_of(self.private)
        self.fleet, self.host, self.generation = "edge", "web1.example.com", 3
        self.epoch, self.nonce = NOW // HOUR, name(b"nonce")[:24]
        self.ephemeral = derive_key_pair(name(b"ikm"))
        self.seed_id = sha256(b"stekguard seed 1", self.seed)[:8]

    def header(self, **wrong):
        return (
            text(wrong.get("fleet", self.fleet))
            + numbers("I", wrong.get("generation", self.generation))
            + numbers("QQ", wrong.get("epoch", self.epoch), wrong.get("interval", HOUR))
            + wrong.get("seed_id", self.seed_id)
            + numbers("Q", NOW - HOUR)
        )

    def head(self, behind=b"", version=1, extensions=b"", sign=None, record=None, **wrong):
        body = text(wrong.get("fleet", self.fleet)) + numbers("I", self.generation)
        body += numbers("QQQ", NOW, wrong.get("interval", HOUR), self.epoch + 3) + behind
        kind = wrong.get("kind", HEAD)
        return Record(kind, body, self.generator, version, **(record or {})).bytes(
            extensions=extensions, sign=sign
        )

    def claim(self, version=1, extensions=b"", **wrong):
        record = Record(CLAIM, self.header(**wrong), self.generator, version)
        return record.bytes(extensions=extensions)

    def for_fleet(self, version=1, extensions=b"", aad=None, seed=None, **wrong):
        record = Record(FOR_FLEET, self.header(**wrong), self.generator, version)
        sealed = xchacha_seal(self.key, self.nonce, aad or record.clear, seed or self.seed)
        return record.bytes(sealed, extensions)

    def for_host(self, version=1, extensions=b"", aad=None, seed=None, enc=None, **wrong):
        body = self.header(**wrong) + text(wrong.get("host", self.host))
        body += sha256(b"stekguard recipient 1", wrong.get("public", self.public))[:8]
        record = Record(FOR_HOST, body, self.generator, version)
        encapsulated, sealed = hpke_seal(
            wrong.get("public", self.public),
            self.ephemeral,
            wrong.get("info", b"stekguard seal 1"),
            aad or record.clear,
            seed or self.seed,
        )
        return record.bytes((enc or encapsulated) + sealed, extensions)

    def host_key(self, version=1, extensions=b"", signer=None, **wrong):
        body = text(wrong.get("fleet", self.fleet)) + text(wrong.get("host", self.host))
        body += self.public
        body += numbers("QQ", wrong.get("made", NOW - HOUR), wrong.get("expires", NOW + 24 * HOUR))
        record = Record(HOST_KEY, body, signer or self.identity, version)
        return record.bytes(extensions=extensions)

    def report(self, version=1, extensions=b"", **wrong):
        body = text(wrong.get("fleet", self.fleet)) + text(wrong.get("host", self.host))
        body += numbers("QQI", NOW, self.epoch, self.generation)
        body += bytes([wrong.get("has", 1)]) + bytes(range(8))
        body += numbers("IIqQQ", 2, 22, -1234, NOW - 5, NOW - 7)
        body += text(wrong.get("live_check", "ok"))
        body += numbers("I", 1) + bytes([wrong.get("derived", 1)])
        return Record(REPORT, body, self.identity, version).bytes(extensions=extensions)


def larger_s(signer):
    """A signature that a careless reader takes too: S + L instead of S."""

    def sign(signed):
        signature = signer.sign(signed)
        number = int.from_bytes(signature[32:], "little") + ORDER
        return signature[:32] + number.to_bytes(32, "little")

    return sign


def good(fleet):
    software = extension(1, b"another writer 7")
    later = software + extension(0x1234, b"not known yet")
    for read in ("head", "claim", "for_fleet", "for_host", "host_key", "report"):
        make = getattr(fleet, read)
        yield read, "version 1", make(), None
        yield read, "version 2", make(version=2), None
        yield read, "version 2 with the writer's program", make(
            version=2, extensions=software
        ), "another writer 7"
        yield read, "version 2 with an extension that is not known", make(
            version=2, extensions=later
        ), "another writer 7"
    yield "claim", "of a seed for the whole fleet", fleet.for_fleet(), None


def bad(fleet):
    """What is read, why it is bad, the record, the word for it."""
    other_clear = Record(FOR_FLEET, fleet.header(epoch=1), fleet.generator).clear
    critical, twice = extension(0x8001, b""), extension(7, b"") * 2
    plain = fleet.generator.key.sign
    yield "head", "another magic", fleet.head(record={"magic": b"SGKS"}), "malformed"
    yield "head", "version 0", fleet.head(record={}, version=0), "version"
    yield "head", "version 3", fleet.head(version=3), "version"
    yield "head", "a critical extension", fleet.head(version=2, extensions=critical), "version"
    yield "head", "an extension twice", fleet.head(version=2, extensions=twice), "malformed"
    yield "head", "half an extension", fleet.head(version=2, extensions=b"\0\1\0\4a"), "malformed"
    yield "head", "a program that is no text", fleet.head(
        version=2, extensions=extension(1, b"\x1b[2J")
    ), "malformed"
    yield "head", "a writer that cannot read itself", fleet.head(
        version=2, record={"reads": 1}
    ), "malformed"
    yield "head", "no kind", fleet.head(kind=9), "kind"
    yield "head", "a claim", fleet.claim(), "kind"
    yield "head", "something sealed where nothing is", fleet.head(
        record={"sealed_length": 3}
    ), "malformed"
    yield "head", "a body longer than the record", fleet.head(
        record={"body_length": 0xFFFF}
    ), "truncated"
    yield "head", "a byte behind the body's end", fleet.head(behind=b"\0"), "malformed"
    yield "head", "a byte behind the record", fleet.head() + b"\0", "too-large"
    yield "head", "longer than any record", fleet.head(behind=bytes(1024)), "too-large"
    yield "head", "another signer", fleet.head(record={"by": fleet.other}), "unknown-signer"
    yield "head", "another signer under the name of the right one", fleet.head(
        record={"by": fleet.other, "signer_id": fleet.generator.id}
    ), "signature"
    yield "head", "signed without the words in front", fleet.head(sign=plain), "signature"
    yield "head", "a signature that is not the smallest", fleet.head(
        sign=larger_s(fleet.generator)
    ), "signature"
    yield "head", "another fleet", fleet.head(fleet="edge2"), "fleet"
    yield "head", "a name that is none", fleet.head(fleet="Edge"), "malformed"
    yield "head", "a name that is no text", fleet.head(fleet=b"\xff\xfe"), "malformed"
    yield "head", "slots of no length", fleet.head(interval=0), "interval"
    for read in ("claim", "for_fleet", "for_host"):
        make = getattr(fleet, read)
        yield read, "another fleet", make(fleet="edge2"), "fleet"
        yield read, "another epoch", make(epoch=fleet.epoch - 1), "slot"
        yield read, "another generation", make(generation=2), "slot"
        yield read, "slots of no length", make(interval=0), "interval"
        yield read, "a head", fleet.head(), "kind"
    yield "for_fleet", "a claim", fleet.claim(), "kind"
    yield "for_fleet", "bound to another slot", fleet.for_fleet(aad=other_clear), "sealed"
    yield "for_fleet", "another seed", fleet.for_fleet(seed=bytes(32)), "seed"
    yield "for_host", "for the fleet", fleet.for_fleet(), "kind"
    yield "for_host", "bound to another slot", fleet.for_host(aad=other_clear), "sealed"
    yield "for_host", "another seed", fleet.for_host(seed=bytes(32)), "seed"
    yield "for_host", "another host", fleet.for_host(host="web2.example.com"), "host"
    yield "for_host", "another recipient", fleet.for_host(public=public_of(bytes(32))), "recipient"
    yield "for_host", "another purpose", fleet.for_host(info=b"stekguard seal 2"), "sealed"
    yield "for_host", "a key that all share", fleet.for_host(enc=bytes(32)), "sealed"
    yield "host_key", "another fleet", fleet.host_key(fleet="edge2"), "fleet"
    yield "host_key", "another host", fleet.host_key(host="web2.example.com"), "host"
    yield "host_key", "not signed by the host", fleet.host_key(
        signer=fleet.generator
    ), "unknown-signer"
    yield "host_key", "over", fleet.host_key(expires=NOW), "expired"
    yield "host_key", "over before it was made", fleet.host_key(expires=1), "expired"
    yield "host_key", "longer than any", fleet.host_key(expires=NOW + 999 * HOUR), "expired"
    yield "host_key", "from the future", fleet.host_key(made=NOW + 2 * HOUR), "expired"
    yield "report", "another host", fleet.report(host="web2.example.com"), "host"
    yield "report", "a word that moves the cursor", fleet.report(live_check="\x1b[2J"), "malformed"
    yield "report", "more words than there may be", fleet.report(live_check="a" * 200), "malformed"
    yield "report", "neither yes nor no", fleet.report(derived=2), "malformed"
    yield "report", "neither a key nor none", fleet.report(has=2), "malformed"


def main():
    prove()
    fleet = Fleet()
    layouts = ("nginx80", "nginx48", "apache48")
    where = (fleet.generation, fleet.epoch)
    out = {
        "fleet": fleet.fleet,
        "host": fleet.host,
        "generation": fleet.generation,
        "epoch": fleet.epoch,
        "interval": HOUR,
        "now": NOW,
        "generator": {"secret": fleet.generator.secret.hex(), "public": fleet.generator.text()},
        "identity": {"secret": fleet.identity.secret.hex(), "public": fleet.identity.text()},
        "fleet_key": fleet.key.hex(),
        "recipient": {"private": fleet.private.hex(), "public": fleet.public.hex()},
        "seed": {"bytes": fleet.seed.hex(), "id": fleet.seed_id.hex()},
        "key_files": [
            {"layout": layout, "scope": scope, "file": key_file(fleet.seed, layout, scope, *where).hex()}
            for layout in layouts
            for scope in ("default", "shop")
        ],
        "good": [
            {"read": read, "what": what, "record": record.hex(), "software": program}
            for read, what, record, program in good(fleet)
        ],
        "bad": [
            {"read": read, "what": what, "record": record.hex(), "refused": refused}
            for read, what, record, refused in bad(fleet)
        ],
    }
    json.dump(out, sys.stdout, indent=1)
    print()


main()
