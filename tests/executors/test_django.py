"""Management commands: run in processes of their own, forked and fresh, and judged before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from executors.project import imports, make_project
from executors.test_zygote import Nest, nest_in
from executors.work import await_end, task
from inisched.config.judge import judge
from inisched.config.judgement import Judgement, Request, diagnostics
from inisched.executors.starting import Executors
from inisched.executors.zygote.forking import ForkedRunning
from inisched.executors.zygote.keeper import plan_for
from inisched.model.job import Call, DjangoSettings, Manage
from inisched.model.place import Place
from inisched.model.run import Outcome, State

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="there is a zygote on Linux only")

SETTINGS = DjangoSettings("shop.settings", "django_settings", Place("x.ini", 2, 19))


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_project(tmp_path)
    return tmp_path


def command(*words: str, settings: DjangoSettings = SETTINGS) -> Manage:
    return Manage(words, settings, " ".join(words), Place("x.ini", 4, 10))


def fresh(folder: Path, *words: str, **job: object) -> Outcome:
    """A run in an interpreter of its own."""
    running = Executors(folder, ["."]).start(task(command(*words), **job))
    assert not isinstance(running, Outcome)
    await_end(running)
    return running.outcome()


# -- how it ends


def test_a_command_that_returns_is_a_success_with_what_it_printed(folder: Path) -> None:
    ended = fresh(folder, "send_report", "two words", "--to", "ops")
    assert (ended.state, ended.exit_code, ended.message) == (State.SUCCESS, 0, "")
    assert (ended.stdout, ended.stderr) == (b"two words to ops: 42\n", b"")


def test_a_command_error_is_a_failure_with_its_message_and_code(folder: Path) -> None:
    ended = fresh(folder, "send_report", "--to", "ops", "--end", "refused")
    assert (ended.state, ended.exit_code, ended.message) == (State.FAILURE, 3, "no paper")
    assert ended.stderr == b"CommandError: no paper\nand no ink\n"


def test_the_code_of_a_command_error_may_be_a_success(folder: Path) -> None:
    words = ("send_report", "--to", "ops", "--end", "refused")
    assert fresh(folder, *words, success_codes=(0, 3)).state is State.SUCCESS


def test_arguments_it_does_not_take_are_a_failure(folder: Path) -> None:
    ended = fresh(folder, "send_report")
    message = "Error: the following arguments are required: --to"
    assert (ended.state, ended.exit_code, ended.message) == (State.FAILURE, 1, message)


def test_an_exit_ends_a_command_as_it_ends_a_callback(folder: Path) -> None:
    ended = fresh(folder, "send_report", "--to", "ops", "--end", "exit")
    assert (ended.state, ended.exit_code, ended.message) == (State.FAILURE, 4, "exit code 4")


def test_another_exception_is_a_failure_with_its_traceback(folder: Path) -> None:
    ended = fresh(folder, "send_report", "--to", "ops", "--end", "error")
    assert (ended.state, ended.message) == (State.FAILURE, "LookupError: no such shop")
    assert ended.stderr.startswith(b"Traceback (most recent call last):\n")
    assert ended.stderr.endswith(b"LookupError: no such shop\n")


def test_a_run_without_its_settings_says_so(folder: Path) -> None:
    (folder / "shop" / "settings.py").unlink()
    ended = fresh(folder, "send_report", "--to", "ops")
    assert (ended.state, ended.message) == (State.FAILURE, "module 'shop.settings' not found")


# -- the warm process


@on_linux
def test_commands_are_forked_from_a_process_that_has_set_django_up(folder: Path) -> None:
    action = command("send_report", "--to", "ops")
    with nest_in(folder) as nest:
        _serve(nest, action)
        for number in range(3):
            ended = _forked(nest, action, number)
            assert (ended.state, ended.stdout) == (State.SUCCESS, b"None to ops: 42\n")
    assert imports(folder) == 1


@on_linux
def test_a_callback_beside_commands_finds_the_environment_as_it_was(folder: Path) -> None:
    (folder / "jobs.py").write_text(
        "import os, time\n"
        "def f(): return str((os.environ.get('TZ'), time.timezone, 'DJANGO_SETTINGS_MODULE' in os.environ))\n"
    )
    action, call = command("send_report", "--to", "ops"), Call("jobs.f")
    with nest_in(folder) as nest:
        _serve(nest, action, call)
        forked = _forked(nest, call, 1).output
    fresh = Executors(folder, ["."]).start(task(call))
    assert not isinstance(fresh, Outcome)
    await_end(fresh)
    assert forked == fresh.outcome().output


@on_linux
def test_connections_made_while_django_is_set_up_are_closed_before_the_fork(folder: Path) -> None:
    (folder / "shop" / "apps.py").write_text(
        "from django.apps import AppConfig\n"
        "class Shop(AppConfig):\n"
        "    name = 'shop'\n"
        "    def ready(self):\n"
        "        from django.db import connection\n"
        "        connection.ensure_connection()\n"
    )
    file = folder / "shop" / "management" / "commands" / "held.py"
    file.write_text(
        "from django.core.management.base import BaseCommand\n"
        "from django.db import connection\n"
        "class Command(BaseCommand):\n"
        "    def handle(self, **options): self.stdout.write(str(connection.connection))\n"
    )
    action = command("held")
    with nest_in(folder) as nest:
        _serve(nest, action)
        assert _forked(nest, action, 1).stdout == b"None\n"


@on_linux
def test_other_settings_are_not_forked_from_a_process_that_has_these(folder: Path) -> None:
    with nest_in(folder) as nest:
        _serve(nest, command("check"))
        other = command("check", settings=DjangoSettings("shop.other"))
        assert nest.keeper.start(task(other)) is None


def _serve(nest: Nest, *actions: Manage | Call) -> None:
    jobs = [task(action).job for action in actions]
    nest.keeper.adopt(plan_for(jobs, folder=nest.folder, python_path=["."]))
    nest.until(lambda: nest.keeper.pid is not None)


def _forked(nest: Nest, action: Manage | Call, run_id: int) -> Outcome:
    running = nest.keeper.start(task(action, run_id=run_id))
    assert isinstance(running, ForkedRunning), "not forked"
    return nest.end(running)


# -- judged


def judged(folder: Path, *actions: Manage) -> tuple[dict[str, Judgement], str]:
    """The judgements, and what is said: place, message, expected, hint."""
    asked = [Request(str(n), action, "UTC") for n, action in enumerate(actions)]
    found = judge(asked, folder=folder)
    lines = [
        f"{d.place.line}:{d.place.column}+{d.length} {d.key}: {d.message} | {d.expected} | {d.hint}"
        for d in diagnostics(asked, found)
    ]
    return found, "\n".join(lines)


def test_a_good_command_is_told_of(folder: Path) -> None:
    found, said = judged(folder, command("send_report", "two words", "--to=ops", "--copies", "3"))
    assert said == ""
    assert found["0"].passed == {"title": "two words", "to": "ops", "copies": 3}
    assert found["0"].doc == "Send the report."


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            "send_reprot --to ops",
            "4:10+11 manage: Django has no management command 'send_reprot' | "
            "a command of Django or of one of INSTALLED_APPS | did you mean 'send_report'?",
        ),
        (
            "manage.py send_report",
            "4:10+9 manage: Django has no management command 'manage.py' | "
            "a command of Django or of one of INSTALLED_APPS | "
            "write the name of the command, without the program before it",
        ),
        (
            "send_report",
            "4:10+11 manage: the command 'send_report' does not take these arguments: "
            "the following arguments are required: --to | "
            "what django-admin help send_report tells | ",
        ),
        (
            "send_report --to ops --copies many",
            "4:10+34 manage: the command 'send_report' does not take these arguments: "
            "argument --copies: invalid int value: 'many' | "
            "what django-admin help send_report tells | ",
        ),
        (
            "send_report --to ops --settings=x",
            "4:31+10 manage: '--settings' is for manage.py and does nothing here | "
            "'django_settings' in [inisched] | ",
        ),
    ],
)
def test_what_does_not_fit_is_said_at_its_place(folder: Path, words: str, text: str) -> None:
    assert judged(folder, command(*words.split()))[1] == text


def test_settings_that_are_not_there_are_said_once_at_their_line(folder: Path) -> None:
    settings = DjangoSettings("shop.setings", "django_settings", Place("x.ini", 2, 19))
    found, said = judged(
        folder, command("check", settings=settings), command("migrate", settings=settings)
    )
    assert said == (
        "2:24+7 django_settings: module 'shop.setings' not found |  | did you mean 'settings'?"
    )
    assert [one.ok for one in found.values()] == [False, False]


def test_settings_behind_a_reference_are_not_quoted(folder: Path) -> None:
    settings = DjangoSettings(
        "shop.hidden", "django_settings", Place("x.ini", 2, 19), shown="${env:S}"
    )
    assert judged(folder, command("check", settings=settings))[1] == (
        "2:19+8 django_settings: what '${env:S}' stands for names a module that is not found | "
        "a module such as shop.settings | "
    )


def test_an_app_that_cannot_be_set_up_is_said_with_its_place(folder: Path) -> None:
    (folder / "shop" / "models.py").write_text("\n1 / 0\n")
    assert judged(folder, command("check"))[1] == (
        "2:19+13 django_settings: setting up Django failed: ZeroDivisionError: division by zero | "
        " | raised at shop/models.py:2"
    )


def test_a_command_that_cannot_be_imported_is_said(folder: Path) -> None:
    file = folder / "shop" / "management" / "commands" / "torn.py"
    file.write_text("import nothing_of_that_name\n")
    assert judged(folder, command("torn"))[1] == (
        "4:10+4 manage: importing 'shop.management.commands.torn' failed: "
        "ModuleNotFoundError: No module named 'nothing_of_that_name' |  | "
        "raised at shop/management/commands/torn.py:1"
    )


def test_without_django_the_cure_is_named(folder: Path) -> None:
    (folder / "django.py").write_text("raise ImportError('not here')\n")
    assert judged(folder, command("check"))[1] == (
        "2:19+13 django_settings: Django is not installed |  | install inisched[django]"
    )


def test_commands_under_different_settings_are_judged_apart(folder: Path) -> None:
    other = (folder / "shop" / "settings.py").read_text().replace('"shop"', "")
    (folder / "shop" / "other.py").write_text(other)
    settings = DjangoSettings("shop.other", "env.DJANGO_SETTINGS_MODULE", Place("x.ini", 9, 30))
    found, said = judged(
        folder,
        command("send_report", "--to", "ops"),
        command("check", settings=settings),
        command("send_report", "--to", "ops", settings=settings),
    )
    assert [one.ok for one in found.values()] == [True, True, False]
    assert "Django has no management command 'send_report'" in said


def test_the_daemon_imports_nothing_of_django(folder: Path) -> None:
    """It reads the file, plans its zygote, has the commands judged and starts a run."""
    (folder / "jobs.ini").write_text(
        "[inisched]\ndjango_settings = shop.settings\n[a]\nmanage = check\nevery = day\n"
    )
    code = dedent("""
        import sys
        from pathlib import Path
        import inisched.engine.daemon
        from executors.work import await_end, task
        from inisched.config.judge import judge
        from inisched.config.judged import requests
        from inisched.config.loader import load
        from inisched.executors.starting import Executors
        from inisched.executors.zygote.keeper import plan_for
        config = load("jobs.ini", strict_references=True)
        plan_for(config.jobs, folder=Path.cwd(), python_path=["."])
        assert judge(requests(config), folder=Path.cwd())["a"].ok
        running = Executors(Path.cwd(), ["."]).start(task(config.jobs[0].action))
        await_end(running)
        assert running.outcome().exit_code == 0
        print([name for name in sys.modules if name.partition(".")[0] in ("django", "shop")])
    """)
    path = str(Path(__file__).parent.parent)
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
