"""London: at 01:00 UTC the clock goes from 01:00 to 02:00 in March, from 02:00 to 01:00 in October."""

from __future__ import annotations

from timing.plans import Fires

LONDON = "Europe/London"


class TestDaysInSpring:
    """29 March 2026: 01:00 to 01:59 do not exist."""

    def test_a_time_in_the_gap_is_the_first_instant_after_it(self, fires: Fires) -> None:
        assert fires("day", at="01:30", zone=LONDON, look="2026-03-28T00:00+00:00", n=3) == [
            "2026-03-28T01:30+00:00",
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:30+01:00",
        ]

    def test_the_first_label_of_the_gap_is_moved_too(self, fires: Fires) -> None:
        assert fires("day", at="01:00", zone=LONDON, look="2026-03-28T12:00+00:00", n=2) == [
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:00+01:00",
        ]

    def test_the_last_second_before_the_gap_is_not_moved(self, fires: Fires) -> None:
        assert fires("day", at="00:59:59", zone=LONDON, look="2026-03-28T12:00+00:00", n=2) == [
            "2026-03-29T00:59:59+00:00",
            "2026-03-30T00:59:59+01:00",
        ]

    def test_two_times_that_land_on_one_instant_are_one_fire(self, fires: Fires) -> None:
        assert fires(
            "day", at="01:15, 01:45, 02:00", zone=LONDON, look="2026-03-28T12:00+00:00", n=4
        ) == [
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:15+01:00",
            "2026-03-30T01:45+01:00",
            "2026-03-30T02:00+01:00",
        ]

    def test_every_second_day_keeps_its_wall_clock_time(self, fires: Fires) -> None:
        assert fires("2 days", at="09:00", zone=LONDON, look="2026-03-27T08:00+00:00", n=3) == [
            "2026-03-29T09:00+01:00",
            "2026-03-31T09:00+01:00",
            "2026-04-02T09:00+01:00",
        ]

    def test_without_at_the_time_of_day_of_the_first_look_survives_its_day_in_the_gap(
        self, fires: Fires
    ) -> None:
        assert fires("day", zone=LONDON, look="2026-03-28T01:30:15+00:00", n=3) == [
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:30:15+01:00",
            "2026-03-31T01:30:15+01:00",
        ]

    def test_a_weekday_in_the_gap_does_not_move_the_next_week(self, fires: Fires) -> None:
        assert fires("sunday", at="01:30", zone=LONDON, look="2026-03-23T00:00+00:00", n=3) == [
            "2026-03-29T02:00+01:00",
            "2026-04-05T01:30+01:00",
            "2026-04-12T01:30+01:00",
        ]

    def test_a_weekend_runs_on_both_days_of_the_change(self, fires: Fires) -> None:
        assert fires("weekend", at="01:30", zone=LONDON, look="2026-03-23T00:00+00:00", n=3) == [
            "2026-03-28T01:30+00:00",
            "2026-03-29T02:00+01:00",
            "2026-04-04T01:30+01:00",
        ]

    def test_a_first_look_inside_the_moved_hour_waits_for_the_next_day(self, fires: Fires) -> None:
        assert fires("day", at="01:30", zone=LONDON, look="2026-03-29T02:00+01:00", n=1) == [
            "2026-03-30T01:30+01:00",
        ]

    def test_an_active_from_at_the_end_of_the_gap_counts_for_a_time_moved_there(
        self, fires: Fires
    ) -> None:
        assert fires("day", at="01:30", zone=LONDON, active_from="2026-03-29T02:00+01:00", n=2) == [
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:30+01:00",
        ]


