"""Registry exports as regedit writes them, and as people do."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultstorm_server.registry_file import Entry, Value, parse
from vaultstorm_wire.errors import UsageError

FIVE = "Windows Registry Editor Version 5.00\r\n\r\n"
FOUR = "REGEDIT4\r\n\r\n"
KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Straße"
BODY = f'[{KEY}]\r\n"Zähler"=dword:0000000a\r\n@="ä"\r\n\r\n'
READ = [Entry(4, KEY, "Zähler", 10), Entry(5, KEY, "", "ä")]


def value(text: str, header: str = FIVE) -> Value:
    """Read the value of one line, or of several."""
    (entry,) = parse(f'{header}[K]\r\n"v"={text}\r\n'.encode("utf-8-sig"), "x.reg")
    assert (entry.line, entry.key, entry.name) == (4, "K", "v")
    return entry.value


def refused(data: bytes) -> str:
    """Read what has to be refused, and give the sentence."""
    with pytest.raises(UsageError) as told:
        list(parse(data, "x.reg"))
    return str(told.value)


def sentence(data: bytes) -> str:
    """Read anything: give the sentence where it is refused, else the file's name."""
    try:
        list(parse(data, "x.reg"))
    except UsageError as error:
        return str(error)
    return "x.reg"


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF16_LE + (FIVE + BODY).encode("utf-16-le"),
        codecs.BOM_UTF16_BE + (FIVE + BODY).encode("utf-16-be"),
        codecs.BOM_UTF8 + (FIVE + BODY).encode(),
        (FIVE + BODY).encode(),
        (FIVE + BODY).encode("utf-16-le"),
        (FIVE + BODY).encode("utf-16-be"),
        (FIVE + BODY).replace("\r\n", "\n").encode(),
        (FOUR + BODY).encode("cp1252"),
        (FOUR + BODY).encode(),
        codecs.BOM_UTF16_LE + (FOUR + BODY).encode("utf-16-le"),
    ],
    ids=[
        *("UTF-16LE", "UTF-16BE", "UTF-8 with BOM", "UTF-8", "UTF-16LE bare", "UTF-16BE bare"),
        *("line feeds", "ANSI", "4 in UTF-8", "4 in UTF-16LE"),
    ],
)
def test_every_encoding_is_read(data: bytes) -> None:
    """With a byte order mark or without; version 5 is never in an ANSI code page."""
    assert list(parse(data, "x.reg")) == READ


@pytest.mark.parametrize(
    "text, read",
    [
        ("dword:00000064", 100),
        ("DWORD:FFFFFFFF", 0xFFFFFFFF),
        ("dword:a ; ten", 10),
        ("hex(4):64,00,00,00", 100),
        ("hex(5):00,00,00,64", 100),
        ("hex(b):64,00,00,00,00,00,00,01", 0x0100000000000064),
        ("hex(4):64,00", b"\x64\x00"),
        ("hex(b):64", b"\x64"),
        ("hex:", b""),
        ("hex:0a,FF", b"\x0a\xff"),
        ("hex(0):", b""),
        ("hex:0a,\\\r\n  0b,\\\r\n  0c", b"\x0a\x0b\x0c"),
        ("hex:0a,0b ; two", b"\x0a\x0b"),
        ("hex(2):25,00,61,00,25,00,00,00", "%a%"),
        ("hex(7):61,00,00,00,62,00,00,00,00,00", ("a", "b")),
        ('"a\\\\b \\"c\\""', 'a\\b "c"'),
        ('""', ""),
        ('"one" ; comment', "one"),
        ('"; no comment"', "; no comment"),
        ('"two\r\nlines"', "two\nlines"),
        ("-", None),
        ("- ; gone", None),
    ],
)
def test_every_kind_of_value(text: str, read: Value) -> None:
    """Numbers, texts, lists of texts; other types, and those that do not fit, stay bytes."""
    assert value(text) == read


def test_texts_of_regedit4_are_ansi() -> None:
    """Also those that are written in hexadecimal."""
    assert value("hex(2):25,e4,25,00", FOUR) == "%ä%"
    assert value("hex(7):61,00,62,00,00", FOUR) == ("a", "b")


def test_names_are_read_as_they_are_escaped() -> None:
    """An equals sign, a quote, a backslash, and the default value."""
    lines = ["[K\\[1]]", '"a=b"=dword:1', '"\\"q\\" \\\\"=dword:2', "@=dword:3", '"" = dword:4']
    found = list(parse((FIVE + "\n".join(lines)).encode(), "x.reg"))
    assert [(entry.key, entry.name, entry.value) for entry in found] == [
        ("K\\[1]", "a=b", 1),
        ("K\\[1]", '"q" \\', 2),
        ("K\\[1]", "", 3),
        ("K\\[1]", "", 4),
    ]


