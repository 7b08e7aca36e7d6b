"""What a host is set to, and what of it a client uses: its authorities, its OpenSSL, its resolver, its libcurl."""

from __future__ import annotations

import ctypes
import os
import socket
import ssl
import subprocess
import sys
import warnings
from pathlib import Path

import places
import proxies
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOKEN = "privy_" + "7" * 40

# One call with the settings of the environment; prints its value, or the class of the exception and its message.
PROGRAMS = {
    "python": """
import os, privy
try:
    settings = {"ca_bundle": os.environ.get("BUNDLE"), "proxy": os.environ.get("PROXY"), "max_retries": 0}
    client = privy.Client(os.environ["TOKEN"], base_url=os.environ["BASE"], **settings)
    print(client.events.ingest("seen", email="row1@example.com").event_id)
except privy.PrivyError as error:
    print(type(error).__name__, error)
""",
    "ruby": """
require "privy"
begin
  settings = { ca_bundle: ENV["BUNDLE"], proxy: ENV["PROXY"], max_retries: 0 }
  client = Privy::Client.new(token: ENV["TOKEN"], base_url: ENV["BASE"], **settings)
  puts client.events.ingest("seen", email: "row1@example.com").event_id
rescue Privy::Error => error
  puts "#{error.class.name[/\\w+$/]} #{error.message}"
end
""",
}


def command(language: str) -> list[str]:
    if language == "python":
        return [sys.executable, "-c", PROGRAMS[language]]
    ruby = (ROOT / "build/ruby-path").read_text().strip()
    return [ruby, f"-I{ROOT}/build/ruby/lib", f"-I{ROOT}/ruby/lib", "-e", PROGRAMS[language]]


