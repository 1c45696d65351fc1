"""The certificate of the rendezvous server: made once a data folder, for 127.0.0.1 only.

Made with the package cryptography where it is installed, else with the program openssl. A client
trusts it by the file: ``NODE_EXTRA_CA_CERTS`` for the Heroku CLI.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from truegreen.errors import UsageError

HOST = "127.0.0.1"
_DAYS = 3650


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For a server with the certificate at ``certificate``, made when it is not there.

    Raises UsageError when it can be made by neither way.
    """
    if not (certificate.is_file() and key.is_file()):
        _make(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def _make(certificate: Path, key: Path) -> None:
    fresh = key.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _by_cryptography(certificate, fresh)
    except ImportError:
        _by_openssl(certificate, fresh)
    fresh.replace(key)


def _by_cryptography(certificate: Path, key: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "TrueGreen platform")])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(private, hashes.SHA256())
    )
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _by_openssl(certificate: Path, key: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise UsageError(
            "one-off dynos need a certificate, and nothing here can make one",
            hint="install the package cryptography (extra truegreen[access]), or openssl",
        )
    done = subprocess.run(
        [
            program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", str(_DAYS), "-subj", "/CN=TrueGreen platform",
            "-addext", f"subjectAltName=IP:{HOST}",
            "-keyout", str(key), "-out", str(certificate),
        ],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise UsageError(f"openssl made no certificate: {done.stderr.strip()[-300:]}")
