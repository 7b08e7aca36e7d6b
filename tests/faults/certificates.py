"""Certificates made for one run: an authority of our own, and leaves that are right or wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

DAY = timedelta(days=1)
HERE = [x509.DNSName(name) for name in ("localhost", "fault.invalid")] + [
    x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")
]
ELSEWHERE = [x509.DNSName("elsewhere.example")]


class _Signed(NamedTuple):
    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def _make(
    folder: Path,
    name: str,
    names: list[x509.GeneralName],
    *,
    signer: _Signed | None = None,
    ends: timedelta = DAY,
    authority: bool = False,
) -> _Signed:
    """Writes NAME.pem and NAME.key, signed by the signer or by itself."""
    made = _Signed(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"privy faults {name}")]),
        ec.generate_private_key(ec.SECP256R1()),
    )
    signer = signer or made
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(made.name)
        .issuer_name(signer.name)
        .public_key(made.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * DAY)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(made.key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
        .sign(signer.key, SHA256())
    )
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key").write_bytes(key)
    return made


def make(folder: Path) -> Path:
    """Fills the folder with NAME.pem and NAME.key of every leaf, and returns the file of the authority."""
    authority = _make(folder, "authority", [x509.DNSName("authority.example")], authority=True)
    _make(folder, "self_signed", HERE)
    _make(folder, "good", HERE, signer=authority)
    _make(folder, "wrong_host", ELSEWHERE, signer=authority)
    _make(folder, "expired", HERE, signer=authority, ends=-DAY)
    return folder / "authority.pem"
