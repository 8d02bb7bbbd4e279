"""Clock changes as the world has them, one class per zone; London has a file of its own."""

from __future__ import annotations

from inisched.timing.moment import read_moment
from inisched.timing.recurrence import Anchor, recurrence
from timing.plans import Fires, moment, plan, shown


class TestNewYork:
    """At 02:00 local to 03:00 on 8 March 2026; at 02:00 local back to 01:00 on 1 November 2026."""

    ZONE = "America/New_York"

    def test_a_daily_time_in_the_gap_is_its_end(self, fires: Fires) -> None:
        assert fires("day", at="02:30", zone=self.ZONE, look="2026-03-07T12:00-05:00", n=2) == [
            "2026-03-08T03:00-04:00",
            "2026-03-09T02:30-04:00",
        ]

    def test_a_daily_time_that_comes_twice_is_the_first(self, fires: Fires) -> None:
        assert fires("day", at="01:59:59", zone=self.ZONE, look="2026-10-31T12:00-04:00", n=2) == [
            "2026-11-01T01:59:59-04:00",
            "2026-11-02T01:59:59-05:00",
        ]

    def test_cron_in_the_gap_is_its_end(self, fires: Fires) -> None:
        assert fires("cron 5 2 * * sun", zone=self.ZONE, look="2026-03-02T00:00-05:00", n=2) == [
            "2026-03-08T03:00-04:00",
            "2026-03-15T02:05-04:00",
        ]

    def test_cron_of_any_minute_runs_through_the_change(self, fires: Fires) -> None:
        assert fires("cron */30 * * * *", zone=self.ZONE, look="2026-03-08T01:15-05:00", n=3) == [
            "2026-03-08T01:30-05:00",
            "2026-03-08T03:00-04:00",
            "2026-03-08T03:30-04:00",
        ]

    def test_cron_of_fixed_hours_runs_once_each_around_the_gap(self, fires: Fires) -> None:
        assert fires("cron 0 1-4 * * *", zone=self.ZONE, look="2026-03-08T00:00-05:00", n=3) == [
            "2026-03-08T01:00-05:00",
            "2026-03-08T03:00-04:00",  # for 02:00 and 03:00
            "2026-03-08T04:00-04:00",
        ]

    def test_seconds_run_through_the_repeated_hour(self, fires: Fires) -> None:
        assert fires("1800 seconds", zone=self.ZONE, look="2026-11-01T01:10-04:00", n=4) == [
            "2026-11-01T01:40-04:00",
            "2026-11-01T01:10-05:00",
            "2026-11-01T01:40-05:00",
            "2026-11-01T02:10-05:00",
        ]

    def test_weekdays_listed_fire_each_at_every_time(self, fires: Fires) -> None:
        assert fires(
            "sunday, monday", at="01:30, 2:30", zone=self.ZONE, look="2026-10-31T12:00-04:00", n=5
        ) == [
            "2026-11-01T01:30-04:00",
            "2026-11-01T02:30-05:00",
            "2026-11-02T01:30-05:00",
            "2026-11-02T02:30-05:00",
            "2026-11-08T01:30-05:00",
        ]


