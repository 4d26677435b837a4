"""Certificates: modes, reuse, renewal, starts at once, and the user's own."""

import datetime
import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName, load_pem_x509_certificate

from vaultstorm_server.httpsys import tls
from vaultstorm_wire.errors import MachineError, UsageError

ROOT = Path(__file__).parents[3]


def names(directory: Path) -> set[str]:
    """Read the names of the certificate that is there."""
    found = load_pem_x509_certificate((directory / tls.LEAF_FILE).read_bytes())
    both = found.extensions.get_extension_for_class(SubjectAlternativeName).value
    return {str(n) for kind in (DNSName, IPAddress) for n in both.get_values_for_type(kind)}


def contents(directory: Path) -> dict[str, bytes]:
    """Read all files."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_first_start_makes_an_authority_and_a_certificate(tmp_path: Path) -> None:
    """Directory and keys are the owner's alone, whatever the umask."""
    before = os.umask(0)
    try:
        context, ca = tls.server_context(tmp_path / "a" / "tls", "vault.example")
    finally:
        os.umask(before)

    directory = tmp_path / "a" / "tls"
    assert ca == directory / "ca.pem"
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == {"authority.pem": 0o600, "ca.pem": 0o644, "server.pem": 0o600, ".lock": 0o600}
    assert b"PRIVATE" not in ca.read_bytes()
    assert names(directory) >= {"localhost", "127.0.0.1", "::1", "vault.example"}


@pytest.mark.parametrize(
    "host, name",
    [
        ("10.1.2.3", "10.1.2.3"),
        ("FE80::1%eth0", "fe80::1"),
        ("Büro.example.", "xn--bro-hoa.example"),
    ],
)
def test_the_host_is_in_the_certificate(tmp_path: Path, host: str, name: str) -> None:
    """Names and addresses stand there in the spelling that clients compare."""
    tls.server_context(tmp_path / "tls", host)
    once = contents(tmp_path / "tls")
    tls.server_context(tmp_path / "tls", host)

    assert name in names(tmp_path / "tls")
    assert contents(tmp_path / "tls") == once


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "no_name", "", "a..b", "x" * 64])
def test_what_no_client_can_ask_for_is_left_out(tmp_path: Path, host: str) -> None:
    """Any host gives a certificate for the names of this machine."""
    tls.server_context(tmp_path / "tls", host)

    assert names(tmp_path / "tls") >= {"localhost", "127.0.0.1", "::1"}
    assert host not in names(tmp_path / "tls")


def test_what_is_there_is_used_again(tmp_path: Path) -> None:
    """A second start changes nothing, and a third one for another host keeps the authority."""
    tls.server_context(tmp_path / "tls", "localhost")
    first = contents(tmp_path / "tls")
    tls.server_context(tmp_path / "tls", "localhost")
    assert contents(tmp_path / "tls") == first

    tls.server_context(tmp_path / "tls", "other.example")

    third = contents(tmp_path / "tls")
    assert third["ca.pem"] == first["ca.pem"]
    assert third["authority.pem"] == first["authority.pem"]
    assert "other.example" in names(tmp_path / "tls")


