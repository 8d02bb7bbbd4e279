"""[DEFAULT]: what it gives, what silences it, how its errors are told."""

from inisched.model.job import Call, Command


def test_a_default_reaches_every_job_that_does_not_say_otherwise(load_text) -> None:
    config = load_text("""\
        [DEFAULT]
        grace = 5
        [a]
        command = x
        every = day
        [b]
        command = x
        every = day
        grace = 7
        """)
    assert [job.grace.seconds for job in config.jobs] == [5, 7]


def test_an_own_action_silences_all_three_of_default(load_text) -> None:
    config = load_text("""\
        [DEFAULT]
        call = a.b
        every = day
        [own]
        command = x
        [inherited]
        """)
    assert [type(job.action) for job in config.jobs] == [Command, Call]


def test_an_own_rhythm_silences_the_whole_rhythm_of_default(load_text) -> None:
    config = load_text("""\
        [DEFAULT]
        command = x
        every = month
        at = 06:00
        on_day = 3
        [cron]
        cron = @hourly
        [days]
        every = 2 days
        [inherited]
        """)
    assert [job.schedule.text for job in config.jobs] == [
        "0 * * * *",
        "2 days",
        "month on day 3 at 06:00",
    ]


def test_an_own_time_goes_with_the_interval_of_default(load_text) -> None:
    config = load_text("[DEFAULT]\nevery = day\nat = 06:00\n[a]\ncommand = x\nat = 07:00\n")
    assert config.jobs[0].schedule.text == "day at 07:00"


def test_arguments_in_default_are_marked_and_never_reach_commands(load_text) -> None:
    config = load_text("""\
        [DEFAULT]
        every = day
        tenant = shop
        [a]
        call = a.b
        mode = fast
        [b]
        command = x
        """)
    assert config.diagnostics == ()
    action = config.jobs[0].action
    assert isinstance(action, Call)
    assert [(a.name, a.from_default) for a in action.arguments] == [
        ("tenant", True),
        ("mode", False),
    ]


def test_an_own_argument_replaces_that_of_default_however_it_is_spelled(load_text) -> None:
    config = load_text("[DEFAULT]\narg.x = 1\n[a]\ncall = a.b\nevery = day\nx = 2\n")
    action = config.jobs[0].action
    assert isinstance(action, Call)
    assert [(a.name, a.text, a.from_default) for a in action.arguments] == [("x", "2", False)]


def test_an_error_in_default_is_said_once_and_breaks_the_jobs_that_use_it(load_text) -> None:
    config = load_text("""\
        [DEFAULT]
        grace = soon
        [a]
        command = x
        every = day
        [b]
        command = x
        every = day
        [c]
        command = x
        every = day
        grace = 5
        """)
    assert [(d.place.line, d.job) for d in config.diagnostics] == [(2, None)]
    assert [job.name for job in config.jobs] == ["c"]


def test_an_error_in_default_is_said_even_where_no_job_uses_it(load_text) -> None:
    config = load_text("[DEFAULT]\ngrace = soon\n[c]\ncommand = x\nevery = day\ngrace = 5\n")
    assert [d.code for d in config.diagnostics] == ["bad-value"]
    assert len(config.jobs) == 1


def test_a_duplicate_key_in_default_breaks_only_the_jobs_that_use_it(load_text) -> None:
    config = load_text("""\
        [DEFAULT]
        grace = 5
        grace = 6
        [a]
        command = x
        every = day
        [c]
        command = x
        every = day
        grace = 5
        """)
    assert [d.code for d in config.diagnostics] == ["duplicate-key"]
    assert [job.name for job in config.jobs] == ["c"]


def test_the_zone_of_default_wins_over_that_of_the_file(load_text) -> None:
    config = load_text("""\
        [inisched]
        timezone = Asia/Tokyo
        [DEFAULT]
        timezone = Europe/Paris
        [a]
        command = x
        every = day
        """)
    assert config.jobs[0].schedule.zone == "Europe/Paris"


def test_default_gives_nothing_to_reserved_sections(load_text) -> None:
    config = load_text(
        "[DEFAULT]\ntenant = shop\n[inisched]\ndrain = 5\n[a]\ncommand = x\nevery = day\n"
    )
    assert config.diagnostics == ()


def test_inline_in_default_is_fine_for_callbacks(load_text) -> None:
    config = load_text("[DEFAULT]\nexecutor = inline\n[a]\ncall = a.b\nevery = day\n")
    assert config.diagnostics == ()


def test_inline_in_default_breaks_a_command(load_text) -> None:
    config = load_text("[DEFAULT]\nexecutor = inline\n[a]\ncommand = x\nevery = day\n")
    assert [(d.code, d.place.line) for d in config.diagnostics] == [("inline-command", 2)]
    assert config.jobs == ()


def test_a_second_default_section_goes_on_with_the_first(load_text) -> None:
    config = load_text("[DEFAULT]\nevery = day\n[a]\ncommand = x\n[DEFAULT]\ngrace = 5\n")
    assert config.jobs[0].grace.seconds == 5