class TestDaysInAutumn:
    """25 October 2026: 01:00 to 01:59 come twice."""

    def test_a_repeated_time_fires_in_the_first_pass_only(self, fires: Fires) -> None:
        assert fires("day", at="01:30", zone=LONDON, look="2026-10-24T12:00+01:00", n=2) == [
            "2026-10-25T01:30+01:00",
            "2026-10-26T01:30+00:00",
        ]

    def test_a_first_look_between_the_passes_waits_for_the_next_day(self, fires: Fires) -> None:
        assert fires("day", at="01:30", zone=LONDON, look="2026-10-25T01:45+01:00", n=1) == [
            "2026-10-26T01:30+00:00",
        ]

    def test_a_first_look_in_the_second_pass_waits_for_the_next_day(self, fires: Fires) -> None:
        assert fires("day", at="01:30", zone=LONDON, look="2026-10-25T01:10+00:00", n=1) == [
            "2026-10-26T01:30+00:00",
        ]

    def test_an_active_from_in_the_second_pass_is_no_match(self, fires: Fires) -> None:
        assert fires("day", at="01:30", zone=LONDON, active_from="2026-10-25T01:30+00:00", n=1) == [
            "2026-10-26T01:30+00:00",
        ]

    def test_an_active_from_in_the_first_pass_is_a_match(self, fires: Fires) -> None:
        assert fires("day", at="01:30", zone=LONDON, active_from="2026-10-25T01:30+01:00", n=2) == [
            "2026-10-25T01:30+01:00",
            "2026-10-26T01:30+00:00",
        ]

    def test_without_at_a_first_look_in_the_second_pass_gives_its_time_of_day(
        self, fires: Fires
    ) -> None:
        assert fires("day", zone=LONDON, look="2026-10-25T01:30+00:00", n=2) == [
            "2026-10-26T01:30+00:00",
            "2026-10-27T01:30+00:00",
        ]

    def test_a_time_after_the_repeated_hour_fires_once(self, fires: Fires) -> None:
        assert fires("day", at="02:00", zone=LONDON, look="2026-10-24T12:00+01:00", n=2) == [
            "2026-10-25T02:00+00:00",
            "2026-10-26T02:00+00:00",
        ]

    def test_the_last_day_of_the_month_keeps_its_time(self, fires: Fires) -> None:
        assert fires(
            "month", on_day="last", at="01:30", zone=LONDON, look="2027-09-30T12:00+01:00", n=2
        ) == [
            "2027-10-31T01:30+01:00",  # the change is on this very day
            "2027-11-30T01:30+00:00",
        ]


class TestIntervals:
    def test_hours_are_elapsed_time_across_the_gap(self, fires: Fires) -> None:
        assert fires("hour", zone=LONDON, look="2026-03-28T23:20+00:00", n=3) == [
            "2026-03-29T00:20+00:00",
            "2026-03-29T02:20+01:00",
            "2026-03-29T03:20+01:00",
        ]

    def test_minutes_are_elapsed_time_across_both_passes(self, fires: Fires) -> None:
        assert fires("45 minutes", zone=LONDON, look="2026-10-25T00:30+01:00", n=4) == [
            "2026-10-25T01:15+01:00",
            "2026-10-25T01:00+00:00",
            "2026-10-25T01:45+00:00",
            "2026-10-25T02:30+00:00",
        ]

    def test_an_active_from_is_the_first_fire(self, fires: Fires) -> None:
        assert fires("12 hours", zone=LONDON, active_from="2026-03-28T20:00+00:00", n=3) == [
            "2026-03-28T20:00+00:00",
            "2026-03-29T09:00+01:00",
            "2026-03-29T21:00+01:00",
        ]