class TestLordHowe:
    """Half an hour: at 02:00 local to 02:30 on 4 October 2026; at 02:00 back to 01:30 on 5 April 2026."""

    ZONE = "Australia/Lord_Howe"

    def test_a_daily_time_in_the_gap_is_its_end(self, fires: Fires) -> None:
        assert fires("day", at="02:15", zone=self.ZONE, look="2026-10-03T12:00+10:30", n=2) == [
            "2026-10-04T02:30+11:00",
            "2026-10-05T02:15+11:00",
        ]

    def test_a_time_after_the_half_hour_gap_is_not_moved(self, fires: Fires) -> None:
        assert fires("day", at="02:45", zone=self.ZONE, look="2026-10-03T12:00+10:30", n=1) == [
            "2026-10-04T02:45+11:00",
        ]

    def test_a_daily_time_that_comes_twice_is_the_first(self, fires: Fires) -> None:
        assert fires("day", at="01:45", zone=self.ZONE, look="2026-04-04T12:00+11:00", n=2) == [
            "2026-04-05T01:45+11:00",
            "2026-04-06T01:45+10:30",
        ]

    def test_a_quarter_past_in_the_gap_leaves_ninety_minutes_between_fires(
        self, fires: Fires
    ) -> None:
        assert fires("hour", at=":15", zone=self.ZONE, look="2026-10-04T01:00+10:30", n=3) == [
            "2026-10-04T01:15+10:30",
            "2026-10-04T03:15+11:00",
            "2026-10-04T04:15+11:00",
        ]

    def test_a_quarter_to_comes_half_an_hour_after_itself(self, fires: Fires) -> None:
        assert fires("hour", at=":45", zone=self.ZONE, look="2026-04-05T01:00+11:00", n=3) == [
            "2026-04-05T01:45+11:00",
            "2026-04-05T01:45+10:30",
            "2026-04-05T02:45+10:30",
        ]

    def test_every_second_hour_counts_the_repeated_label(self, fires: Fires) -> None:
        assert fires("2 hours", at=":45", zone=self.ZONE, look="2026-04-05T00:50+11:00", n=2) == [
            "2026-04-05T01:45+10:30",
            "2026-04-05T03:45+10:30",
        ]

    def test_a_label_the_first_looks_hour_never_showed_is_still_number_0(
        self, fires: Fires
    ) -> None:
        assert fires("2 hours", at=":15", zone=self.ZONE, look="2026-10-04T02:40+11:00", n=2) == [
            "2026-10-04T04:15+11:00",
            "2026-10-04T06:15+11:00",
        ]

    def test_cron_of_any_hour_follows_the_half_hour(self, fires: Fires) -> None:
        assert fires("cron 45 * * * *", zone=self.ZONE, look="2026-04-05T01:00+11:00", n=3) == [
            "2026-04-05T01:45+11:00",
            "2026-04-05T01:45+10:30",
            "2026-04-05T02:45+10:30",
        ]


class TestSaoPaulo:
    """No change since 2019."""

    ZONE = "America/Sao_Paulo"

    def test_midnight_is_midnight_all_year(self, fires: Fires) -> None:
        assert fires("cron 0 0 15 * *", zone=self.ZONE, look="2026-09-20T00:00-03:00", n=3) == [
            "2026-10-15T00:00-03:00",
            "2026-11-15T00:00-03:00",
            "2026-12-15T00:00-03:00",
        ]

    def test_a_midnight_that_did_not_exist_was_one_oclock(self, fires: Fires) -> None:
        assert fires("day", at="00:00", zone=self.ZONE, look="2018-11-03T12:00-03:00", n=2) == [
            "2018-11-04T01:00-02:00",
            "2018-11-05T00:00-02:00",
        ]


class TestKolkata:
    ZONE = "Asia/Kolkata"

    def test_minutes_past_the_hour_are_those_of_the_local_clock(self, fires: Fires) -> None:
        assert fires("2 hours", at=":15", zone=self.ZONE, look="2026-03-29T06:20+05:30", n=2) == [
            "2026-03-29T08:15+05:30",
            "2026-03-29T10:15+05:30",
        ]

    def test_last_is_the_29th_in_a_leap_february(self, fires: Fires) -> None:
        assert fires(
            "month",
            on_day="last",
            at="23:59:59",
            zone=self.ZONE,
            look="2028-01-31T23:59:59+05:30",
            n=2,
        ) == [
            "2028-02-29T23:59:59+05:30",
            "2028-03-31T23:59:59+05:30",
        ]


class TestKathmandu:
    ZONE = "Asia/Kathmandu"

    def test_cron_reads_the_clock_of_a_quarter_hour_offset(self, fires: Fires) -> None:
        assert fires("cron */45 * * * *", zone=self.ZONE, look="2026-01-01T00:00+05:45", n=3) == [
            "2026-01-01T00:45+05:45",
            "2026-01-01T01:00+05:45",
            "2026-01-01T01:45+05:45",
        ]


class TestCasablanca:
    """Summer time pauses for Ramadan: back at 03:00 on 15 February 2026, forward at 02:00 on 22 March."""

    ZONE = "Africa/Casablanca"

    def test_the_repeated_hour_comes_in_winter(self, fires: Fires) -> None:
        assert fires("day", at="02:30", zone=self.ZONE, look="2026-02-14T12:00+01:00", n=2) == [
            "2026-02-15T02:30+01:00",
            "2026-02-16T02:30+00:00",
        ]

    def test_the_gap_comes_five_weeks_later(self, fires: Fires) -> None:
        assert fires("5 weeks", at="02:30", zone=self.ZONE, look="2026-02-15T00:00+01:00", n=3) == [
            "2026-02-15T02:30+01:00",
            "2026-03-22T03:00+01:00",
            "2026-04-26T02:30+01:00",
        ]