def test_reuse_does_without_the_slow_import(tmp_path: Path) -> None:
    """Cryptography is imported only when something is issued."""
    tls.server_context(tmp_path / "tls", "localhost")
    code = (
        "import sys; from pathlib import Path; from vaultstorm_server.httpsys import tls; "
        f"tls.server_context(Path({str(tmp_path / 'tls')!r}), 'localhost'); "
        "sys.exit('cryptography' in sys.modules or 'trustme' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "server")}

    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


@pytest.mark.parametrize("days, kept", [(-1, False), (29, False), (31, True)])
def test_a_certificate_is_renewed_before_it_expires(tmp_path: Path, days: int, kept: bool) -> None:
    """Thirty days before its end a certificate is issued anew, by the same authority."""
    directory = tmp_path / "tls"
    tls.server_context(directory, "localhost")
    authority = (directory / tls.AUTHORITY_FILE).read_bytes()
    now = datetime.datetime.now(datetime.UTC)
    old = trustme.CA.from_pem(authority, authority).issue_cert(
        *names(directory),
        not_before=now - datetime.timedelta(days=60),
        not_after=now + datetime.timedelta(days=days),
    )
    (directory / tls.LEAF_FILE).write_bytes(old.private_key_and_cert_chain_pem.bytes())

    _, ca = tls.server_context(directory, "localhost")

    unchanged = old.private_key_and_cert_chain_pem.bytes()
    assert ((directory / tls.LEAF_FILE).read_bytes() == unchanged) is kept
    assert ca is not None
    assert ca.read_bytes() in authority


@pytest.mark.parametrize("name", [tls.CA_FILE, tls.LEAF_FILE, tls.AUTHORITY_FILE])
@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_is_made_again(tmp_path: Path, name: str, damage: bytes | None) -> None:
    """Whichever file is missing or broken, clients that trust the authority are served after."""
    directory = tmp_path / "tls"
    tls.server_context(directory, "localhost")
    if damage is None:
        (directory / name).unlink()
    else:
        (directory / name).write_bytes(damage)

    for host in ("localhost", "other.example"):  # the second needs the authority
        _, ca = tls.server_context(directory, host)
        assert ca is not None
        assert tls._will_do(ca, directory / tls.LEAF_FILE, {"localhost"})


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    """A private key that was open to others is replaced."""
    directory = tmp_path / "tls"
    tls.server_context(directory, "localhost")
    before = contents(directory)
    (directory / tls.LEAF_FILE).chmod(0o644)

    tls.server_context(directory, "localhost")

    assert contents(directory)[tls.LEAF_FILE] != before[tls.LEAF_FILE]
    assert stat.S_IMODE((directory / tls.LEAF_FILE).stat().st_mode) == 0o600


def test_servers_that_start_at_once_agree(tmp_path: Path) -> None:
    """Processes that start in one empty directory share one authority and one certificate."""
    code = (
        "import sys; from pathlib import Path; from vaultstorm_server.httpsys import tls; "
        "sys.stdin.readline(); "
        f"c, ca = tls.server_context(Path({str(tmp_path / 'tls')!r}), 'localhost'); "
        "print(ca.read_bytes().hex(), (ca.parent / tls.LEAF_FILE).read_bytes().hex())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = {process.communicate()[0] for process in started}

    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(printed) == 1
    assert sorted(contents(tmp_path / "tls")) == sorted(
        [".lock", tls.CA_FILE, tls.AUTHORITY_FILE, tls.LEAF_FILE]
    )


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """Make a certificate and a key of the user's."""
    issued = trustme.CA().issue_cert("vault.example")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return cert, key


def test_the_users_own_certificate_is_used(tmp_path: Path, own: tuple[Path, Path]) -> None:
    """With --cert nothing is made, and there is no authority to name."""
    cert, key = own
    context, ca = tls.server_context(tmp_path / "tls", "localhost", cert, key)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    tls.server_context(tmp_path / "tls", "localhost", both)

    assert ca is None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert not (tmp_path / "tls").exists()


def test_what_is_no_certificate_is_said_so(tmp_path: Path, own: tuple[Path, Path]) -> None:
    """Missing, foreign, swapped and unreadable files each give a sentence."""
    cert, key = own
    other = tmp_path / "other.pem"
    other.write_bytes(trustme.CA().issue_cert("b").private_key_pem.bytes())
    garbage = tmp_path / "garbage.pem"
    garbage.write_bytes(b"garbage")
    missing = tmp_path / "missing.pem"
    for pair, sentence in [
        ((cert, other), "do not belong together"),
        ((missing, key), "cannot read --cert .*No such file"),
        ((cert, missing), "cannot read --key .*No such file"),
        ((tmp_path, key), "cannot read --cert .*directory"),
        ((garbage, key), "not a PEM certificate chain"),
        ((cert, garbage), "not a PEM certificate chain"),
        ((cert, None), "not a PEM certificate chain"),
        ((None, key), "needs its certificate"),
    ]:
        with pytest.raises(UsageError, match=sentence):
            tls.server_context(tmp_path / "tls", "localhost", *pair)


def test_an_encrypted_key_is_refused_without_asking(tmp_path: Path, own: tuple[Path, Path]) -> None:
    """No password is asked for on the terminal."""
    from cryptography.hazmat.primitives import serialization as form

    cert, key = own
    loaded = form.load_pem_private_key(key.read_bytes(), None)
    encryption = form.BestAvailableEncryption(b"secret")
    key.write_bytes(loaded.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, encryption))

    with pytest.raises(UsageError, match="encrypted"):
        tls.server_context(tmp_path / "tls", "localhost", cert, key)


def test_a_directory_that_will_not_do_is_said_so(tmp_path: Path) -> None:
    """A file, a directory open to others, and one that cannot be made each give a sentence."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    for directory, sentence in [
        (file, "not a directory"),
        (file / "tls", "--tls-dir"),
        (shared, "others may write"),
        (Path("/proc/nowhere/tls"), "--tls-dir"),
    ]:
        with pytest.raises(MachineError, match=sentence):
            tls.server_context(directory, "localhost")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    """Keys are not kept where somebody else rules."""
    directory = tmp_path / "tls"
    directory.mkdir(mode=0o700)
    os.chown(directory, 12345, -1)

    with pytest.raises(MachineError, match="another user"):
        tls.server_context(directory, "localhost")
