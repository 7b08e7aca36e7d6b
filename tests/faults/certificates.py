"""Certificates made for one run by the openssl command: an authority of our own, and leaves that are right or wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
HERE = "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost,DNS:fault.invalid"
ELSEWHERE = "subjectAltName=DNS:elsewhere.example"


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)


def _own(folder: Path, name: str, names: str) -> None:
    subject = ("-subj", f"/CN=privy faults {name}", "-addext", names)
    _openssl("req", "-x509", *KEY, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", *subject)


def _leaf(folder: Path, name: str, names: str, days: int) -> None:
    request = folder / f"{name}.csr"
    subject = ("-subj", f"/CN=privy faults {name}", "-addext", names)
    _openssl("req", *KEY, "-keyout", folder / f"{name}.key", "-out", request, *subject)
    signer = ("-CA", folder / "authority.pem", "-CAkey", folder / "authority.key", "-CAcreateserial")
    _openssl(
        "x509", "-req", "-in", request, *signer, "-copy_extensions", "copy", "-days", days,
        "-out", folder / f"{name}.pem",
    )  # fmt: skip


def make(folder: Path) -> Path:
    """Fills the folder with NAME.pem and NAME.key of every leaf, and returns the file of the authority."""
    _own(folder, "authority", "subjectAltName=DNS:authority.example")
    _own(folder, "self_signed", HERE)
    _leaf(folder, "good", HERE, 2)
    _leaf(folder, "wrong_host", ELSEWHERE, 2)
    _leaf(folder, "expired", HERE, -1)
    return folder / "authority.pem"