class TestMinutesPastTheHour:
    def test_a_label_in_the_gap_is_not_made_up(self, fires: Fires) -> None:
        assert fires("hour", at=":30", zone=LONDON, look="2026-03-29T00:00+00:00", n=3) == [
            "2026-03-29T00:30+00:00",
            "2026-03-29T02:30+01:00",
            "2026-03-29T03:30+01:00",
        ]

    def test_both_passes_of_the_repeated_hour_fire(self, fires: Fires) -> None:
        assert fires("hour", at="30:10", zone=LONDON, look="2026-10-25T00:45+01:00", n=3) == [
            "2026-10-25T01:30:10+01:00",
            "2026-10-25T01:30:10+00:00",
            "2026-10-25T02:30:10+00:00",
        ]

    def test_every_second_hour_counts_real_hours_from_the_hour_of_the_first_look(
        self, fires: Fires
    ) -> None:
        assert fires("2 hours", at=":15", zone=LONDON, look="2026-10-24T23:40+01:00", n=3) == [
            "2026-10-25T01:15+01:00",
            "2026-10-25T02:15+00:00",
            "2026-10-25T04:15+00:00",
        ]

    def test_the_label_of_the_first_looks_hour_is_number_0_even_where_it_is_ahead(
        self, fires: Fires
    ) -> None:
        assert fires("2 hours", at=":15, :45", zone=LONDON, look="2026-06-01T10:30+01:00", n=4) == [
            "2026-06-01T12:15+01:00",
            "2026-06-01T12:45+01:00",
            "2026-06-01T14:15+01:00",
            "2026-06-01T14:45+01:00",
        ]

    def test_an_active_from_on_its_label_counts(self, fires: Fires) -> None:
        assert fires(
            "3 hours", at=":15, :45", zone=LONDON, active_from="2026-06-01T10:15+01:00", n=3
        ) == [
            "2026-06-01T10:15+01:00",
            "2026-06-01T13:15+01:00",
            "2026-06-01T13:45+01:00",
        ]

    def test_seconds_past_the_minute_fire_in_both_passes(self, fires: Fires) -> None:
        assert fires("minute", at=":20", zone=LONDON, look="2026-10-25T01:58:30+01:00", n=3) == [
            "2026-10-25T01:59:20+01:00",
            "2026-10-25T01:00:20+00:00",
            "2026-10-25T01:01:20+00:00",
        ]

    def test_every_seventh_minute_counts_across_the_gap(self, fires: Fires) -> None:
        assert fires("7 minutes", at=":20", zone=LONDON, look="2026-03-29T00:50:30+00:00", n=3) == [
            "2026-03-29T00:57:20+00:00",
            "2026-03-29T02:04:20+01:00",
            "2026-03-29T02:11:20+01:00",
        ]


