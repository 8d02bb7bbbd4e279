"""`inisched test`: the job as the daemon would run it, here and now."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from story.site import Site, stop

Make = Callable[..., Site]

DOWN = "inisched: no daemon can be reached: the environment is your own\n"


def told(site: Site, *words: str, **environment: str) -> tuple[int, str, str]:
    """Exit code and both streams, durations left out."""
    done = site.inisched("test", *words, **environment)
    out = re.sub(r"^(a: \w+ after) [\d.]+ s", r"\1 D", done.stdout, flags=re.MULTILINE)
    return done.returncode, out, done.stderr


def job(*lines: str) -> str:
    return "\n".join(["[a]", "every = never", *lines, ""])


def _live(site: Site) -> Any:
    """The command under way, its standard output to be read as it comes."""
    return subprocess.Popen(
        site._command("test", "a"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


# -- how it ends


def test_a_success_exits_with_0(site: Make) -> None:
    s = site(job("command = echo out; echo err >&2"))
    assert told(s, "a") == (0, "out\na: success after D\n", DOWN + "err\n")


def test_a_failure_exits_with_1(site: Make) -> None:
    s = site(job("command = exit 3"))
    assert told(s, "a") == (1, "a: failure after D: exit code 3\n", DOWN)


KINDS = """\
from inisched import STATUS, Result, Skip
def warn(): return Result(STATUS.WARNING, "for a user", "for an administrator")
def skip(): raise Skip("nothing to do")
def bad(): return False
"""


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("warn", 0, "for an administrator\na: warning after D: for a user\n"),
        ("skip", 75, "a: skipped after D: nothing to do\n"),
        ("bad", 1, "a: failure after D: returned False\n"),
    ],
)
@pytest.mark.parametrize("executor", ["process", "inline"])
def test_a_callback_ends_as_it_says(
    site: Make, name: str, code: int, line: str, executor: str
) -> None:
    s = site(job(f"call = kinds.{name}", f"executor = {executor}"), kinds=KINDS)
    assert told(s, "a") == (code, line, DOWN)


def test_what_an_inline_callback_prints_is_shown(site: Make) -> None:
    s = site(job("call = shop.f", "executor = inline"), shop="def f(): print('here')\n")
    assert told(s, "a") == (0, "here\na: success after D\n", DOWN)


def test_a_timeout_is_a_failure(site: Make) -> None:
    s = site(job("command = sleep 2468", "timeout = 1s"))
    assert told(s, "a") == (1, "a: timeout after D: timed out after 1 s\n", DOWN)


def test_what_a_run_leaves_behind_is_ended(site: Make) -> None:
    s = site(job("command = sleep 3579 > /dev/null 2>&1 &"))
    code, out, _ = told(s, "a")
    assert (code, out) == (0, "a: success after D: left a process behind, ended\n")
    assert subprocess.run(["pgrep", "-f", "sleep 3579"], capture_output=True).returncode == 1


def test_retries_and_what_follows_do_not_count(site: Make) -> None:
    s = site(job("command = echo once; exit 1", "retries = 3", "retry_delay = 0s"))
    assert told(s, "a") == (1, "once\na: failure after D: exit code 1\n", DOWN)


def test_an_inactive_job_is_run(site: Make) -> None:
    s = site(job("command = echo hi", "active = no"))
    assert told(s, "a") == (0, "hi\na: success after D\n", DOWN)


def test_output_comes_while_the_job_runs(site: Make) -> None:
    s = site(job("command = echo first; read line < door; echo second"))
    os.mkfifo(s.folder / "door")
    with _live(s) as process:
        assert process.stdout.readline() == "first\n"
        (s.folder / "door").write_text("go\n")
        assert process.stdout.read().startswith("second\n")


def test_ctrl_c_ends_the_whole_run(site: Make) -> None:
    s = site(job("command = sleep 4680 & echo ready; wait"))
    with _live(s) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        line = process.stdout.read()
    assert process.returncode == 130
    assert re.fullmatch(r"a: stopped after \S+ s: broken off\n", line)
    assert subprocess.run(["pgrep", "-f", "sleep 4680"], capture_output=True).returncode == 1


# -- what it is told


def test_it_runs_for_the_moment_asked_for(site: Make) -> None:
    s = site(job("command = echo $INISCHED_SCHEDULED_FOR", "timezone = Europe/Paris"))
    _, out, _ = told(s, "a", "--at", "2026-07-01T06:00")
    assert out == "2026-07-01T04:00:00+00:00\na: success after D\n"


def test_a_callback_is_handed_the_moment_asked_for(site: Make) -> None:
    s = site(
        job("call = shop.f", "timezone = UTC"),
        shop="def f(scheduled_for, attempt): print(scheduled_for, attempt)\n",
    )
    _, out, _ = told(s, "a", "--at", "2026-07-01T06:00")
    assert out == "2026-07-01 06:00:00+00:00 1\na: success after D\n"


def test_it_runs_in_the_daemons_environment(site: Make) -> None:
    s = site(job("command = echo ${FROM:-nobody}"))
    with s.daemon(FROM="the daemon"):
        assert told(s, "a", FROM="the shell") == (0, "the daemon\na: success after D\n", "")


def test_references_are_those_of_the_daemons_environment(site: Make) -> None:
    s = site(job("call = shop.f", "word = ${env:WORD}"), shop="def f(word): print(len(word))\n")
    with s.daemon(WORD="abc"):
        assert told(s, "a") == (0, "3\na: success after D\n", "")


def test_secrets_are_masked_as_they_come(site: Make) -> None:
    s = site(
        job("call = shop.tell", "password = ${env:SHOP_PASSWORD}"),
        shop="def tell(password): print('it is', password)\n",
    )
    _, out, _ = told(s, "a", SHOP_PASSWORD="correct horse battery")
    assert out == "it is ***\na: success after D\n"


# -- what is wrong


def test_a_job_that_is_not_there_exits_with_4(site: Make) -> None:
    s = site(job("command = true").replace("[a]", "[report]"))
    message = "inisched: there is no job 'reprt'; did you mean 'report'?\n"
    assert told(s, "reprt") == (4, "", DOWN + message)


def test_a_broken_job_is_not_run_and_only_its_problems_are_told(site: Make) -> None:
    s = site(job("command = true").replace("never", "nevr") + "[b]\nevery = dya\ncommand = true\n")
    code, out, err = told(s, "a")
    assert (code, out, err.count("error: ")) == (1, "", 1)
    assert err.startswith(f"{DOWN}{s.ini}:2:9: error: ")


def test_an_unset_reference_is_an_error(site: Make) -> None:
    s = site(job("call = shop.f", "word = ${env:NOT_SET}"), shop="def f(word): pass\n")
    code, _, err = told(s, "a")
    assert code == 1
    assert "error: the environment has no 'NOT_SET'" in err


# -- show-env


def test_show_env_tells_what_differs_and_runs_nothing(site: Make) -> None:
    s = site(job("command = touch ran"))
    with s.daemon(SHOP_A="same", SHOP_B="theirs", SHOP_C="new", SHOP_TOKEN="t1"):
        code, out, err = told(
            s, "a", "--show-env", SHOP_A="same", SHOP_B="mine", SHOP_D="gone", SHOP_TOKEN="t2"
        )
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if "PYTEST" not in line] == [
        "~ SHOP_B=theirs",
        "  in your shell: mine",
        "+ SHOP_C=new",
        "- SHOP_D=gone",
        "~ SHOP_TOKEN=***",
        "  in your shell: ***",
    ]
    assert not (s.folder / "ran").exists()


def test_show_env_shows_what_the_job_sets_itself(site: Make) -> None:
    s = site(job("command = true", "env.SHOP_URL = http://shop"))
    assert told(s, "a", "--show-env")[1] == "+ SHOP_URL=http://shop\n"


def test_show_env_and_record_are_an_either_or(site: Make) -> None:
    s = site(job("command = true"))
    message = "inisched: --show-env runs nothing that --record could enter\n"
    assert told(s, "a", "--show-env", "--record") == (2, "", message)


# -- the ledger


def test_nothing_is_recorded_unasked(site: Make) -> None:
    s = site(job("command = true"))
    told(s, "a")
    assert sorted(path.name for path in s.folder.iterdir()) == ["jobs.ini"]


def test_a_recorded_run_is_entered_by_the_daemon(site: Make) -> None:
    s = site(job("command = echo hi; exit 3"))
    with s.daemon():
        line = "hi\na: failure after D: exit code 3 (recorded as run 1)\n"
        assert told(s, "a", "--at", "2026-07-01T06:00Z", "--record") == (1, line, "")
    shown = json.loads(s.inisched("show", "1", "--json").stdout)
    facts = ("fire_at", "state", "trigger", "exit_code", "stdout")
    assert [shown[fact] for fact in facts] == [
        "2026-07-01T06:00:00Z",
        "failure",
        "manual",
        3,
        "hi\n",
    ]


def test_a_recorded_run_may_have_much_to_say(site: Make) -> None:
    s = site(job("command = yes | head -c 9000000", "output_limit = 4 MiB"))
    with s.daemon():
        assert s.inisched("test", "a", "--record").returncode == 0
    shown = json.loads(s.inisched("show", "1", "--json").stdout)
    assert len(shown["stdout"]) > 4_000_000


def test_without_a_daemon_the_command_records_the_run_itself(site: Make) -> None:
    s = site(job("command = true"))
    line = "a: success after D (recorded as run 1)\n"
    assert told(s, "a", "--record") == (0, line, DOWN)
    [row] = s.rows()
    assert (row["state"], row["trigger"]) == ("success", "manual")


def test_a_recorded_run_is_not_a_jobs_first_look(site: Make) -> None:
    s = site("[a]\nevery = 1 hour\ncommand = true\n")
    told(s, "a", "--record")
    with s.daemon() as daemon:
        stop(daemon)
    [row] = s.rows()
    assert row["trigger"] == "manual"
    assert s.inisched("next", "--json").stdout != "[]\n"


# -- gates and periods

GATES = """\
def yes(): return True
def no(): return print("asked") or False
def nothing(): return None
def bad(scheduled_for): raise ValueError(f"no data for {scheduled_for:%d.%m.}")
def slow():
    import time
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_the_gates_answer_is_told_before_the_run(site: Make) -> None:
    s = site(job("command = echo hi", "should_run = g.yes", "ready = g.no"), g=GATES)
    out = "asked\nready: no (g.no)\nshould_run: yes (g.yes)\nhi\na: success after D\n"
    assert told(s, "a") == (0, out, DOWN)