class TestApia:
    """No change since 2021; on the night to 31 December 2011 the whole 30th was left out."""

    ZONE = "Pacific/Apia"

    def test_a_quiet_year_has_every_day(self, fires: Fires) -> None:
        assert fires("2 days", at="03:30", zone=self.ZONE, look="2026-04-03T00:00+13:00", n=2) == [
            "2026-04-05T03:30+13:00",
            "2026-04-07T03:30+13:00",
        ]

    def test_a_time_of_the_missing_day_is_the_first_instant_after_it(self, fires: Fires) -> None:
        assert fires("day", at="09:00", zone=self.ZONE, look="2011-12-28T12:00-10:00", n=4) == [
            "2011-12-29T09:00-10:00",
            "2011-12-31T00:00+14:00",
            "2011-12-31T09:00+14:00",
            "2012-01-01T09:00+14:00",
        ]

    def test_elapsed_hours_do_not_see_the_missing_day(self, fires: Fires) -> None:
        assert fires("6 hours", zone=self.ZONE, look="2011-12-29T20:00-10:00", n=2) == [
            "2011-12-31T02:00+14:00",
            "2011-12-31T08:00+14:00",
        ]

    def test_cron_that_follows_the_clock_leaves_the_missing_day_out(self, fires: Fires) -> None:
        assert fires("cron 0 */12 * * *", zone=self.ZONE, look="2011-12-29T06:00-10:00", n=3) == [
            "2011-12-29T12:00-10:00",
            "2011-12-31T00:00+14:00",
            "2011-12-31T12:00+14:00",
        ]


class TestUtc:
    ZONE = "UTC"

    def test_the_29th_of_february_alone_comes_every_fourth_year(self, fires: Fires) -> None:
        assert fires("cron 0 0 29 2 *", zone=self.ZONE, look="2024-02-29T00:00+00:00", n=1) == [
            "2028-02-29T00:00+00:00",
        ]

    def test_day_31_is_clamped_and_comes_back(self, fires: Fires) -> None:
        assert fires(
            "month", on_day=31, at="12:00", zone=self.ZONE, look="2026-01-31T12:00+00:00", n=3
        ) == [
            "2026-02-28T12:00+00:00",
            "2026-03-31T12:00+00:00",
            "2026-04-30T12:00+00:00",
        ]

    def test_never_has_no_fire(self, fires: Fires) -> None:
        assert fires("never", zone=self.ZONE, look="2026-01-01T00:00+00:00", n=1) == []

    def test_the_nicknames_of_cron_are_their_fields(self, fires: Fires) -> None:
        assert fires("cron @weekly", zone=self.ZONE, look="2026-01-01T00:00+00:00", n=2) == [
            "2026-01-04T00:00+00:00",
            "2026-01-11T00:00+00:00",
        ]


class TestStJohns:
    """Today like New York; until 2011 the clock changed at one minute past midnight."""

    ZONE = "America/St_Johns"

    def test_a_daily_time_in_the_gap_is_its_end(self, fires: Fires) -> None:
        assert fires("day", at="02:30", zone=self.ZONE, look="2026-03-07T12:00-03:30", n=2) == [
            "2026-03-08T03:00-02:30",
            "2026-03-09T02:30-02:30",
        ]

    def test_a_midnight_before_the_repeated_evening_fires_once(self, fires: Fires) -> None:
        assert fires(
            "day", at="00:00, 23:30", zone=self.ZONE, look="2010-11-06T12:00-02:30", n=4
        ) == [
            "2010-11-06T23:30-02:30",
            "2010-11-07T00:00-02:30",
            "2010-11-07T23:30-03:30",
            "2010-11-08T00:00-03:30",
        ]

    def test_a_first_look_in_the_repeated_evening_has_seen_the_next_midnight(
        self, fires: Fires
    ) -> None:
        assert fires(
            "day", at="00:00, 00:30", zone=self.ZONE, look="2010-11-06T23:30-03:30", n=3
        ) == [
            "2010-11-07T00:30-03:30",
            "2010-11-08T00:00-03:30",
            "2010-11-08T00:30-03:30",
        ]

    def test_the_latest_fire_in_the_repeated_evening_is_the_next_days_midnight(self) -> None:
        rule = recurrence(
            plan("day", zone=self.ZONE, at="00:00"),
            Anchor(moment("2010-11-01T12:00-02:30")),
            job="job",
        )
        latest = rule.latest(moment("2010-11-06T12:00-02:30"), moment("2010-11-06T23:30-03:30"))
        assert latest == moment("2010-11-07T00:00-02:30")