class TestWeeksAndMonths:
    def test_a_week_with_at_begins_at_the_first_such_time(self, fires: Fires) -> None:
        assert fires("week", at="09:00", zone=LONDON, look="2026-03-18T08:00+00:00", n=3) == [
            "2026-03-18T09:00+00:00",
            "2026-03-25T09:00+00:00",
            "2026-04-01T09:00+01:00",
        ]

    def test_a_week_begins_on_the_next_day_where_todays_times_are_past(self, fires: Fires) -> None:
        assert fires(
            "2 weeks", at="08:00, 09:00", zone=LONDON, look="2026-03-18T09:00+00:00", n=4
        ) == [
            "2026-03-19T08:00+00:00",
            "2026-03-19T09:00+00:00",
            "2026-04-02T08:00+01:00",
            "2026-04-02T09:00+01:00",
        ]

    def test_times_of_the_first_due_day_that_are_past_come_in_the_next_week(
        self, fires: Fires
    ) -> None:
        assert fires(
            "week", at="08:00, 17:00", zone=LONDON, look="2026-03-18T12:00+00:00", n=3
        ) == [
            "2026-03-18T17:00+00:00",
            "2026-03-25T08:00+00:00",
            "2026-03-25T17:00+00:00",
        ]

    def test_weeks_without_at_are_seven_civil_days(self, fires: Fires) -> None:
        assert fires("week", zone=LONDON, look="2026-03-22T01:30+00:00", n=2) == [
            "2026-03-29T02:00+01:00",
            "2026-04-05T01:30+01:00",
        ]

    def test_day_31_is_the_last_day_of_a_short_month(self, fires: Fires) -> None:
        assert fires("month", at="06:00", zone=LONDON, look="2028-01-31T05:00+00:00", n=4) == [
            "2028-01-31T06:00+00:00",
            "2028-02-29T06:00+00:00",
            "2028-03-31T06:00+01:00",
            "2028-04-30T06:00+01:00",
        ]

    def test_a_month_with_at_is_this_month_while_its_day_is_ahead(self, fires: Fires) -> None:
        assert fires(
            "3 months", on_day=15, at="06:00", zone=LONDON, look="2026-01-15T05:00+00:00", n=3
        ) == [
            "2026-01-15T06:00+00:00",
            "2026-04-15T06:00+01:00",
            "2026-07-15T06:00+01:00",
        ]

    def test_a_month_without_at_begins_in_the_next_month(self, fires: Fires) -> None:
        assert fires("month", on_day=15, zone=LONDON, look="2026-01-10T06:30+00:00", n=2) == [
            "2026-02-15T06:30+00:00",
            "2026-03-15T06:30+00:00",
        ]

    def test_a_month_whose_day_is_the_change_moves_out_of_the_gap(self, fires: Fires) -> None:
        assert fires(
            "month", on_day=29, at="01:30", zone=LONDON, look="2026-02-01T00:00+00:00", n=3
        ) == [
            "2026-02-28T01:30+00:00",
            "2026-03-29T02:00+01:00",
            "2026-04-29T01:30+01:00",
        ]

    def test_an_active_from_on_the_day_of_the_month_gives_it_its_time_of_day(
        self, fires: Fires
    ) -> None:
        assert fires("month", zone=LONDON, active_from="2026-01-31T00:00+00:00", n=3) == [
            "2026-01-31T00:00+00:00",
            "2026-02-28T00:00+00:00",
            "2026-03-31T00:00+01:00",
        ]

    def test_an_active_from_on_another_day_of_the_month_is_no_fire(self, fires: Fires) -> None:
        assert fires(
            "month", on_day=15, zone=LONDON, active_from="2026-01-10T00:00+00:00", n=2
        ) == [
            "2026-02-15T00:00+00:00",
            "2026-03-15T00:00+00:00",
        ]


