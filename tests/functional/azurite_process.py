"""Azurite as a process of the tests' own, over http or over https."""

import datetime as dt
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local_dev import azurite
from local_dev.ports import free_ports
from local_dev.programs import start


class Azurite:
    """A storage emulator that can be stopped and started again, keeping its data."""

    def __init__(self, location: Path, *more: str) -> None:
        self.blob_port, self.queue_port, self.table_port = free_ports(3)
        ports = (self.blob_port, self.queue_port, self.table_port)
        self.connection_string = azurite.connection_string(*ports)
        self._program = azurite.program(location, ports, *more)

    @contextmanager
    def running(self) -> Iterator[None]:
        if not azurite.PROGRAM.exists():
            reason = f"Azurite is not installed: no {azurite.PROGRAM}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        self.start()
        yield
        self.stop()

    def start(self) -> None:
        self._running = start(self._program)

    def stop(self) -> None:
        self._running.stop()


class SecureAzurite(Azurite):
    """Azurite over https, which takes Entra tokens; it does not emulate roles."""

    def __init__(self, location: Path) -> None:
        certificate, key = location / "certificate.pem", location / "key.pem"
        write_certificate(certificate, key)
        self.certificate = certificate
        self.trust = ssl.create_default_context(cafile=str(certificate))
        super().__init__(
            location, "--oauth", "basic", "--cert", str(certificate), "--key", str(key)
        )
        self.queue_url = f"https://127.0.0.1:{self.queue_port}/{azurite.ACCOUNT}"
        self.table_url = f"https://127.0.0.1:{self.table_port}/{azurite.ACCOUNT}"


def write_certificate(certificate: Path, key: Path) -> None:
    """Make a certificate for this machine's loopback address, signed by itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