def test_a_gate_without_an_answer_is_told_with_what_is_made_of_that(site: Make) -> None:
    s = site(job("command = true", "should_run = g.nothing", "data_available = g.bad"), g=GATES)
    code, out, err = told(s, "a", "--at", "2026-11-20T06:00")
    assert (code, out) == (
        0,
        "ready: no answer, taken as no: ValueError: no data for 20.11. (g.bad)\n"
        "should_run: no answer, taken as yes: returned None (g.nothing)\n"
        "a: success after D\n",
    )
    assert "Traceback" in err


def test_a_gate_that_cannot_be_started_is_told_of(site: Make) -> None:
    s = site(job("command = true", "should_run = g.yes", "cwd = nowhere"), g=GATES)
    why = f"could not start: the working directory {s.folder.resolve() / 'nowhere'} is not there"
    code, out, _ = told(s, "a")
    assert (code, out.splitlines()[0]) == (
        1,
        f"should_run: no answer, taken as yes: {why} (g.yes)",
    )


def test_the_gate_of_an_inline_callback_is_asked_beside_it(site: Make) -> None:
    lines = "call = shop.f", "executor = inline", "ready = g.yes"
    s = site(job(*lines), g=GATES, shop="def f(): ...\n")
    assert told(s, "a") == (0, "ready: yes (g.yes)\na: success after D\n", DOWN)


def test_a_gate_behind_a_reference_is_told_as_the_reference(site: Make) -> None:
    s = site(job("command = true", "ready = ${env:GATE}"), g=GATES)
    code, out, _ = told(s, "a", GATE="g.yes")
    assert (code, out) == (0, "ready: yes (${env:GATE})\na: success after D\n")


def test_ctrl_c_at_a_gate_starts_nothing(site: Make) -> None:
    s = site(job("command = touch started", "ready = g.slow"), g=GATES)
    with _live(s) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert not (s.folder / "started").exists()


def test_a_report_is_handed_the_period_before_the_moment(site: Make) -> None:
    s = site(
        job("call = shop.f", "ready = shop.f", "report_period = month", "timezone = Asia/Tokyo"),
        shop="def f(period_start, period_end): print(period_start, period_end); return True\n",
    )
    code, out, _ = told(s, "a", "--at", "2026-11-01T06:00")
    days = "2026-10-01 2026-10-31\n"
    assert (code, out) == (0, f"{days}ready: yes (shop.f)\n{days}a: success after D\n")
