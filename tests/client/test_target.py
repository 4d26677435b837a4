"""URLs, good and bad."""

import socket

import pytest

from vaultstorm_client.target import Address, endpoint, is_near, parse
from vaultstorm_wire.errors import MachineError, UsageError


@pytest.mark.parametrize(
    "url, port, netloc, path",
    [
        ("https://127.0.0.1", 443, "127.0.0.1", ""),
        ("https://127.0.0.1:443/", 443, "127.0.0.1", "/"),
        ("https://127.0.0.1:80", 80, "127.0.0.1:80", ""),
        ("http://127.0.0.1", 80, "127.0.0.1", ""),
        ("HTTP://127.0.0.1:1/a%20b?c=d&e", 1, "127.0.0.1:1", "/a%20b?c=d&e"),
        ("http://127.0.0.1?x=1", 80, "127.0.0.1", "/?x=1"),
        ("http://127.0.0.1/?", 80, "127.0.0.1", "/"),
        ("tcp://127.0.0.1:65535", 65535, "127.0.0.1:65535", ""),
        ("https://[::1]:8443/x", 8443, "[::1]:8443", "/x"),
        ("https://[::1]", 443, "[::1]", ""),
        ("tcp://[::ffff:127.0.0.1]:1", 1, "[::ffff:127.0.0.1]:1", ""),
        ("rpc://127.0.0.1", 135, "127.0.0.1", ""),
        ("rpc://127.0.0.1:1135", 1135, "127.0.0.1:1135", ""),
        ("rpc://[::1]", 135, "[::1]", ""),
        ("http://10.1.2.3", 80, "10.1.2.3", ""),
        ("http://169.254.1.1", 80, "169.254.1.1", ""),
        ("http://[fd00::1]", 80, "[fd00::1]", ""),
    ],
)
def test_good(url: str, port: int, netloc: str, path: str) -> None:
    """A URL is taken apart, and shown again the shortest way."""
    target = parse(url)
    assert (target.port, target.netloc, target.path) == (port, netloc, path)
    assert target.address.sockaddr[1] == port
    assert str(target) == f"{target.scheme}://{netloc}{path}"
    assert parse(str(target)) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:443",
        "ftp://127.0.0.1",
        "rpc://127.0.0.1/path",
        "rpc://127.0.0.1:135/?a",
        "https://",
        "https:///path",
        "https://:443",
        "https://127.0.0.1:0",
        "https://127.0.0.1:65536",
        "https://127.0.0.1:-1",
        "https://127.0.0.1:x",
        "https://[::1",
        "https://user@127.0.0.1",
        "https://user:pass@127.0.0.1",
        "https://@127.0.0.1",
        "https://127.0.0.1/#fragment",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/a\x7f",
        "https://127.0.0.1/µ",
        "http://\uff4cocalhost",
        "tcp://127.0.0.1",
    ],
)
def test_bad(url: str) -> None:
    """What is no target is refused, and named."""
    with pytest.raises(UsageError, match=r"127|URL|target|xx|xn--"):
        parse(url)


@pytest.mark.parametrize(
    "url", ["https://8.8.8.8", "tcp://[2001:4860:4860::8888]:1", "tcp://[::ffff:8.8.8.8]:1"]
)
def test_remote(url: str) -> None:
    """Somebody else's machine is only accepted when that is said."""
    with pytest.raises(UsageError, match="--allow-remote"):
        parse(url)
    assert parse(url, allow_remote=True).host in url


@pytest.mark.parametrize(
    "host, near",
    [
        ("127.0.0.1", True),
        ("10.0.0.1", True),
        ("169.254.1.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True),
        ("0.0.0.0", True),
        ("fc00::1", True),
        ("172.15.255.255", False),
        ("172.16.0.0", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("100.64.0.1", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("203.0.113.1", False),
        ("240.0.0.1", False),
        ("2001:db8::1", False),
        ("8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
        ("2001:4860:4860::8888", False),
    ],
)
def test_near(host: str, near: bool) -> None:
    """Loopback and private addresses are near."""
    assert is_near(host) is near


def test_whether_a_server_may_name_remote_ones() -> None:
    """A target remembers whether addresses beyond the private ones are allowed."""
    assert not parse("rpc://127.0.0.1").allow_remote
    assert parse("rpc://127.0.0.1", allow_remote=True).allow_remote


def test_no_such_host() -> None:
    """A host that does not resolve is the machine's trouble."""
    with pytest.raises(MachineError, match="does not resolve"):
        parse("http://nobody.invalid")


def test_addresses() -> None:
    """Addresses are written with brackets where they need them."""
    assert endpoint(("127.0.0.1", 1)) == "127.0.0.1:1"
    assert endpoint(("::1", 1, 0, 0)) == "[::1]:1"
    assert str(Address(socket.AF_INET, ("127.0.0.1", 1))) == "127.0.0.1:1"
