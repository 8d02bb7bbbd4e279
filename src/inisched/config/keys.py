"""The table of keys: the one source for the loader, help, documentation and did-you-mean."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from inisched.config import kinds
from inisched.config.kinds import Kind, choice, choices, whole


class Key(Struct, frozen=True, kw_only=True):
    """One key. `default` is as shown, "" for none.

    A key that is not `in_force` is read and checked, and earns a warning; so do the single
    values named in `later`. `verbatim` values are handed on as they stand: no references, and no
    suspicion of trailing comments. The key "env.NAME" has the `pattern` "env.", and NAME stands for
    any word; a plain one has the pattern "".
    """

    name: str
    kind: Kind
    group: str
    help: str
    default: str = ""
    aliases: tuple[str, ...] = ()
    in_force: bool = False
    later: tuple[str, ...] = ()
    verbatim: bool = False
    pattern: str = ""


class Table:
    """The keys of one sort of section; `heading` is the section as the documentation names it."""

    def __init__(self, heading: str, keys: Iterable[Key]) -> None:
        self.heading = heading
        self.keys = tuple(keys)
        self._by_word = {word: key for key in self.keys for word in (key.name, *key.aliases)}
        self._patterns = [key for key in self.keys if key.pattern]

    def find(self, word: str) -> Key | None:
        """The key a word of the file means, in any case; None where it means none."""
        key = self._by_word.get(word)
        if key is not None:
            return key
        word = word.lower()
        key = self._by_word.get(word)
        if key is None and "." in word:
            return next((key for key in self._patterns if word.startswith(key.pattern)), None)
        return key

    @property
    def words(self) -> tuple[str, ...]:
        """All that may be written as a key, aliases included, patterns left out."""
        return tuple(word for word in self._by_word if not word.endswith(".NAME"))


NOW = True
"""Marks a key that is in force in this version."""

_ENDS = choice("success", "failure", "finished")
_EVENTS = choices("failure", "recovery", "success", "warning", "late", "skipped")
_WHAT, _WHEN = "What to run", "When"
_LATE, _HOW = "When it is late, busy or not ready", "How to run it"
_WHO, _ALL = "Who hears of it", "The whole file"


def _key(
    group: str,
    name: str,
    kind: Kind,
    help: str,
    in_force: bool = False,
    *,
    default: str = "",
    aliases: tuple[str, ...] = (),
    later: tuple[str, ...] = (),
    verbatim: bool = False,
) -> Key:
    return Key(
        name=name, kind=kind, group=group, help=help, default=default, aliases=aliases,
        in_force=in_force, later=later, verbatim=verbatim,
        pattern=name[: -len("NAME")] if name.endswith(".NAME") else "",
    )  # fmt: skip


# fmt: off
JOB = Table("every job", [
    _key(_WHAT, "call", kinds.TARGET, "the Python function to call", NOW, aliases=("callback",)),
    _key(_WHAT, "command", kinds.SCRIPT, "the line or script for /bin/sh", NOW, verbatim=True),
    _key(_WHAT, "manage", kinds.SCRIPT, "the Django management command with its arguments", NOW, verbatim=True),
    _key(_WHAT, "arg.NAME", kinds.TEXT, "a keyword argument of the callback", NOW),

    _key(_WHEN, "every", kinds.EVERY, "the interval or the days of the week", NOW, aliases=("frequency",)),
    _key(_WHEN, "at", kinds.TIMES, "the times of the day (of the hour, of the minute)", NOW),
    _key(_WHEN, "on_day", kinds.ON_DAY, "with months: the day of the month", NOW, default="the day of the first look"),
    _key(_WHEN, "cron", kinds.CRON, "a cron expression, in place of every", NOW),
    _key(_WHEN, "timezone", kinds.ZONE, "the zone the times are meant in", NOW, default="[inisched] timezone"),
    _key(_WHEN, "active_from", kinds.MOMENT, "no fire comes before it", NOW),
    _key(_WHEN, "active_until", kinds.MOMENT, "no fire comes after it", NOW),
    _key(_WHEN, "jitter", kinds.DURATION, "moves each fire later by up to this much", NOW, default="0 s"),
    _key(_WHEN, "run_at_start", kinds.YES_NO, "a fire of its own whenever the daemon starts", NOW, default="no"),
    _key(_WHEN, "from_end", kinds.YES_NO, "count the interval from the end of the latest fire", NOW, default="no"),

    _key(_LATE, "grace", kinds.DURATION, "taken up at most this late is on time", NOW, default="60 s"),
    _key(_LATE, "misfire", choice("coalesce", "skip", "all"), "what becomes of fires later than grace; all where report_period is set", NOW, default="coalesce"),
    _key(_LATE, "max_catchup", whole(1), "with misfire = all: how many of the newest run", NOW, default="1000"),
    _key(_LATE, "overlap", choice("skip", "queue", "replace", "allow"), "what a fire does that finds its job running",
         NOW, default="skip"),
    _key(_LATE, "pool", kinds.NAMES, "the pool whose places the job shares", NOW),
    _key(_LATE, "should_run", kinds.TARGET, "a function whose truth decides whether the fire runs", NOW),
    _key(_LATE, "ready", kinds.TARGET, "a function that says whether the fire need wait no longer", NOW, aliases=("data_available",)),
    _key(_LATE, "ready_every", kinds.DURATION, "how long until ready is asked again", NOW, default="15 minutes"),
    _key(_LATE, "override_after", kinds.DURATION, "so long after the fire it runs even if not ready", NOW),
    _key(_LATE, "report_period", choice("day", "week", "month"), "the period it reports on: the one that ended on the day before the fire", NOW),
    _key(_LATE, "after", kinds.NAMES, "jobs that must have run since this one last ran", NOW),
    _key(_LATE, "after_on", _ENDS, "how they must have ended", NOW, default="success"),
    _key(_LATE, "after_future", kinds.NAMES, "the same, but met when this job never ran", NOW),
    _key(_LATE, "wait_limit", kinds.DURATION, "waiting longer than this for after or ready is a skip", NOW),
    _key(_LATE, "then", kinds.NAMES, "jobs to start after this one", NOW),
    _key(_LATE, "then_on", _ENDS, "how this one must have ended", NOW, default="success"),

    _key(_HOW, "executor", choice("process", "inline", "celery"), "what carries the run out",
         NOW, default="process", later=("celery",)),
    _key(_HOW, "timeout", kinds.DURATION, "TERM to the whole tree after so long", NOW, default="none"),
    _key(_HOW, "kill_after", kinds.DURATION, "KILL so long after TERM", NOW, default="5 s"),
    _key(_HOW, "retries", whole(0), "further attempts after a failure or timeout", NOW, default="0"),
    _key(_HOW, "retry_delay", kinds.DURATION, "the pause before the first retry", NOW, default="60 s"),
    _key(_HOW, "retry_backoff", kinds.FACTOR, "each pause is so many times the one before", NOW, default="2"),
    _key(_HOW, "retry_max_delay", kinds.DURATION, "no pause is longer", NOW, default="1 h"),
    _key(_HOW, "rerun_interrupted", kinds.YES_NO, "carry a fire out again whose run the daemon's death cut off", NOW, default="no"),
    _key(_HOW, "linger", kinds.YES_NO, "leave alone what a run leaves behind", NOW, default="no"),
    _key(_HOW, "cwd", kinds.PATH, "the working directory", NOW, default="the file's folder"),
    _key(_HOW, "env.NAME", kinds.TEXT, "a variable of the run's environment", NOW),
    _key(_HOW, "env_file", kinds.PATH, "a file of NAME=value lines for the run's environment", NOW),
    _key(_HOW, "run_as", kinds.TEXT, "the user to run as; needs root", NOW),
    _key(_HOW, "umask", kinds.MASK, "the file mode creation mask", NOW),
    _key(_HOW, "nice", whole(-20, 19), "the scheduling priority", NOW),
    _key(_HOW, "memory_limit", kinds.SIZE, "the most memory a process of the run may have", NOW),
    _key(_HOW, "success_codes", kinds.EXIT_CODES, "exit codes that count as success", NOW, default="0"),
    _key(_HOW, "output_limit", kinds.SIZE, "how much of each stream is kept", NOW, default="64 KiB"),

    _key(_WHO, "notify", kinds.NAMES, "who hears of this job, or none", NOW, default="every [notify:NAME]"),
    _key(_WHO, "notify_on", _EVENTS, "what they hear of", NOW, default="failure, recovery"),
    _key(_WHO, "warn_after", kinds.DURATION, "say so when a run takes longer", NOW),
    _key(_WHO, "expect_within", kinds.DURATION, "say so when no run has started so long after a fire", NOW),
    _key(_WHO, "ping", kinds.WEB, "a URL pinged at start, success and failure", NOW),
    _key(_WHO, "description", kinds.TEXT, "what the job is for", NOW, default="the first line of its docstring or help"),
    _key(_WHO, "active", kinds.YES_NO, "no: listed and checked, never run", NOW, default="yes"),
])

INISCHED = Table("[inisched]", [
    _key(_ALL, "timezone", kinds.ZONE, "the zone of jobs that name none", NOW, default="the host's"),
    _key(_ALL, "database", kinds.PATH, "where state and history are kept", NOW, default="X.db beside X.ini"),
    _key(_ALL, "durability", choice("full", "normal"), "normal: a power cut may lose the last seconds", NOW, default="full"),
    _key(_ALL, "python_path", kinds.PATHS, "the folders callbacks are imported from", NOW, default="."),
    _key(_ALL, "preload", kinds.NAMES, "modules imported once, before any run", NOW),
    _key(_ALL, "django_settings", kinds.MODULE, "the settings module of manage jobs", NOW, default="$DJANGO_SETTINGS_MODULE"),
    _key(_ALL, "max_running", whole(1), "how many runs there are at a time", NOW, default="10"),
    _key(_ALL, "drain", kinds.DURATION, "how long a leaving daemon waits for its runs", NOW, default="30 s"),
    _key(_ALL, "reload", choice("auto", "signal", "never"), "when an edited file is read again", NOW, default="auto"),
    _key(_ALL, "log_level", choice("debug", "info", "warning", "error"), "how much is logged", NOW, default="info"),
    _key(_ALL, "log_format", choice("text", "json"), "how it is logged", NOW, default="text"),
    _key(_ALL, "history_keep", kinds.DURATION, "how long rows are kept after their end", NOW, default="90 days"),
    _key(_ALL, "history_keep_runs", whole(1), "how many rows of a job are kept", NOW, default="10000"),
    _key(_ALL, "output_keep", kinds.DURATION, "how long output is kept after the end of its run", NOW, default="14 days"),
    _key(_ALL, "smtp", kinds.SERVER, "the mail server", NOW),
    _key(_ALL, "mail_from", kinds.SENDER, "the sender of mail", NOW, default="inisched at this host"),
    _key(_ALL, "sentry_dsn", kinds.DSN, "where failures are reported", NOW),
    _key(_ALL, "metrics", kinds.ADDRESS, "where Prometheus finds metrics; without a host on loopback", NOW),
])

POOL = Table("[pool:NAME]", [
    _key("Pools", "max", whole(1), "how many jobs of the pool run at a time", NOW, default="1"),
    _key("Pools", "wait", kinds.DURATION, "a fire that waits longer is skipped", NOW, default="no limit"),
])

NOTIFY = Table("[notify:NAME]", [
    _key("Notifiers", "mail", kinds.RECIPIENTS, "addresses, through [inisched] smtp", NOW),
    _key("Notifiers", "url", kinds.URL, "any Apprise URL", NOW),
    _key("Notifiers", "webhook", kinds.WEB, "gets the event as JSON", NOW),
    _key("Notifiers", "command", kinds.SCRIPT, "gets the event as JSON on its input", NOW, verbatim=True),
    _key("Notifiers", "on", _EVENTS, "what it hears of", NOW, default="failure, recovery"),
    _key("Notifiers", "default", kinds.YES_NO, "no: only jobs that name it", NOW, default="yes"),
    _key("Notifiers", "repeat", kinds.DURATION, "again while the incident lasts", NOW, default="never"),
    _key("Notifiers", "digest", kinds.DURATION, "collect so long, send one", NOW),
])
# fmt: on

TABLES = (JOB, INISCHED, POOL, NOTIFY)

ACTIONS = ("call", "command", "manage")
RHYTHMS = ("every", "cron")
NAMING = frozenset({"after", "after_future", "then", "pool", "notify"})
"""The keys by which a section names others."""
WHEN_GIVEN = ("every", "cron", "at", "on_day", "from_end")
"""The keys of [DEFAULT] that a section's own `every` or `cron` silences."""


def is_key(word: str) -> bool:
    """Whether a word is a key of any section."""
    return any(table.find(word) for table in TABLES)


def is_reserved(section: str) -> bool:
    """Whether a section of that name is no job."""
    return section == "inisched" or section.startswith(("inisched:", "pool:", "notify:"))
