"""A Django project beside the INI file: its commands are run by the daemon, warm."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from executors.project import imports, make_project
from story.site import Site, stop

JOBS = """\
[inisched]
django_settings = shop.settings
[report]
manage = send_report --to ops@example.org "two words" --end parent
every = 1 second
[refused]
manage = send_report --to ops --end refused
every = never
run_at_start = yes
"""


@pytest.fixture
def project(site: Callable[..., Site]) -> Site:
    made = site(JOBS)
    make_project(made.folder)
    return made


@pytest.mark.skipif(sys.platform != "linux", reason="there is a zygote on Linux only")
def test_commands_run_without_a_new_interpreter_each(project: Site) -> None:
    with project.daemon() as daemon:

        def warm() -> list[str]:
            """The parents of the last four runs, once that is one and not the daemon."""
            ended = [r["id"] for r in project.rows("report") if r["state"] == "success"][-4:]
            printed = [stdout(project, run) for run in ended]
            assert all(text[0] == "two words to ops@example.org: 42" for text in printed)
            parents = [text[1] for text in printed]
            same = len(parents) == 4 and len(set(parents)) == 1
            return parents if same and parents[0] != str(daemon.pid) else []

        project.wait(warm)
        before = imports(project.folder)
        count = len(project.rows("report"))
        project.wait(lambda: len(project.rows("report")) >= count + 2)
        assert imports(project.folder) == before
        assert stop(daemon) == 0


def test_a_command_that_refuses_is_a_failure_with_its_message(project: Site) -> None:
    with project.daemon() as daemon:
        project.wait(lambda: any(r["state"] == "failure" for r in project.rows("refused")))
        assert stop(daemon) == 0
    [row] = project.rows("refused")
    assert (row["exit_code"], row["message"]) == (3, "no paper")


def test_validate_shows_what_is_passed_and_list_what_it_is_for(project: Site) -> None:
    ended = project.inisched("validate")
    assert (ended.returncode, ended.stdout) == (
        0,
        "report: manage send_report(title='two words', to='ops@example.org', end='parent')\n"
        "refused: manage send_report(to='ops', end='refused')\n"
        f"no problems in {project.ini}; 2 of 2 jobs are fine\n",
    )
    listed = json.loads(project.inisched("list", "--json").stdout)
    assert listed[0]["description"] == "Send the report."
    assert listed[1]["passed"] == {"to": "ops", "end": "refused"}


def test_validate_finds_a_command_that_is_not_there_unless_it_may_not_import(project: Site) -> None:
    project.write(JOBS.replace("send_report --to ops@", "send_reprot --to ops@"))
    ended = project.inisched("validate")
    assert (ended.returncode, ended.stdout) == (
        1,
        f"{project.ini}:4:10: error: Django has no management command 'send_reprot'\n"
        '    4 | manage = send_reprot --to ops@example.org "two words" --end parent\n'
        "      |          ^^^^^^^^^^^\n"
        "    expected a command of Django or of one of INSTALLED_APPS\n"
        "    hint: did you mean 'send_report'?\n"
        "refused: manage send_report(to='ops', end='refused')\n"
        f"1 problem in {project.ini}; 1 of 2 jobs is fine\n",
    )
    assert project.inisched("validate", "--no-import").returncode == 0
    before = imports(project.folder)
    project.inisched("validate", "--no-import")
    assert imports(project.folder) == before


def stdout(site: Site, run: int) -> list[str]:
    shown = json.loads(site.inisched("show", str(run), "--json").stdout)
    lines = shown["stdout"].splitlines()
    return [str(line) for line in lines]