@pytest.fixture(params=PROGRAMS)
def ask(request):
    """Makes one call in a process of its own, with these variables in its environment; what it prints."""

    def go(base_url: str, **variables: object) -> str:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PRIVY_", "SSL_CERT_")) and not name.lower().endswith("_proxy")
        }
        more = {name: str(value) for name, value in variables.items()}
        environment = {**kept, "TOKEN": TOKEN, "BASE": base_url, **more}
        done = subprocess.run(
            command(request.param), env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.strip()

    return go


@pytest.fixture(scope="module")
def interpose(tmp_path_factory) -> dict[str, str]:
    """The variable that preloads interpose.c."""
    library = tmp_path_factory.mktemp("interpose") / "interpose.so"
    cc = os.environ.get("CC", "cc")
    subprocess.run([cc, "-shared", "-fPIC", "-o", library, HERE / "interpose.c", "-ldl"], check=True, timeout=60)
    return {"LD_PRELOAD": str(library)}


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux preloads libraries by LD_PRELOAD")

# ---- its authorities ----


class VersionInfo(ctypes.Structure):
    """The beginning of libcurl's curl_version_info_data, of which two members are looked at."""

    _fields_ = [  # noqa: RUF012
        ("age", ctypes.c_int),
        ("version", ctypes.c_char_p),
        ("version_num", ctypes.c_uint),
        ("host", ctypes.c_char_p),
        ("features", ctypes.c_int),
        ("ssl_version", ctypes.c_char_p),
        ("ssl_version_num", ctypes.c_long),
        ("libz_version", ctypes.c_char_p),
        ("protocols", ctypes.c_void_p),
        ("ares", ctypes.c_char_p),
        ("ares_num", ctypes.c_int),
        ("libidn", ctypes.c_char_p),
        ("iconv_ver_num", ctypes.c_int),
        ("libssh_version", ctypes.c_char_p),
        ("brotli_ver_num", ctypes.c_uint),
        ("brotli_version", ctypes.c_char_p),
        ("nghttp2_ver_num", ctypes.c_uint),
        ("nghttp2_version", ctypes.c_char_p),
        ("quic_version", ctypes.c_char_p),
        ("cainfo", ctypes.c_char_p),
        ("capath", ctypes.c_char_p),
    ]


def version_info() -> VersionInfo:
    curl = ctypes.CDLL("libcurl.so.4")
    curl.curl_version_info.restype = ctypes.POINTER(VersionInfo)
    return curl.curl_version_info(6).contents


@pytest.fixture
def trusting(folder, interpose) -> dict[str, str]:
    """The environment of a host that trusts our authority: it lies in its folder of certificates, by its hash."""
    info = version_info()
    if not info.capath or b"OpenSSL" not in info.ssl_version:
        pytest.skip("this libcurl looks no certificates up in a folder of the host's")
    return {
        **interpose,
        "INTERPOSE_CAPATH": info.capath.decode(),
        "INTERPOSE_AUTHORITY": str(folder / "authority.pem"),
        "INTERPOSE_BUNDLE": str(folder / "self_signed.pem"),
    }


@on_linux
def test_a_bundle_replaces_the_host_s_authorities(place, folder, ask, trusting):
    server = place()
    assert ask(server.base_url, **trusting) == "evt_row1"
    reported = ask(server.base_url, **trusting, BUNDLE=folder / "self_signed.pem")
    assert reported.startswith("APIConnectionError")
    assert "certificate" in reported
    assert len(server.seen.requests) == 1


@on_linux
def test_also_for_a_proxy_with_tls(place, folder, ask, trusting):
    server = place(host=proxies.NAMED, through=proxies.connect, proxy_context=places.tls(folder))
    proxy = f"https://{server.proxy}"
    assert ask(server.base_url, **trusting, PROXY=proxy) == "evt_row1"
    assert ask(server.base_url, **trusting, PROXY=proxy, BUNDLE=folder / "self_signed.pem").startswith("APIConn")
    assert server.through == 1


def test_a_bundle_is_for_a_proxy_with_tls_too(place, folder, ask):
    server = place(host=proxies.NAMED, through=proxies.connect, proxy_context=places.tls(folder))
    proxy = f"https://{server.proxy}"
    assert ask(server.base_url, PROXY=proxy, BUNDLE=folder / "authority.pem") == "evt_row1"
    assert ask(server.base_url, PROXY=proxy).startswith("APIConnectionError")
    assert server.through == 1


# ---- its OpenSSL ----

PERMISSIVE = """
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = permissive
[permissive]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""


@pytest.fixture
def permissive(tmp_path) -> dict[str, Path]:
    """The environment of a host whose OpenSSL accepts what is long outdated."""
    path = tmp_path / "openssl.cnf"
    path.write_text(PERMISSIVE)
    return {"OPENSSL_CONF": path}


def speaks_old_tls(base_url: str) -> bool:
    """Whether a client that accepts TLS 1.1 gets through to the server: else a refusal would say nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    port = int(base_url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as connection:
        return connection.version() == "TLSv1.1"


def test_nothing_older_than_tls_1_2_is_spoken(place, folder, ask, permissive):
    server = place(context=places.old_tls(folder))
    assert speaks_old_tls(server.base_url)
    reported = ask(server.base_url, **permissive, BUNDLE=folder / "authority.pem")
    assert reported.startswith("APIConnectionError")
    assert server.seen.requests == []


def test_nor_to_a_proxy(place, folder, ask, permissive):
    server = place(host=proxies.NAMED, through=proxies.connect, proxy_context=places.old_tls(folder))
    proxy = f"https://{server.proxy}"
    assert speaks_old_tls(proxy)
    reported = ask(server.base_url, **permissive, PROXY=proxy, BUNDLE=folder / "authority.pem")
    assert reported.startswith("APIConnectionError")
    assert server.through == 1  # the client of the test itself


# ---- its resolver ----


@on_linux
def test_localhost_is_this_machine_whatever_the_resolver_says(place, ask, interpose):
    server = place(tls=False, host="localhost")
    assert ask(server.base_url, **interpose, INTERPOSE_NO_NAMES=1) == "evt_row1"
    secure = place(host="fault.invalid")
    assert ask(secure.base_url, **interpose, INTERPOSE_NO_NAMES=1).startswith("APIConnectionError")


# ---- its libcurl ----


@on_linux
def test_a_host_without_libcurl_gets_an_error_that_says_what_to_install(place, ask, interpose):
    reported = ask(place(tls=False).base_url, **interpose, INTERPOSE_NO_LIBCURL=1)
    assert reported.startswith(("PrivyError libcurl cannot be loaded: ", "Error libcurl cannot be loaded: "))
    for words in ("Debian, Ubuntu: libcurl4", "Alpine: libcurl", "macOS: brew install curl"):
        assert words in reported