class TestCron:
    def test_a_fixed_time_in_the_gap_runs_at_its_end(self, fires: Fires) -> None:
        assert fires("cron 30 1 * * *", zone=LONDON, look="2026-03-28T12:00+00:00", n=2) == [
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:30+01:00",
        ]

    def test_fixed_times_of_one_gap_are_one_fire(self, fires: Fires) -> None:
        assert fires("cron 0,15,45 1,2 * * *", zone=LONDON, look="2026-03-28T12:00+00:00", n=4) == [
            "2026-03-29T02:00+01:00",
            "2026-03-29T02:15+01:00",
            "2026-03-29T02:45+01:00",
            "2026-03-30T01:00+01:00",
        ]

    def test_a_fixed_time_runs_once_in_the_repeated_hour(self, fires: Fires) -> None:
        assert fires("cron 30 1 * * *", zone=LONDON, look="2026-10-24T12:00+01:00", n=2) == [
            "2026-10-25T01:30+01:00",
            "2026-10-26T01:30+00:00",
        ]

    def test_a_fixed_time_seen_first_in_the_second_pass_waits_for_the_next_day(
        self, fires: Fires
    ) -> None:
        assert fires("cron 30 1 * * *", zone=LONDON, look="2026-10-25T01:00+00:00", n=1) == [
            "2026-10-26T01:30+00:00",
        ]

    def test_any_hour_follows_the_clock_through_both_passes(self, fires: Fires) -> None:
        assert fires("cron 30 * * * *", zone=LONDON, look="2026-10-25T00:45+01:00", n=3) == [
            "2026-10-25T01:30+01:00",
            "2026-10-25T01:30+00:00",
            "2026-10-25T02:30+00:00",
        ]

    def test_any_hour_follows_the_clock_over_the_gap(self, fires: Fires) -> None:
        assert fires("cron 30 * * * *", zone=LONDON, look="2026-03-29T00:00+00:00", n=2) == [
            "2026-03-29T00:30+00:00",
            "2026-03-29T02:30+01:00",
        ]

    def test_any_minute_of_a_missing_hour_is_not_made_up(self, fires: Fires) -> None:
        assert fires("cron */20 1 * * *", zone=LONDON, look="2026-03-28T12:00+00:00", n=2) == [
            "2026-03-30T01:00+01:00",
            "2026-03-30T01:20+01:00",
        ]

    def test_any_minute_of_a_repeated_hour_comes_twice(self, fires: Fires) -> None:
        assert fires("cron */30 1 * * *", zone=LONDON, look="2026-10-25T00:00+01:00", n=5) == [
            "2026-10-25T01:00+01:00",
            "2026-10-25T01:30+01:00",
            "2026-10-25T01:00+00:00",
            "2026-10-25T01:30+00:00",
            "2026-10-26T01:00+00:00",
        ]

    def test_a_range_of_all_hours_is_fixed_and_does_not_follow_the_clock(
        self, fires: Fires
    ) -> None:
        assert fires("cron 30 0-23 * * *", zone=LONDON, look="2026-10-25T00:45+01:00", n=2) == [
            "2026-10-25T01:30+01:00",
            "2026-10-25T02:30+00:00",
        ]

    def test_a_fixed_time_with_seconds_keeps_the_rules_of_fixed_times(self, fires: Fires) -> None:
        assert fires("cron 10 30 1 * * *", zone=LONDON, look="2026-03-28T12:00+00:00", n=2) == [
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:30:10+01:00",
        ]

    def test_a_fixed_time_with_seconds_runs_once_in_the_repeated_hour(self, fires: Fires) -> None:
        assert fires("cron 10 30 1 * * *", zone=LONDON, look="2026-10-24T12:00+01:00", n=2) == [
            "2026-10-25T01:30:10+01:00",
            "2026-10-26T01:30:10+00:00",
        ]

    def test_the_day_of_the_month_or_the_day_of_the_week_is_enough(self, fires: Fires) -> None:
        assert fires("cron 0 6 13 * fri", zone=LONDON, look="2026-03-07T00:00+00:00", n=4) == [
            "2026-03-13T06:00+00:00",
            "2026-03-20T06:00+00:00",
            "2026-03-27T06:00+00:00",
            "2026-04-03T06:00+01:00",
        ]

    def test_both_day_fields_must_match_where_one_begins_with_a_star(self, fires: Fires) -> None:
        assert fires("cron 0 6 */7 * sun", zone=LONDON, look="2026-03-01T12:00+00:00", n=3) == [
            "2026-03-08T06:00+00:00",
            "2026-03-15T06:00+00:00",
            "2026-03-22T06:00+00:00",
        ]

    def test_an_active_from_that_matches_counts(self, fires: Fires) -> None:
        assert fires("cron 30 1 * * *", zone=LONDON, active_from="2026-03-29T02:00+01:00", n=2) == [
            "2026-03-29T02:00+01:00",
            "2026-03-30T01:30+01:00",
        ]


class TestTheEnd:
    def test_an_active_until_is_the_last_fire_where_it_matches(self, fires: Fires) -> None:
        assert fires(
            "day", at="09:00", zone=LONDON, look="2026-03-28T12:00+00:00",
            active_until="2026-03-30T09:00+01:00", n=9,
        ) == ["2026-03-29T09:00+01:00", "2026-03-30T09:00+01:00"]  # fmt: skip

    def test_nothing_fires_after_an_active_until(self, fires: Fires) -> None:
        assert fires(
            "day", at="09:00", zone=LONDON, look="2026-03-28T12:00+00:00",
            active_until="2026-03-30T08:59:59+01:00", n=9,
        ) == ["2026-03-29T09:00+01:00"]  # fmt: skip

    def test_an_active_until_before_the_first_fire_leaves_none(self, fires: Fires) -> None:
        assert fires(
            "3 hours", zone=LONDON, look="2026-03-28T12:00+00:00", active_until="2026-03-28T14:00+00:00", n=9
        ) == []  # fmt: skip