def test_comments_and_blank_lines_are_left_out() -> None:
    """Wherever they stand."""
    text = "\n; one\n" + FIVE + ';two\n[K] ; three\n\n  ; four\n"v"=dword:1\n\n'
    assert [entry.value for entry in parse(text.encode(), "x.reg")] == [1]


def test_a_deleted_key_is_one_entry() -> None:
    """It has no name, and nothing stands under it."""
    text = FIVE + '[-HKEY_CLASSES_ROOT\\AppID]\n[K]\n"v"=-\n'
    assert list(parse(text.encode(), "x.reg")) == [
        Entry(3, "HKEY_CLASSES_ROOT\\AppID", None, None),
        Entry(5, "K", "v", None),
    ]


@pytest.mark.parametrize(
    "data, said",
    [
        (b"", "x.reg, line 1: a registry file begins with"),
        (b"[afd]\nBacklog = 10\n", "x.reg, line 1: a registry file begins with"),
        (b"\nREGEDIT5\n", "x.reg, line 2: a registry file begins with"),
        (FIVE.encode() + b"[K]\nv=dword:1", "line 4: 'v=dword:1' is neither a [key] nor"),
        (FIVE.encode() + b"[K\n", "line 3: '[K' is neither"),
        (FIVE.encode() + b'"v"=dword:1', "line 3: '\"v\"=dword:1' stands under no [key]"),
        (FIVE.encode() + b'[-K]\n"v"=dword:1', "line 4: '\"v\"=dword:1' stands under no [key]"),
        (FIVE.encode() + b'[K]\n"v"=dword:', "line 4: 'dword:' is no value"),
        (FIVE.encode() + b'[K]\n"v"=dword:123456789', "line 4: 'dword:123456789' is no value"),
        (FIVE.encode() + b'[K]\n"v"=dword:xyz', "is no value: write dword:0000000a"),
        (FIVE.encode() + b'[K]\n"v"=hex:0a 0b', "is no value"),
        (FIVE.encode() + b'[K]\n"v"=hex:100', "is no value"),
        (FIVE.encode() + b'[K]\n"v"=10', "'10' is no value"),
        (FIVE.encode() + b'[K]\n"v"=', "'' is no value"),
        (FIVE.encode() + b'[K]\n"v"="open\nand\nso on', "line 4: "),
        (FIVE.encode() + b'[K]\n"v"=' + b"x" * 1000, "xx…' is no value"),
        (FIVE.encode() + b"[\xe4]\n", "x.reg is no UTF-8 text"),
        (codecs.BOM_UTF16_LE + b"x", "x.reg is no UTF-16-LE text"),
        (codecs.BOM_UTF8 + b"\xe4", "x.reg is no UTF-8 text"),
    ],
)
def test_what_is_no_export_is_told_its_line(data: bytes, said: str) -> None:
    """And what would be right."""
    answer = refused(data)
    assert said in answer
    assert len(answer) < 200


def test_what_stands_before_a_mistake_has_been_read() -> None:
    """Entries come one by one."""
    entries = parse((FIVE + '[K]\n"v"=dword:1\n"w"=x\n').encode(), "x.reg")
    assert next(entries).value == 1
    with pytest.raises(UsageError):
        next(entries)


PIECES = ["[K]", "[-K]", '"v"=', "@=", "dword:1", "hex(7):", "0a,", "\\", '"', "\n", ";", "-", "ä"]


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["", FIVE, FOUR]),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30),
    st.sampled_from(["utf-8", "utf-16", "cp1252"]),
)
def test_any_text_is_read_or_refused(header: str, pieces: list[str], encoding: str) -> None:
    """Whatever it is made of."""
    data = (header + "".join(pieces)).encode(encoding, "replace")
    assert sentence(data).startswith("x.reg")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """With and without a beginning that is right."""
    for whole in (
        data,
        FOUR.encode() + data,
        codecs.BOM_UTF16_LE + FIVE.encode("utf-16-le") + data,
    ):
        assert sentence(whole).startswith("x.reg")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line",
    [
        '"v"=hex:' + "0a," * 100_000,
        '"v"=hex:' + "0a," * 100_000 + "x",
        '"v"="' + "\\\\" * 100_000,
        '"' + "a\\" * 100_001,
        '"v"=hex:\\\n' * 10_000,
        '"v"="\n' * 10_000,
    ],
    ids=["hex", "hex and a mistake", "open text", "open name", "broken lines", "open texts"],
)
def test_long_lines_take_no_long_time(line: str) -> None:
    """A mistake at the end of one is not looked for in every way there is."""
    assert len(sentence((FIVE + "[K]\n" + line).encode())) < 200