class TestTroll:
    """Two hours: from 01:00 to 03:00 on 29 March 2026, from 03:00 to 01:00 on 25 October 2026."""

    ZONE = "Antarctica/Troll"

    def test_all_times_of_a_two_hour_gap_are_its_end(self, fires: Fires) -> None:
        assert fires(
            "day", at="01:00, 02:59:59, 03:00", zone=self.ZONE, look="2026-03-28T12:00+00:00", n=2
        ) == [
            "2026-03-29T03:00+02:00",
            "2026-03-30T01:00+02:00",
        ]

    def test_two_hours_come_twice_on_the_clock(self, fires: Fires) -> None:
        assert fires("hour", at=":30", zone=self.ZONE, look="2026-10-25T01:00+02:00", n=5) == [
            "2026-10-25T01:30+02:00",
            "2026-10-25T02:30+02:00",
            "2026-10-25T01:30+00:00",
            "2026-10-25T02:30+00:00",
            "2026-10-25T03:30+00:00",
        ]

    def test_cron_at_fixed_times_takes_the_first_pass_of_both_hours(self, fires: Fires) -> None:
        assert fires("cron 30 1-3 * * *", zone=self.ZONE, look="2026-10-25T01:00+02:00", n=3) == [
            "2026-10-25T01:30+02:00",
            "2026-10-25T02:30+02:00",
            "2026-10-25T03:30+00:00",
        ]

    def test_cron_at_fixed_times_of_both_missing_hours_is_one_fire(self, fires: Fires) -> None:
        assert fires("cron 30 1,2 * * *", zone=self.ZONE, look="2026-03-28T12:00+00:00", n=2) == [
            "2026-03-29T03:00+02:00",
            "2026-03-30T01:30+02:00",
        ]


class TestCairo:
    """From 00:00 to 01:00 on Friday 24 April 2026; from 24:00 back to 23:00 on Thursday 29 October 2026."""

    ZONE = "Africa/Cairo"

    def test_a_midnight_that_does_not_exist_is_one_oclock(self, fires: Fires) -> None:
        assert fires("friday", at="00:00", zone=self.ZONE, look="2026-04-20T00:00+02:00", n=2) == [
            "2026-04-24T01:00+03:00",
            "2026-05-01T00:00+03:00",
        ]

    def test_the_last_minute_of_the_day_comes_twice_and_fires_once(self, fires: Fires) -> None:
        assert fires("day", at="23:59", zone=self.ZONE, look="2026-10-29T12:00+03:00", n=2) == [
            "2026-10-29T23:59+03:00",
            "2026-10-30T23:59+02:00",
        ]

    def test_midnight_after_the_repeated_hour_fires_once(self, fires: Fires) -> None:
        assert fires("cron @daily", zone=self.ZONE, look="2026-10-29T12:00+03:00", n=2) == [
            "2026-10-30T00:00+02:00",
            "2026-10-31T00:00+02:00",
        ]

    def test_cron_at_a_missing_midnight_is_one_oclock(self, fires: Fires) -> None:
        assert fires("cron @daily", zone=self.ZONE, look="2026-04-23T12:00+02:00", n=2) == [
            "2026-04-24T01:00+03:00",
            "2026-04-25T00:00+03:00",
        ]

    def test_cron_on_fridays_keeps_the_friday_whose_midnight_is_missing(self, fires: Fires) -> None:
        assert fires("cron 30 0 * * fri", zone=self.ZONE, look="2026-04-20T00:00+02:00", n=2) == [
            "2026-04-24T01:00+03:00",
            "2026-05-01T00:30+03:00",
        ]


