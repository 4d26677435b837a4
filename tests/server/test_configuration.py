"""Reading settings: precedence, units, and what a wrong line is told."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultstorm_server import configuration
from vaultstorm_server.settings import AppId, Settings
from vaultstorm_wire.errors import UsageError

GUID = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"
OTHER = "0000000a-000b-000c-000d-0000000000ef"

PATHS = [key.path.replace("{guid}", GUID) for key in configuration.describe()]


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """Give the path of a file to write settings to."""
    return tmp_path / "server.toml"


def refused(*overrides: str, file: Path | None = None) -> str:
    """Load what has to be refused, and give the sentence."""
    with pytest.raises(UsageError) as caught:
        configuration.load(file, overrides)
    return str(caught.value)


def test_defaults() -> None:
    """Nothing given is the defaults."""
    assert configuration.load() == Settings()


def test_precedence(toml: Path) -> None:
    """The command line wins over the file, the file over the defaults."""
    toml.write_text("[afd]\nBacklog = 20\nSlack = 1\n")
    settings = configuration.load(toml, ["afd.Backlog=30"])
    assert (settings.afd.Backlog, settings.afd.Slack) == (30, 1)
    assert settings.afd.MaximumStaticBacklog == Settings().afd.MaximumStaticBacklog


def test_last_override_of_a_key_wins() -> None:
    """The same key twice is no error: the last one counts."""
    assert configuration.load(None, ["afd.Backlog=1", "afd.Backlog=2"]).afd.Backlog == 2


def test_every_key_is_reached_by_its_default() -> None:
    """`--set` reaches each key there is, and takes the default that `describe` shows."""
    for key in configuration.describe():
        path, same = key.path.replace("{guid}", GUID), Settings()
        if path != key.path:
            same = Settings(AppID={GUID: AppId()})
        assert configuration.load(None, [f"{path}={key.default}"]) == same, path


def test_describe_is_complete() -> None:
    """Every key of every section is described, with what it is and what is allowed."""
    described = {key.path: key for key in configuration.describe()}
    sections = {name: getattr(Settings(), name) for name in Settings.__struct_fields__}
    sections["AppID.{guid}"] = sections.pop("AppID") or AppId()
    for section, struct in sections.items():
        for name in struct.__struct_fields__:
            assert described.pop(f"{section}.{name}").description
    assert not described


def test_units_and_ranges_are_described() -> None:
    """As a person would write them."""
    described = {key.path: key for key in configuration.describe()}
    assert described["afd.GrowthLag"].unit == "s"
    assert described["afd.GrowthLag"].range == "0 to 60 s"
    assert described["httpsys.MaxFieldLength"].range == "64 to 65534 B"
    assert described["tcpip.Overflow"].range == "windows, reset, refuse or drop"
    assert described["apppool.Name"].default == "DefaultAppPool"
    assert described["rpc.MaxFragment"].range == "1432 to 65535 B"
    assert described["rpc.Ports"].range == "ports and ranges such as 5000-5010,5141"


@pytest.mark.parametrize(
    "written, seconds",
    [("20ms", 0.02), ("0.5", 0.5), ("2", 2.0), ("1min", 60.0), ("0", 0.0), ("3600", 3600.0)],
)
def test_durations(toml: Path, written: str, seconds: float) -> None:
    """A duration takes a unit in the file and on the command line; a bare one is in its own."""
    toml.write_text(f'[afd]\nAcceptInterval = "{written}"\n')
    assert configuration.load(toml).afd.AcceptInterval == pytest.approx(seconds)
    override = f"afd.AcceptInterval={written}"
    assert configuration.load(None, [override]).afd.AcceptInterval == pytest.approx(seconds)


def test_bare_numbers_in_the_file(toml: Path) -> None:
    """Numbers of TOML have the documented unit, also when whole where a part would be allowed."""
    toml.write_text("[afd]\nAcceptInterval = 2\nGrowthLag = 0.25\n[httpsys]\nMaxFieldLength=64\n")
    settings = configuration.load(toml)
    assert settings.afd.AcceptInterval == 2.0
    assert isinstance(settings.afd.AcceptInterval, float)
    assert settings.afd.GrowthLag == 0.25
    assert settings.httpsys.MaxFieldLength == 64


def test_sizes(toml: Path) -> None:
    """A size takes a unit in the file and on the command line."""
    toml.write_text('[httpsys]\nMaxRequestBytes = "32KiB"\n')
    settings = configuration.load(toml, ["httpsys.MaxFieldLength=2KB"])
    assert settings.httpsys.MaxRequestBytes == 32768
    assert settings.httpsys.MaxFieldLength == 2000


def test_numbers_as_the_registry_exports_them(toml: Path) -> None:
    """A DWORD may be written in hexadecimal, as regedit shows it."""
    toml.write_text("[afd]\nBacklog = 0x0a\n")
    assert configuration.load(toml, ["afd.MaximumDynamicBacklog=0x4e20"]).afd == (
        configuration.load(None, ["afd.Backlog=10", "afd.MaximumDynamicBacklog=20000"]).afd
    )


@pytest.mark.parametrize("written, allowed", [(0, False), (1, True), (65535, True), (65536, False)])
def test_range_of_a_count(written: int, allowed: bool) -> None:
    """Both ends of a range are allowed; one beyond is refused with key, value and range."""
    if allowed:
        assert configuration.load(None, [f"afd.Backlog={written}"]).afd.Backlog == written
    else:
        said = refused(f"afd.Backlog={written}")
        assert said == f"--set afd.Backlog = {written} is out of range: 1 to 65535"


@pytest.mark.parametrize("written", ["60.001", "61s", "-1", "2min", "nan", "inf", "9" * 400])
def test_range_of_a_duration(written: str) -> None:
    """A duration out of range is told the range with its unit."""
    assert "is out of range: 0 to 60 s" in refused(f"afd.GrowthLag={written}")


@pytest.mark.parametrize("written", ["63", "65535", "1GiB", "9" * 400, "0"])
def test_range_of_a_size(written: str) -> None:
    """A size out of range is told the range with its unit."""
    assert "is out of range: 64 to 65534 B" in refused(f"httpsys.MaxFieldLength={written}")


def test_a_long_value_is_cut_in_the_message() -> None:
    """Nobody is shown a value of ten thousand digits."""
    assert len(refused(f"afd.Backlog={'9' * 10_000}")) < 200


@pytest.mark.parametrize(
    "line, said",
    [
        ("Backlog = 1.5", "afd.Backlog = 1.5 is not a whole number; allowed is 1 to 65535"),
        ("Backlog = true", "afd.Backlog = true is not a whole number"),
        ("Backlog = 'ten'", "afd.Backlog = ten is not a whole number"),
        ("Backlog = [1]", "afd.Backlog = [1] is not a whole number"),
        ("Backlog = {}", "afd.Backlog = {} is not a whole number"),
        ("AcceptInterval = 'soon'", "is not a duration such as 500ms"),
        ("AcceptInterval = '1KiB'", "is not a duration such as 500ms"),
        ("AcceptInterval = nan", "is out of range: 0 to 3600 s"),
        ("Backlog = 2026-11-22", "afd.Backlog = 2026-11-22 is not a whole number"),
    ],
)
def test_wrong_type_in_the_file(toml: Path, line: str, said: str) -> None:
    """A value of the wrong type is told what would be right, and which file it is in."""
    toml.write_text(f"[afd]\n{line}\n")
    answer = refused(file=toml)
    assert answer.startswith(f"{toml}: ")
    assert said in answer


def test_wrong_word() -> None:
    """A word that is not one of the choices is told them."""
    said = refused("tcpip.Overflow=rst")
    assert said == "--set tcpip.Overflow = rst is not windows, reset, refuse or drop"


@pytest.mark.parametrize("length, allowed", [(0, False), (1, True), (255, True), (256, False)])
def test_length_of_a_text(length: int, allowed: bool) -> None:
    """A text is held to its length."""
    override = f"apppool.Name={'n' * length}"
    if allowed:
        assert len(configuration.load(None, [override]).apppool.Name) == length
    else:
        assert "is not 1 to 255 characters" in refused(override)


def test_number_where_a_text_belongs(toml: Path) -> None:
    """A bare number in place of a text is refused."""
    toml.write_text("[apppool]\nName = 5\n")
    assert "apppool.Name = 5 is not a text in quotes" in refused(file=toml)


def test_a_value_may_hold_equals_signs() -> None:
    """Only the first equals sign separates."""
    assert configuration.load(None, ["apppool.Name=a=b"]).apppool.Name == "a=b"


@pytest.mark.parametrize(
    "override, meant",
    [
        ("afd.backlog=1", "there is no afd.backlog; did you mean afd.Backlog?"),
        ("afd.Baklog=1", "there is no afd.Baklog; did you mean afd.Backlog?"),
        ("afd.SynAttackProtect=1", "did you mean tcpip.SynAttackProtect?"),
        ("afd.Zebra=1", "there is no afd.Zebra; it has Backlog, MaximumStaticBacklog"),
        ("adf.Backlog=1", "there is no section [adf]; there are [afd], [tcpip], [httpsys]"),
        ("adf.Backlog=1", "did you mean [afd]?"),
        ("AFD.Backlog=1", "did you mean [afd]?"),
    ],
)
def test_unknown_names_the_nearest(override: str, meant: str) -> None:
    """An unknown section or key is told the nearest known one, wherever it stands."""
    assert meant in refused(override)


@pytest.mark.parametrize("override", ["", "afd", "afd.Backlog", "Backlog=1", "=1", ".=1", "afd.=1"])
def test_not_an_assignment(override: str) -> None:
    """An override without section, key or value is told the form."""
    said = refused(override)
    assert "write section.Key=value" in said or "there is no section []" in said


@pytest.mark.parametrize(
    "text, said",
    [
        ("[afd]\nBacklog 5\n", ", line 2: Expected '='"),
        ("[afd]\nBacklog = 5\nBacklog = 6\n", ", line 3: "),
        ("[afd\n", ", line 1: "),
        ("Backlog = 5\n", ": Backlog stands outside of a section; sections are [afd], "),
        ("afd = 5\n", ": afd is a section: write [afd]"),
        ("[zebra]\n", ": there is no section [zebra]"),
        ("[afd.more]\nx = 1\n", ": there is no afd.more"),
        ("a = " + "[" * 5000, ": nested too deeply"),
        ("[afd]\nBacklog = " + "9" * 5000, ": "),
    ],
)
def test_wrong_toml(toml: Path, text: str, said: str) -> None:
    """A file that is no TOML is told the line; one of the wrong shape, what would be right."""
    toml.write_text(text)
    assert refused(file=toml).startswith(f"{toml}{said}")


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that cannot be read is named, with the reason."""
    assert "No such file or directory" in refused(file=tmp_path / "none.toml")
    assert "Is a directory" in refused(file=tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in refused(file=binary)


def test_empty_file_and_empty_section(toml: Path) -> None:
    """Nothing in the file is the defaults."""
    toml.write_text("# nothing\n[afd]\n")
    assert configuration.load(toml) == Settings()


@settings(deadline=None)  # the machine may be busy
@given(st.sampled_from(PATHS), st.text(max_size=20))
def test_any_value_is_taken_or_refused(path: str, value: str) -> None:
    """Whatever is assigned to whatever key, the answer is settings or one sentence."""
    said = path
    try:
        configuration.load(None, [f"{path}={value}"])
    except UsageError as error:
        said = str(error)
    assert path in said


def test_settings_inside_another_document() -> None:
    """They are checked as a file's are, and messages begin with the place that is given."""
    settings = configuration.from_document({"afd": {"AcceptInterval": "2ms"}}, "here: ")
    assert settings.afd.AcceptInterval == 0.002
    with pytest.raises(UsageError, match=r"^here: there is no afd.Backlok; did you mean afd.Back"):
        configuration.from_document({"afd": {"Backlok": 1}}, "here: ")
    with pytest.raises(UsageError, match=r"^here: x stands outside of a section"):
        configuration.from_document({"x": 1}, "here: ")


def test_the_nearest_name() -> None:
    """Case does not matter; where nothing is near, there is none."""
    assert configuration.nearest("backlog", ["Slack", "Backlog"]) == "Backlog"
    assert configuration.nearest("zz", ["Slack", "Backlog"]) is None
    assert configuration.nearest("zz", []) is None


def test_what_is_no_toml() -> None:
    """The line is named, and so is what is no text at all."""
    assert configuration.parse(b"a = 1\r\nb = 2", "here") == {"a": 1, "b": 2}
    with pytest.raises(UsageError, match=r"^here, line 2: "):
        configuration.parse(b"a = 1\nb\n", "here")
    with pytest.raises(UsageError, match=r"^here is not UTF-8 text"):
        configuration.parse(b"\xff", "here")


@pytest.mark.parametrize("text", ["", "03:00", "03:00,15:30", " 00:00 , 23:59 "])
def test_a_schedule_is_times_of_day(text: str) -> None:
    """PeriodicRestartSchedule has any number of them, with commas between."""
    read = configuration.load(overrides=[f"apppool.PeriodicRestartSchedule={text}"])
    assert read.apppool.PeriodicRestartSchedule == text.strip()


@pytest.mark.parametrize("text", ["24:00", "3:00", "03:60", "03:00,", "03:00 15:30", "noon"])
def test_a_schedule_that_is_none_is_refused_with_an_example(text: str) -> None:
    """The message says what would be right."""
    with pytest.raises(UsageError, match="is not local times of day such as 03:00,15:30"):
        configuration.load(overrides=[f"apppool.PeriodicRestartSchedule={text}"])


@pytest.mark.parametrize(
    "text, value",
    [("1", 1024), ("0x10", 16 << 10), ("64MiB", 64 << 20), ("512B", 512), ("1.5KiB", 1536)],
)
def test_a_memory_limit_without_a_unit_is_in_kilobytes(text: str, value: int) -> None:
    """As the metabase has it; any other unit is written out."""
    read = configuration.load(overrides=[f"apppool.PeriodicRestartMemory={text}"])
    assert read.apppool.PeriodicRestartMemory == value


def test_a_recycling_time_without_a_unit_is_in_minutes() -> None:
    """As the metabase has it; 500ms is for those who cannot wait."""
    read = configuration.load(
        overrides=["apppool.PeriodicRestartTime=2", "apppool.IdleTimeout=500ms"]
    )
    assert (read.apppool.PeriodicRestartTime, read.apppool.IdleTimeout) == (120.0, 0.5)


@pytest.mark.parametrize("written", [GUID, f"{{{GUID}}}", GUID.upper(), f'"{{{GUID.upper()}}}"'])
def test_an_appid_is_set_however_its_guid_is_written(written: str) -> None:
    """With braces or without, in any case, quoted as TOML has it or not."""
    settings = configuration.load(None, [f"AppID.{written}.RpcProtSeqMaxCalls=0x64"])
    assert settings == Settings(AppID={GUID: AppId(100)})


def test_appids_in_a_file(toml: Path) -> None:
    """One table each; the command line wins; one with nothing of its own has the defaults."""
    toml.write_text(
        f'[AppID."{{{GUID.upper()}}}"]\nRpcProtSeqMaxCalls = 20\n[AppID.{OTHER}]\n[rpc]\n'
    )
    assert configuration.load(toml).AppID == {GUID: AppId(20), OTHER: AppId(10)}
    override = f"AppID.{GUID}.RpcProtSeqMaxCalls=30"
    assert configuration.load(toml, [override]).AppID[GUID] == AppId(30)


@pytest.mark.parametrize(
    "override, said",
    [
        ("AppID.RpcProtSeqMaxCalls=1", "write AppID.{guid}.RpcProtSeqMaxCalls=value"),
        ("AppID=1", "write section.Key=value"),
        ("AppID..RpcProtSeqMaxCalls=1", "AppID: '' is no guid such as {"),
        ("AppID.{guid}.RpcProtSeqMaxCalls=1", "AppID: '{guid}' is no guid"),
        (f"AppID.{GUID}.RpcProtSeqMaxCal=1", f"did you mean AppID.{GUID}.RpcProtSeqMaxCalls?"),
        (f"AppID.{GUID}.X=1", f"there is no AppID.{GUID}.X; it has RpcProtSeqMaxCalls"),
        (f"AppID.{GUID}.RpcProtSeqMaxCalls=-1", "is out of range: 0 to 4294967295"),
        ("rpc.RpcProtSeqMaxCalls=1", "did you mean AppID.{guid}.RpcProtSeqMaxCalls?"),
        ("appid.x.RpcProtSeqMaxCalls=1", "did you mean [AppID]?"),
    ],
)
def test_an_appid_that_is_none(override: str, said: str) -> None:
    """What would be right is said."""
    assert said in refused(override)


def test_a_key_of_no_appid_in_a_file(toml: Path) -> None:
    """It stands under a guid."""
    toml.write_text("[AppID]\nRpcProtSeqMaxCalls = 1\n")
    assert 'write [AppID."{guid}"]' in refused(file=toml)


@pytest.mark.parametrize("text", ["", "5000", "5000-5010", " 5000 - 5010 , 1", "65535", "1-65535"])
def test_ports_are_ranges(text: str) -> None:
    """As in the value that Windows has."""
    assert configuration.load(None, [f"rpc.Ports={text}"]).rpc.Ports == text.strip()


@pytest.mark.parametrize("text", ["0", "65536", "5000-", "-1", "5000,", "5000-5010-5020", "rpc"])
def test_ports_that_are_none(text: str) -> None:
    """They are refused with an example."""
    assert "is not ports and ranges such as 5000-5010,5141" in refused(f"rpc.Ports={text}")
