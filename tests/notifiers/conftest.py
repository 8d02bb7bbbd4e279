"""A web site, a mail server and a certificate."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifiers.post_office import Office, office
from notifiers.web import Site
from notifiers.web import site as a_site


@pytest.fixture
def site() -> Iterator[Site]:
    with a_site() as here:
        yield here


@pytest.fixture
def post() -> Iterator[Office]:
    with office() as here:
        yield here


@pytest.fixture(scope="session")
def self_made(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate nobody trusts."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mail.example -keyout {key} -out {certificate}"
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