class TestGaza:
    """From 02:00 to 03:00 on Saturday 28 March 2026; from 02:00 back to 01:00 on 24 October 2026."""

    ZONE = "Asia/Gaza"

    def test_a_weekend_in_the_gap_is_its_end(self, fires: Fires) -> None:
        assert fires("weekend", at="02:00", zone=self.ZONE, look="2026-03-27T12:00+02:00", n=2) == [
            "2026-03-28T03:00+03:00",
            "2026-03-29T02:00+03:00",
        ]


class TestSantiago:
    """From 24:00 back to 23:00 on 4 April 2026; from 00:00 to 01:00 on 6 September 2026."""

    ZONE = "America/Santiago"

    def test_a_month_whose_midnight_is_missing_begins_at_one(self, fires: Fires) -> None:
        assert fires(
            "month", on_day=6, at="00:00", zone=self.ZONE, look="2026-08-10T00:00-04:00", n=2
        ) == [
            "2026-09-06T01:00-03:00",
            "2026-10-06T00:00-03:00",
        ]

    def test_a_first_look_in_the_second_pass_is_still_on_the_old_day(self, fires: Fires) -> None:
        assert fires("2 days", at="12:00", zone=self.ZONE, look="2026-04-04T23:30-04:00", n=2) == [
            "2026-04-06T12:00-04:00",
            "2026-04-08T12:00-04:00",
        ]


class TestBeirut:
    """From 00:00 to 01:00 on Sunday 29 March 2026; from 24:00 back to 23:00 on 24 October 2026."""

    ZONE = "Asia/Beirut"

    def test_times_of_a_missing_first_hour_are_one_fire(self, fires: Fires) -> None:
        assert fires(
            "day", at="00:00, 00:30, 01:00", zone=self.ZONE, look="2026-03-28T12:00+02:00", n=2
        ) == [
            "2026-03-29T01:00+03:00",
            "2026-03-30T00:00+03:00",
        ]

    def test_an_active_from_at_the_end_of_a_missing_midnight_begins_a_two_day_rhythm(
        self, fires: Fires
    ) -> None:
        assert fires("2 days", zone=self.ZONE, active_from="2026-03-29T01:00+03:00", n=2) == [
            "2026-03-29T01:00+03:00",
            "2026-03-31T01:00+03:00",
        ]

    def test_a_week_begun_in_the_second_pass_counts_from_that_day(self, fires: Fires) -> None:
        assert fires("week", at="23:30", zone=self.ZONE, look="2026-10-24T23:10+02:00", n=2) == [
            "2026-10-25T23:30+02:00",
            "2026-11-01T23:30+02:00",
        ]


class TestDates:
    """`active_from` and `active_until` as dates: the whole day of the job's zone."""

    def test_a_date_begins_at_the_first_instant_of_a_day_without_midnight(self) -> None:
        assert (
            shown(read_moment("2026-04-24", "Africa/Cairo"), "Africa/Cairo")
            == "2026-04-24T01:00+03:00"
        )

    def test_a_date_ends_after_the_second_pass_of_its_last_hour(self) -> None:
        end = read_moment("2026-10-29", "Africa/Cairo", last=True)
        assert moment("2026-10-29T23:59:59+02:00") < end < moment("2026-10-30T00:00+02:00")

    def test_a_date_ends_before_a_missing_midnight(self) -> None:
        end = read_moment("2026-04-23", "Africa/Cairo", last=True)
        assert moment("2026-04-23T23:59:59+02:00") < end < moment("2026-04-24T01:00+03:00")

    def test_a_date_time_that_does_not_exist_is_the_first_instant_after_the_gap(self) -> None:
        found = read_moment("2026-03-29 01:30", "Europe/London")
        assert shown(found, "Europe/London") == "2026-03-29T02:00+01:00"

    def test_a_date_time_that_comes_twice_is_the_first(self) -> None:
        found = read_moment("2026-10-25 01:30", "Europe/London")
        assert shown(found, "Europe/London") == "2026-10-25T01:30+01:00"

    def test_a_date_time_with_an_offset_can_name_the_second_pass(self) -> None:
        found = read_moment("2026-10-25 01:30+00:00", "Europe/London")
        assert shown(found, "Europe/London") == "2026-10-25T01:30+00:00"
