"""The table of keys held against the contract, and against itself."""

import pytest

from inisched.config.keys import INISCHED, JOB, NOTIFY, POOL, TABLES, Key, Table
from inisched.config.kinds import Kind
from inisched.model.address import Address
from inisched.model.diagnostic import Unreadable

JOB_KEYS = """
    call command manage arg.NAME every at on_day cron timezone active_from active_until jitter
    run_at_start from_end grace misfire max_catchup overlap pool should_run ready ready_every
    override_after report_period after after_on after_future wait_limit then then_on executor
    timeout kill_after retries retry_delay retry_backoff retry_max_delay rerun_interrupted linger
    cwd env.NAME env_file run_as umask nice memory_limit success_codes output_limit notify
    notify_on warn_after expect_within ping description active
"""
INISCHED_KEYS = """
    timezone database durability python_path preload django_settings max_running drain reload
    log_level log_format history_keep history_keep_runs output_keep smtp mail_from sentry_dsn
    metrics
"""


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (JOB, JOB_KEYS),
        (INISCHED, INISCHED_KEYS),
        (POOL, "max wait"),
        (NOTIFY, "mail url webhook command on default repeat digest"),
    ],
)
def test_the_table_has_exactly_the_keys_of_the_contract(table: Table, names: str) -> None:
    assert [key.name for key in table.keys] == names.split()


ALL_KEYS = [key for table in TABLES for key in table.keys]


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_every_key_has_its_help_in_one_line(key: Key) -> None:
    assert key.help
    assert "\n" not in key.help
    assert not key.help.endswith(".")


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_values_of_later_are_among_the_choices(key: Key) -> None:
    assert set(key.later) <= set(key.kind.choices)


def test_a_pattern_takes_any_name_and_is_not_a_word_itself() -> None:
    found = JOB.find("ENV.Home")
    assert found is not None
    assert found.name == "env.NAME"
    assert "env.NAME" not in JOB.words


def kind(name: str, table: Table = JOB) -> Kind:
    found = table.find(name)
    assert found is not None
    return found.kind


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("active", "Yes", True),
        ("active", "off", False),
        ("max_catchup", "0012", 12),
        ("nice", "-20", -20),
        ("retry_backoff", "1.5", 1.5),
        ("output_limit", "512", 512),
        ("output_limit", "64k", 65536),
        ("output_limit", "4 KiB", 4096),
        ("output_limit", "1 MiB", 1048576),
        ("misfire", "ALL", "all"),
        ("notify_on", "failure,\nLate", ("failure", "late")),
        ("success_codes", "3, 0,3", (0, 3)),
        ("umask", "022", 0o22),
        ("umask", "0077", 0o77),
        ("call", "pkg.mod:Class.run", "pkg.mod:Class.run"),
        ("ping", "https://hc.example/x", "https://hc.example/x"),
    ],
)
def test_a_value_is_read(name: str, text: str, value: object) -> None:
    reader = kind(name).read
    assert reader is not None
    assert reader(text) == value


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("active", "maybe", "'maybe' is neither yes nor no"),
        ("max_catchup", "0", "'0' is too small"),
        ("max_catchup", "1e3", "'1e3' is not a whole number"),
        ("max_catchup", "٣", "'٣' is not a whole number"),
        ("nice", "20", "'20' is too large"),
        ("max_catchup", "9" * 50, f"'{'9' * 50}' is too large"),
        ("retry_backoff", "nan", "'nan' is not a number from 1 to 1000"),
        ("output_limit", "2 GiB", "'2 GiB' is too large"),
        ("output_limit", "-1", "'-1' is not a size"),
        ("misfire", "some", "'some' is not known here"),
        ("success_codes", "0, 256", "'256' is not an exit code"),
        ("success_codes", ",", "the list is empty"),
        ("umask", "999", "'999' is not an octal mask"),
        ("call", "func", "'func' names no function in a module"),
        ("call", "pkg..func", "'pkg..func' is not the name of a function"),
        ("call", "pkg.func()", "'pkg.func()' is not the name of a function"),
        ("ping", "example.org", "this is not a URL"),
    ],
)
def test_a_value_that_cannot_be_read_says_why(name: str, text: str, problem: str) -> None:
    reader = kind(name).read
    assert reader is not None
    with pytest.raises(Unreadable) as caught:
        reader(text)
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (":9090", "127.0.0.1"),
        ("localhost:9090", "127.0.0.1"),
        ("0.0.0.0:9090", "0.0.0.0"),
        ("scheduler-1.example.org:9090", "scheduler-1.example.org"),
        ("[::1]:9090", "::1"),
    ],
)
def test_metrics_are_on_loopback_unless_told_otherwise(text: str, host: str) -> None:
    reader = kind("metrics", INISCHED).read
    assert reader is not None
    assert reader(text) == Address(host, 9090)


def test_an_address_is_shown_as_it_stands_in_a_url() -> None:
    assert [str(Address("a.example", 80)), str(Address("::1", 80))] == ["a.example:80", "[::1]:80"]


@pytest.mark.parametrize(
    "text",
    ["9090", "localhost:99999", "localhost:0", "::1:9090", "[::1]", "http://a:9090", "a b:1"],
)
def test_the_metrics_address_needs_a_host_and_a_port(text: str) -> None:
    reader = kind("metrics", INISCHED).read
    assert reader is not None
    with pytest.raises(Unreadable):
        reader(text)
