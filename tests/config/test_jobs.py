"""What becomes of the keys of one section."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from inisched.config.drawing import draw
from inisched.config.loader import Config
from inisched.model.diagnostic import Level
from inisched.model.job import Argument, Call, Command, DjangoSettings, Executor, Manage, Misfire
from inisched.model.place import Place
from inisched.model.schedule import LAST_DAY, Every, Unit
from inisched.timing.zone import host_zone


def codes(config: Config) -> list[str]:
    return [diagnostic.code for diagnostic in config.diagnostics]


def test_a_section_becomes_a_job_with_everything_it_says(load_text) -> None:
    config = load_text("""\
        [report]
        call = shop.report:run
        every = month
        at = 06:00, 18:30
        on_day = last
        timezone = Europe/Paris
        active_from = 2026-12-01
        active_until = 2026-12-31
        jitter = 5 minutes
        run_at_start = yes
        grace = 10m
        misfire = all
        max_catchup = 5
        output_limit = 4 KiB
        success_codes = 0, 3
        executor = inline
        description = Sends the report
        active = no
        copies = 2
        """)
    assert config.diagnostics == ()
    [job] = config.jobs
    assert (job.name, job.place) == ("report", Place("jobs.ini", 1, 2))
    assert job.schedule.every == Every(Unit.MONTH)
    assert job.schedule.at == (6 * 3600, 18 * 3600 + 1800)
    assert job.schedule.on_day == LAST_DAY
    assert job.schedule.zone == "Europe/Paris"
    assert job.schedule.active_from == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert job.schedule.active_until == datetime(2026, 12, 31, 22, 59, 59, 999999, tzinfo=UTC)
    assert job.schedule.jitter == timedelta(minutes=5)
    assert job.schedule.text == "month on the last day at 06:00, 18:30"
    assert (job.run_at_start, job.active, job.description) == (True, False, "Sends the report")
    assert (job.grace, job.misfire, job.max_catchup) == (timedelta(minutes=10), Misfire.ALL, 5)
    assert (job.output_limit, job.success_codes) == (4096, (0, 3))
    assert job.executor is Executor.INLINE
    assert job.action == Call(
        "shop.report:run",
        (
            Argument(
                name="copies",
                text="2",
                shown="2",
                key="copies",
                place=Place("jobs.ini", 19, 10),
                key_place=Place("jobs.ini", 19, 1),
            ),
        ),
        Place("jobs.ini", 2, 8),
    )


def test_what_a_section_leaves_out_has_its_default(load_text) -> None:
    [job] = load_text("[a]\ncommand = true\nevery = day\n").jobs
    assert (job.grace, job.misfire, job.max_catchup) == (
        timedelta(seconds=60),
        Misfire.COALESCE,
        1000,
    )
    assert (job.output_limit, job.success_codes, job.active) == (65536, (0,), True)
    assert (job.executor, job.run_at_start, job.secrets) == (Executor.PROCESS, False, ())


def test_a_command_of_several_lines_is_a_script_without_its_indentation(load_text) -> None:
    config = load_text("[a]\ncommand =\n    cd /srv\n\n    # gone\n      make all\nevery = day\n")
    assert config.jobs[0].action == Command("\ncd /srv\n\nmake all")


def test_keys_of_inisched_match_in_any_case_and_arguments_keep_theirs(load_text) -> None:
    config = load_text("[a]\nCall = a.b\nEVERY = day\nUserName = x\nusername = y\n")
    action = config.jobs[0].action
    assert isinstance(action, Call)
    assert [argument.name for argument in action.arguments] == ["UserName", "username"]


def test_the_old_names_of_call_every_and_ready_are_understood(load_text) -> None:
    config = load_text("[a]\ncallback = a.b\nfrequency = sunday\ndata_available = a.c\n")
    assert config.jobs[0].schedule.every == Every(weekdays=(6,))
    assert config.jobs[0].gates.ready is not None
    assert config.diagnostics == ()


def test_arg_passes_a_name_that_is_also_a_key(load_text) -> None:
    config = load_text("[a]\ncall = a.b\nevery = day\narg.timeout = 5\n")
    action = config.jobs[0].action
    assert isinstance(action, Call)
    assert [(a.name, a.key, a.text) for a in action.arguments] == [("timeout", "arg.timeout", "5")]
    assert config.diagnostics == ()


def test_reboot_is_never_and_a_run_at_start(load_text) -> None:
    [job] = load_text("[a]\ncommand = true\ncron = @reboot\n").jobs
    assert job.run_at_start
    assert job.schedule.on_demand
    assert job.schedule.text == "@reboot"


def test_a_duplicate_key_breaks_its_job_and_no_other(load_text) -> None:
    config = load_text(
        "[a]\ncommand = x\nevery = day\nevery = day\n[b]\ncommand = y\nevery = day\n"
    )
    assert [job.name for job in config.jobs] == ["b"]
    assert [section.name for section in config.broken] == ["a"]


def test_a_duplicate_section_breaks_both(load_text) -> None:
    config = load_text(
        "[a]\ncommand = x\nevery = day\n[b]\ncommand = y\nevery = day\n[a]\ncommand = z\nevery = day\n"
    )
    assert [job.name for job in config.jobs] == ["b"]
    assert [section.name for section in config.broken] == ["a", "a"]


def test_two_spellings_of_one_key_are_a_duplicate(load_text) -> None:
    config = load_text("[a]\ncommand = x\nevery = day\nfrequency = week\n")
    assert [d.message for d in config.diagnostics] == [
        "'frequency' and 'every' of line 3 are the same key"
    ]
    assert config.jobs == ()


def test_an_inactive_job_is_checked_all_the_same(load_text) -> None:
    config = load_text("[a]\ncommand = x\nevery = dya\nactive = no\n")
    assert codes(config) == ["bad-value"]
    assert config.sections[0].active is False


def test_a_misspelt_key_is_not_also_reported_missing(load_text) -> None:
    config = load_text("[a]\ncall = a.b\nevry = 5 minutes\nat = :30\n")
    assert [(d.message, d.hint) for d in config.diagnostics] == [
        ("'evry' is not a key", "did you mean 'every'?")
    ]


def test_an_argument_like_a_key_is_passed_with_a_warning(load_text) -> None:
    config = load_text("[a]\ncall = a.b\nevery = day\ngrcae = 5\n")
    [diagnostic] = config.diagnostics
    assert diagnostic.level is Level.WARNING
    assert diagnostic.message == "'grcae' is passed to the callback as a keyword argument"
    assert diagnostic.hint == "did you mean 'grace'? if not, write arg.grcae = …"
    assert len(config.jobs) == 1


@pytest.mark.parametrize("name", ["date", "days", "name", "path", "user", "all", "report", "count"])
def test_an_ordinary_argument_earns_no_warning(name: str, load_text) -> None:
    assert load_text(f"[a]\ncall = a.b\nevery = day\n{name} = 5\n").diagnostics == ()


def test_a_zone_of_the_file_that_is_wrong_breaks_jobs_that_rely_on_it(load_text) -> None:
    config = load_text("""\
        [inisched]
        timezone = Mars/Base
        [a]
        command = x
        every = day
        [b]
        command = x
        every = day
        timezone = UTC
        """)
    assert codes(config) == ["bad-value"]
    assert [job.name for job in config.jobs] == ["b"]


def test_a_job_without_a_zone_has_that_of_the_file(load_text) -> None:
    config = load_text("[inisched]\ntimezone = Asia/Tokyo\n[a]\ncommand = x\nevery = day\n")
    assert config.jobs[0].schedule.zone == "Asia/Tokyo"
    assert config.sections[0].timezone == "Asia/Tokyo"


def test_settings_are_read_and_paths_are_relative_to_the_file(load_text, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    config = load_text("""\
        [inisched]
        database = var/state.db
        python_path = lib, /opt/shop
        max_running = 3
        drain = 1m
        durability = normal
        reload = never
        log_level = debug
        """)
    settings = config.settings
    assert config.database == tmp_path / "var" / "state.db"
    assert settings.python_path == (tmp_path / "lib", Path("/opt/shop"))
    assert (settings.max_running, settings.drain) == (3, timedelta(minutes=1))
    assert (settings.durability, settings.reload, settings.log_level) == (
        "normal",
        "never",
        "debug",
    )


def test_the_database_stands_beside_the_file(load_text, tmp_path: Path) -> None:
    config = load_text("[a]\ncommand = x\nevery = day\n")
    assert config.database == tmp_path / "jobs.db"
    assert config.settings.python_path == (tmp_path,)


@pytest.mark.parametrize("value", [".", "jobs.ini", ""])
def test_a_wrong_database_breaks_the_settings(value: str, load_text) -> None:
    config = load_text(f"[inisched]\ndatabase = {value}\n[a]\ncommand = x\nevery = day\n")
    assert config.settings_broken
    assert not config.fatal


def test_another_error_in_the_settings_does_not(load_text) -> None:
    config = load_text("[inisched]\ndrain = soon\n[a]\ncommand = x\nevery = day\n")
    assert not config.settings_broken
    assert config.settings.drain == timedelta(seconds=30)
    assert len(config.jobs) == 1


def test_keys_set_are_the_sections_own_keys_as_written(load_text) -> None:
    config = load_text("[DEFAULT]\ngrace = 5\n[a]\nCall = x.y\nEvery = day\n")
    assert config.sections[0].keys_set == {
        "Call": Place("jobs.ini", 4, 1),
        "Every": Place("jobs.ini", 5, 1),
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("executor", "celery"),
    ],
)
def test_a_key_or_value_of_later_is_checked_and_said_not_to_be_in_force(
    key: str, value: str, load_text
) -> None:
    config = load_text(f"[a]\ncall = a.b\nevery = day\n{key} = {value}\n")
    [diagnostic] = config.diagnostics
    assert diagnostic.level is Level.WARNING
    assert "not in force in this version" in diagnostic.message
    assert len(config.jobs) == 1


def test_a_management_command_is_split_as_a_shell_splits_words(load_text) -> None:
    config = load_text("""\
        [inisched]
        django_settings = shop.settings
        [a]
        manage = send --to ops@example.org "two words" it\\'s '$HOME' *
            # no comment
        every = day
        """)
    [action] = [job.action for job in config.jobs]
    assert isinstance(action, Manage)
    assert action.words == (
        "send", "--to", "ops@example.org", "two words", "it's", "$HOME", "*",
    )  # fmt: skip
    assert action.settings == DjangoSettings(
        "shop.settings", "django_settings", Place("jobs.ini", 2, 19)
    )
    assert action.place == Place("jobs.ini", 4, 10)


def test_the_settings_of_a_management_command_may_stand_in_the_environment(
    load_text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.outer")
    config = load_text("""\
        [a]
        manage = check
        every = day
        [b]
        manage = check
        every = day
        env.DJANGO_SETTINGS_MODULE = shop.inner
        """)
    modules = [job.action.settings.module for job in config.jobs]  # type: ignore[union-attr]
    assert modules == ["shop.outer", "shop.inner"]


def test_a_management_command_without_settings_is_an_error_with_the_cure(load_text) -> None:
    config = load_text("[a]\nmanage = migrate\nevery = day\n")
    assert draw(config.diagnostics) == (
        "jobs.ini:2:1: error: 'manage' needs the settings module of a Django project\n"
        "    2 | manage = migrate\n"
        "      | ^^^^^^\n"
        "    expected a line in [inisched] such as: django_settings = shop.settings\n"
    )
    assert config.jobs == ()


def test_a_ring_breaks_every_job_in_it_and_is_said_once(load_text) -> None:
    text = "".join(
        f"[{name}]\ncommand = x\nevery = day\nafter = {other}\n"
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    )
    config = load_text(text)
    errors = [d.message for d in config.diagnostics if d.level is Level.ERROR]
    assert errors == ["jobs wait for each other: a → b → c → a"]
    assert [job.name for job in config.jobs] == ["d"]


def test_a_ring_of_after_and_then_together_is_none(load_text) -> None:
    config = load_text(
        "[a]\ncommand = x\nevery = day\nthen = b\n[b]\ncommand = x\nevery = never\nafter = a\n"
    )
    assert len(config.jobs) == 2


def test_a_value_that_equals_a_jobs_name_is_that_name(load_text) -> None:
    config = load_text(
        "[a, b]\ncommand = x\nevery = day\n[c]\ncommand = x\nevery = day\nafter = a, b\n"
    )
    assert len(config.jobs) == 2


def test_a_job_that_follows_itself_queues(load_text) -> None:
    text = "[a]\ncommand = x\nevery = day\nafter_future = a\noverlap = "
    assert len(load_text(text + "queue\n").jobs) == 1
    assert load_text(text + "allow\n").jobs == ()


def test_a_file_without_jobs_is_a_warning(load_text) -> None:
    for text in ("", "# nothing\n", "[DEFAULT]\nevery = day\n", "[inisched]\n"):
        config = load_text(text)
        assert codes(config) == ["no-jobs"]
        assert not config.fatal


def test_text_before_the_first_section_is_fatal(load_text) -> None:
    config = load_text("command = true\n[a]\ncommand = x\nevery = day\n")
    assert config.fatal
    assert codes(config) == ["no-section"]
    assert config.sections == ()


def test_loading_twice_gives_equal_configs(load_text) -> None:
    text = "[a]\ncall = a.b\nevery = day\nx = 1\n[b]\ncommand = x\nevery = dya\n"
    once, again = (replace(load_text(text), lines=None) for _ in range(2))
    assert once == again


# -- names behind arg. and env.


@pytest.mark.parametrize(
    ("line", "column", "message", "expected"),
    [
        ("arg. = 2", 1, "the name is missing after 'arg.'", "a Python name, as in arg.timeout"),
        (
            "env. = 2",
            1,
            "the name is missing after 'env.'",
            "a name without spaces, as in env.HOME",
        ),
        (
            "env.a b = 2",
            5,
            "'a b' is not a name of a variable",
            "a name without spaces, as in env.HOME",
        ),
        (
            "env.a\x1bb = 2",
            5,
            "'a\x1bb' is not a name of a variable",
            "a name without spaces, as in env.HOME",
        ),
        (
            "arg.a-b = 2",
            5,
            "'a-b' is not the name of an argument",
            "a Python name, as in arg.timeout",
        ),
        (
            "ARG.  2nd = 2",
            7,
            "'2nd' is not the name of an argument",
            "a Python name, as in arg.timeout",
        ),
    ],
)
def test_a_name_that_cannot_be_is_refused_where_it_stands(
    line: str, column: int, message: str, expected: str, load_text
) -> None:
    config = load_text(f"[a]\ncall = a.b\nevery = day\n{line}\n")
    [found] = [d for d in config.diagnostics if d.level is Level.ERROR]
    assert (found.place, found.message, found.expected) == (
        Place("jobs.ini", 4, column),
        message,
        expected,
    )
    assert config.jobs == ()


def test_a_name_that_cannot_be_is_said_once_of_a_command(load_text) -> None:
    config = load_text("[a]\ncommand = true\nevery = day\narg. = 2\n")
    assert [d.message for d in config.diagnostics] == ["the name is missing after 'arg.'"]


def test_a_variable_may_have_any_name_the_system_takes(load_text) -> None:
    config = load_text("[a]\ncommand = true\nevery = day\nenv.my-app.level = 3\n")
    assert len(config.jobs) == 1


# -- zones


@pytest.fixture
def tz(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets $TZ."""

    def set_it(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        host_zone.cache_clear()

    yield set_it
    monkeypatch.undo()
    host_zone.cache_clear()


ONE_JOB = "[a]\ncommand = x\nevery = day\n"


@pytest.mark.parametrize("name", ["UTC-3", "Foo/Bar", "/etc/passwd", ":Foo/Bar"])
def test_a_tz_that_is_no_zone_is_warned_of_by_those_who_rely_on_it(
    name: str, tz: Callable[[str], None], load_text
) -> None:
    tz(name)
    [found] = load_text(ONE_JOB).diagnostics
    assert (found.place, found.code, found.level) == (
        Place("jobs.ini", 1, 1),
        "host-zone",
        Level.WARNING,
    )
    assert found.message == (
        f"the environment's TZ '{name.lstrip(':')}' is no zone this machine knows; "
        f"times are taken as {host_zone()}"
    )
    assert found.expected == "an IANA name such as Europe/Paris"


@pytest.mark.parametrize(
    "text",
    [ONE_JOB + "timezone = UTC\n", "[inisched]\ntimezone = UTC\n" + ONE_JOB],
)
def test_a_tz_that_nobody_relies_on_is_not_warned_of(
    text: str, tz: Callable[[str], None], load_text
) -> None:
    tz("Foo/Bar")
    assert load_text(text).diagnostics == ()


@pytest.mark.parametrize("name", ["", "Europe/Paris", ":Europe/Paris", ":/etc/localtime"])
def test_a_tz_that_is_understood_is_not_warned_of(
    name: str, tz: Callable[[str], None], load_text
) -> None:
    tz(name)
    assert load_text(ONE_JOB).diagnostics == ()


def test_the_zone_to_reckon_with_is_the_files_where_the_jobs_own_cannot_be_read(load_text) -> None:
    text = "[inisched]\ntimezone = Asia/Tokyo\n" + ONE_JOB + "timezone = Mars/Base\n"
    [section] = load_text(text).sections
    assert (section.timezone, section.zone) == ("Mars/Base", "Asia/Tokyo")


def test_the_zone_of_a_broken_job_is_its_own_where_it_can_be_read(load_text) -> None:
    [section] = load_text("[a]\nevery = day\ntimezone = Asia/Tokyo\n").sections
    assert section.job is None
    assert section.zone == "Asia/Tokyo"
