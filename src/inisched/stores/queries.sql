-- name: identity
SELECT value FROM meta WHERE key = 'id';

-- name: all_jobs
-- Everything known of every job.
SELECT id, name, meaning, anchor, anchor_counts, looked, ended, era, judged, resting,
       stale, shift, pruned_from, pruned_until,
       started, succeeded, failed, failed_run
  FROM job;

-- name: fires_ahead
-- Fires with a run that lie ahead of the last look: the clock was set back.
SELECT run.job_id, run.fire_unmoved
  FROM job CROSS JOIN run ON run.job_id = job.id AND run.fire_at > job.looked
 WHERE run.era = 0 AND run.attempt = 1 AND run.trigger IN ('schedule', 'catchup')
   AND run.fire_until IS NULL;

-- name: latest_look
SELECT max(looked) AS looked FROM job WHERE looked >= anchor + shift;

-- name: know_job
-- A name nobody has looked at yet.
INSERT INTO job (name) VALUES (:name) ON CONFLICT DO NOTHING;

-- name: job_named
SELECT id, name, meaning, anchor, anchor_counts, looked, ended, era, judged, resting,
       stale, shift, pruned_from, pruned_until,
       started, succeeded, failed, failed_run
  FROM job WHERE name = :name;

-- name: seat_job
-- A job seen for the first time, or with a schedule of another meaning. By number, for there are
-- many at a time; ?6 is its shift.
INSERT INTO job (name, meaning, anchor, anchor_counts, looked)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (name) DO UPDATE
   SET meaning = excluded.meaning, anchor = excluded.anchor,
       anchor_counts = excluded.anchor_counts, looked = excluded.looked,
       shift = iif(job.meaning = excluded.meaning, job.shift, ?6);

-- name: rest_job
UPDATE job SET resting = 1 WHERE name = :name RETURNING id, looked;

-- name: wake_job
UPDATE job SET resting = 0 WHERE id = :id;

-- name: open_rest
SELECT reason FROM rest WHERE job_id = :job_id AND until IS NULL;

-- name: begin_rest
INSERT INTO rest (job_id, reason, since) VALUES (:job_id, :reason, :since);

-- name: end_rest
UPDATE rest SET until = max(since, :until) WHERE job_id = :job_id AND until IS NULL;

-- name: no_job_is_stale
UPDATE job SET stale = 0 WHERE stale;

-- name: job_is_stale
UPDATE job SET stale = 1 WHERE name = :name;

-- name: set_all_back
-- The clock was set back: what has been looked at up to now is not further than now.
UPDATE job SET looked = :present WHERE looked > :present;

-- name: set_job
UPDATE job SET anchor = :anchor, anchor_counts = :anchor_counts, looked = :looked, ended = :ended,
               shift = :shift, era = :era
 WHERE id = :id;

-- name: gaps_beyond
-- What came due during a hold is told in the same way.
SELECT run.id, run.job_id, job.name AS job, run.fire_at, run.fire_until, run.count
  FROM job CROSS JOIN run ON run.job_id = job.id
 WHERE run.fire_until > :present AND run.era = 0
   AND run.state IN ('skipped', 'waiting');

-- name: runs_within
-- Fires with a run from one moment to another, both inclusive.
SELECT fire_unmoved FROM run
 WHERE job_id = :job_id AND fire_at BETWEEN :first AND :last AND era = 0 AND attempt = 1
   AND trigger IN ('schedule', 'catchup') AND fire_until IS NULL;

-- name: cut_gap
UPDATE run SET fire_until = :last, count = :count WHERE id = :id;

-- name: note_cut
-- Of a gap that lies before the first look.
INSERT INTO cut (job_id, anchor, since, until)
SELECT job.id, job.anchor, :since, :until
  FROM run JOIN job ON job.id = run.job_id
 WHERE run.id = :id;

-- name: cuts
SELECT job.name AS job, cut.anchor, since, until
  FROM cut JOIN job ON job.id = cut.job_id
 ORDER BY since;

-- name: forget_cuts
-- Those that have been looked at again.
DELETE FROM cut WHERE until <= (SELECT looked FROM job WHERE id = job_id);

-- name: delete_run
DELETE FROM run WHERE id = :id;

-- name: set_waiting
UPDATE run SET taken_at = taken_at + :step, not_before = not_before + :step,
               asked_at = asked_at + :step
 WHERE state = 'waiting';

-- name: note_absence
INSERT INTO absence (since, until, step, machine) VALUES (:since, :until, :step, :machine);

-- name: note_looked
-- A look, and when a run of the job has started in it.
UPDATE job SET looked = ?, started = ifnull(?, started) WHERE id = ?;

-- name: note_started
-- A run that runs now.
UPDATE job SET started = ?
 WHERE id = (SELECT job_id FROM run WHERE id = ? AND state = 'running');

-- name: move_ends
-- The clock was set: what was in the past stays as long ago as it was.
UPDATE job SET started = started + :step, succeeded = succeeded + :step, failed = failed + :step;

-- name: note_judged
INSERT INTO job (name, judged) VALUES (:name, :judged)
ON CONFLICT (name) DO UPDATE SET judged = excluded.judged;

-- name: next_run
SELECT ifnull(max(id), 0) + 1 AS id FROM run;

-- name: insert_run
-- Nothing is changed where the fire already has its row.
INSERT INTO run (id, job_id, fire_at, fire_unmoved, era, attempt, state, trigger, taken_at,
                 not_before, started_at, period_start, period_end, override)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- name: rows_from
SELECT id FROM run WHERE id >= :id;

-- name: fire_asked_for
SELECT id FROM run
 WHERE job_id = :job_id AND fire_at = :fire_at AND era = :era
   AND trigger IN ('manual', 'then', 'start') AND attempt = 1;

-- name: fire_at
SELECT id FROM run WHERE job_id = :job_id AND fire_at = :fire_at AND era = :era;

-- name: move_fire
UPDATE run SET fire_at = :fire_at WHERE id = :id;

-- name: insert_next_attempt
-- The attempt after run :id, at the same fire.
INSERT INTO run (job_id, fire_at, fire_unmoved, era, attempt, state, trigger, taken_at,
                 not_before, period_start, period_end, override)
SELECT job_id, fire_at, fire_unmoved, era, :attempt, 'waiting', 'retry', :taken_at, :not_before,
       period_start, period_end, override
  FROM run WHERE id = :id
ON CONFLICT DO NOTHING
RETURNING id;

-- name: latest_attempt
-- Of the fire that run :id is an attempt at.
SELECT latest.attempt, latest.state
  FROM run JOIN run AS latest USING (job_id, fire_at, era)
 WHERE run.id = :id ORDER BY latest.attempt DESC LIMIT 1;

-- name: newest_row_of_job
SELECT id, state, reason, era, fire_until FROM run WHERE job_id = :job_id ORDER BY id DESC LIMIT 1;

-- name: grow_gap
UPDATE run SET fire_until = :last, count = count + :count, message = :message WHERE id = :id;

-- name: insert_gap
INSERT INTO run (job_id, fire_at, fire_unmoved, fire_until, count, era, state, reason, trigger,
                 message)
VALUES (:job_id, :first, :first, :last, :count, :era, 'skipped', :reason, 'schedule', :message)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: set_message
UPDATE run SET message = :message WHERE id = :id;

-- name: note_misfires
UPDATE run SET misfires = :misfires WHERE id = :id;

-- name: begin_run
UPDATE run SET state = 'running', started_at = ?, override = ?, message = ''
 WHERE id = ? AND state = 'waiting';

-- name: note_question
UPDATE run SET asked = :asked, asked_at = :now, message = '' WHERE id = :id;

-- name: note_silence
-- The gate has no answer; its next one takes that back.
UPDATE run SET message = :message WHERE id = :id AND state = 'waiting';

-- name: take_place
UPDATE run SET taken_at = :taken_at, first_at = :first_at WHERE id = :id;

-- name: insert_held
-- What comes due during a hold.
INSERT INTO run (job_id, fire_at, fire_unmoved, fire_until, count, era, state, trigger, taken_at)
VALUES (:job_id, :first, :first_unmoved, :last, :count, :era, 'waiting', 'schedule', :taken_at)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: grow_held
UPDATE run SET fire_until = :last, count = count + :count WHERE id = :id;

-- name: stop_line
UPDATE job SET failed_run = :run WHERE id = :job_id;

-- name: failed_attempt
SELECT run.id, job.name AS job, state, trigger, fire_at, fire_unmoved, fire_until, count, attempt,
       taken_at, not_before, pid, pid_started, period_start, period_end, override, first_at,
       asked, asked_at
  FROM run JOIN job ON job.id = run.job_id
 WHERE run.id = :id;

-- name: note_pid
UPDATE run SET pid = ?, pid_started = ? WHERE id = ?;

-- name: finish_run
UPDATE run SET state = ?, reason = ?, ended_at = ?, exit_code = ?, message = ?, took = ?,
               started_at = ifnull(?, started_at)
 WHERE id = ?;

-- name: insert_output
INSERT OR REPLACE INTO output (run_id, stdout, stderr, stdout_total, stderr_total, result)
VALUES (?, ?, ?, ?, ?, ?);

-- name: note_ended
UPDATE job SET ended = ?, succeeded = ifnull(?, succeeded), failed = ifnull(?, failed)
 WHERE id = (SELECT job_id FROM run WHERE id = ?);

-- name: skip_waiting
UPDATE run SET state = 'skipped', reason = :reason, message = :message
 WHERE id = :id AND state = 'waiting';

-- name: interrupted_before
SELECT former.id FROM run JOIN run AS former USING (job_id, fire_at, era)
 WHERE run.id = :id AND former.attempt < run.attempt AND former.state = 'interrupted';

-- name: cancel_waiting
UPDATE run SET state = 'stopped', reason = :reason, message = :message, ended_at = :now
 WHERE id = :id AND state = 'waiting';

-- name: open_runs
-- What was waiting or running when the last daemon went away.
SELECT run.id, job.name AS job, state, trigger, fire_at, fire_unmoved, fire_until, count, attempt,
       taken_at, not_before, pid, pid_started, period_start, period_end, override, first_at,
       asked, asked_at
  FROM run JOIN job ON job.id = run.job_id
 WHERE state IN ('waiting', 'running')
 ORDER BY run.id;

-- name: all_switches
SELECT job.name AS job, kind, value, begun, by, since, note
  FROM switch JOIN job ON job.id = switch.job_id;

-- name: former_rhythms
-- With all by which the clock has been set since.
SELECT job.name AS job, former.meaning, former.anchor, former.anchor_counts,
       former.shift + (SELECT ifnull(sum(step), 0) FROM absence WHERE id > absences) AS shift
  FROM former_rhythm AS former JOIN job ON job.id = former.job_id;

-- name: the_switches
SELECT * FROM switch;

-- name: switch_again
-- This and the next ones put back what is switched, where the account lost it.
INSERT INTO switch (job_id, kind, value, begun, by, since, note)
SELECT :job_id, :kind, :value, :begun, :by, :since, :note
 WHERE EXISTS (SELECT 1 FROM job WHERE id = :job_id)
ON CONFLICT DO NOTHING;

-- name: the_former_rhythms
SELECT * FROM former_rhythm;

-- name: former_rhythm_again
INSERT INTO former_rhythm (job_id, meaning, anchor, anchor_counts, shift, absences)
SELECT :job_id, :meaning, :anchor, :anchor_counts, :shift, 0
 WHERE EXISTS (SELECT 1 FROM job WHERE id = :job_id)
ON CONFLICT DO NOTHING;

-- name: hold_again
INSERT INTO hold (id, begun, by, since, note, released, released_at)
VALUES (1, :begun, :by, :since, :note, :released, :released_at)
ON CONFLICT DO NOTHING;

-- name: throw_switch
INSERT INTO switch (job_id, kind, value, begun, by, since, note)
VALUES (:job_id, :kind, :value, :begun, :by, :since, :note)
ON CONFLICT DO UPDATE
   SET value = excluded.value, begun = excluded.begun, by = excluded.by, since = excluded.since,
       note = excluded.note;

-- name: switch_of_job
SELECT value, begun FROM switch WHERE job_id = :job_id AND kind = :kind;

-- name: drop_switch
DELETE FROM switch WHERE job_id = :job_id AND kind = :kind;

-- name: end_pause
UPDATE switch SET value = :now WHERE job_id = :job_id AND kind = 'paused';

-- name: keep_rhythm
INSERT INTO former_rhythm (job_id, meaning, anchor, anchor_counts, shift, absences)
SELECT id, meaning, anchor, anchor_counts, shift, (SELECT ifnull(max(id), 0) FROM absence)
  FROM job WHERE id = :job_id AND anchor IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: drop_former_rhythm
DELETE FROM former_rhythm WHERE job_id = (SELECT id FROM job WHERE name = :name);

-- name: look_on
-- What came due while the job was disabled is nobody's concern.
UPDATE job SET looked = :now WHERE id = :job_id AND looked < :now;

-- name: the_hold
SELECT begun, by, since, note, released, released_at FROM hold;

-- name: hold
INSERT INTO hold (id, begun, by, since, note) VALUES (1, :since, :by, :since, :note)
ON CONFLICT DO UPDATE
   SET by = excluded.by, since = excluded.since, note = excluded.note,
       released = NULL, released_at = NULL;

-- name: release
UPDATE hold SET released = :released, released_at = :now WHERE released IS NULL RETURNING id;

-- name: end_hold
DELETE FROM hold WHERE released IS NOT NULL;

-- name: enter_audit
INSERT INTO audit (at, by, action, job, detail, note)
VALUES (:at, :by, :action, :job, :detail, :note);

-- name: cleared
SELECT job, max(at) AS at FROM audit WHERE action = 'clear' GROUP BY job;

-- name: audit
SELECT id, at, by, action, job, detail, note FROM audit
 WHERE :job IS NULL OR job = :job
 ORDER BY id DESC LIMIT :limit;

-- name: open_life
INSERT INTO daemon (pid, host, started, heartbeat) VALUES (:pid, :host, :now, :now) RETURNING id;

-- name: beat
UPDATE daemon SET heartbeat = :now WHERE id = :id;

-- name: close_life
UPDATE daemon SET heartbeat = :now, ended = :now WHERE id = :id;

-- name: last_life
SELECT id, pid, host, started, heartbeat, ended FROM daemon ORDER BY id DESC LIMIT 1;

-- name: set_identity
UPDATE meta SET value = :value WHERE key = 'id' AND value <> :value;

-- name: enter_life_again
-- This and the next two put back what a living daemon has in hand, where the account lost it.
INSERT INTO daemon (id, pid, host, started, heartbeat) VALUES (:id, :pid, :host, :now, :now)
ON CONFLICT DO NOTHING;

-- name: enter_job_again
INSERT INTO job (id, name, meaning, anchor, anchor_counts, looked, ended, era, judged, resting,
                 stale, shift, pruned_from, pruned_until, started, succeeded, failed, failed_run)
VALUES (:id, :name, :meaning, :anchor, :anchor_counts, :looked, :ended, :era, :judged, :resting,
        :stale, :shift, :pruned_from, :pruned_until, :started, :succeeded, :failed, :failed_run)
ON CONFLICT (id) DO UPDATE SET looked = max(ifnull(looked, excluded.looked), excluded.looked);

-- name: enter_run_again
INSERT INTO run (id, job_id, fire_at, fire_unmoved, fire_until, count, era, attempt, state, trigger,
                 taken_at, not_before, started_at, pid, pid_started, period_start, period_end,
                 override, first_at, asked, asked_at)
VALUES (:id, :job_id, :fire_at, :fire_unmoved, :fire_until, :count, :era, :attempt, :state, :trigger,
        :taken_at, :not_before, :started_at, :pid, :pid_started, :period_start, :period_end,
        :override, :first_at, :asked, :asked_at)
ON CONFLICT DO NOTHING;

-- name: last_runs
-- Of each job the newest run that was started (gaps and waiting fires left out).
SELECT v_runs.* FROM job CROSS JOIN v_runs
 WHERE v_runs.id = (SELECT max(id) FROM run WHERE job_id = job.id AND started_at IS NOT NULL);

-- name: lengths_of_job
-- How long its newest runs took, of those that came to an end by themselves or by their timeout.
SELECT max(0, coalesce(took, ended_at - started_at)) AS length FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :name)
   AND state IN ('success', 'warning', 'failure', 'timeout') AND ended_at IS NOT NULL
 ORDER BY id DESC LIMIT :limit;

-- name: last_overlaps
-- Of each job the newest gap of overlap, if no run of it has started since.
SELECT job.name, run.count FROM job CROSS JOIN run
 WHERE run.id = (SELECT max(id) FROM run WHERE job_id = job.id)
   AND run.reason = 'overlap' AND run.fire_until IS NOT NULL;

-- name: open_view
SELECT v_runs.*, run.not_before, run.taken_at, run.first_at, run.asked, run.asked_at
  FROM v_runs JOIN run ON run.id = v_runs.id
 WHERE run.state IN ('waiting', 'running')
 ORDER BY run.id;

-- name: one_run
SELECT v_runs.*, stdout, stderr, stdout_total, stderr_total, result
  FROM v_runs LEFT JOIN output ON output.run_id = v_runs.id
 WHERE v_runs.id = :id;

-- name: one_entry
SELECT * FROM run WHERE id = :id;

-- name: just_ended
-- The run a fire came after: that takes the moment of its end, or milliseconds more until it is free.
SELECT id FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :job) AND id < :before
   AND ended_at <= :moment AND ended_at > :moment - 1000 AND started_at IS NOT NULL
 ORDER BY ended_at DESC, id DESC LIMIT 1;

-- name: fires_between
SELECT * FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :job) AND fire_at >= :since AND fire_at < :until
 ORDER BY fire_at, era, attempt LIMIT :limit;

-- name: gaps_between
-- Gaps of one era do not cross, so that the first to end at or after a moment is the one around it.
SELECT * FROM (SELECT * FROM run
                WHERE job_id = (SELECT id FROM job WHERE name = :job)
                  AND fire_until IS NOT NULL AND fire_until >= :since
                ORDER BY fire_until LIMIT :limit)
 WHERE fire_at < :until;

-- name: newest_fires
SELECT * FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :job) AND fire_at <= :until
 ORDER BY fire_at DESC, era DESC, attempt DESC LIMIT :limit;

-- name: fire_before
SELECT * FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :job) AND fire_at < :moment
   AND trigger IN ('schedule', 'catchup')
 ORDER BY fire_at DESC LIMIT 1;

-- name: fire_after
SELECT * FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :job) AND fire_at >= :moment
   AND trigger IN ('schedule', 'catchup')
 ORDER BY fire_at LIMIT 1;

-- name: gap_before
SELECT * FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :job)
   AND fire_until IS NOT NULL AND fire_until < :moment
 ORDER BY fire_until DESC LIMIT 1;

-- name: rests_of_job
SELECT reason, since, until FROM rest
 WHERE job_id = (SELECT id FROM job WHERE name = :job)
 ORDER BY since, rowid;

-- name: down_between
-- From the end of one life, or its last heartbeat, to the start of the next; before the very first
-- there was none.
SELECT since, until
  FROM (SELECT lag(ifnull(ended, heartbeat)) OVER (ORDER BY id) AS since, started AS until, id
          FROM daemon)
 WHERE ((since IS NULL AND id = 1) OR (since < :until AND since < until)) AND until > :since
 ORDER BY until LIMIT :limit;

-- name: absences_between
SELECT since, until, step, machine FROM absence
 WHERE min(since, until) < :until AND max(since, until) > :since
 ORDER BY id LIMIT :limit;

-- name: steps
-- Of the clock, the newest first.
SELECT since, until, step, machine FROM absence
 WHERE step IS NOT NULL ORDER BY id DESC LIMIT :limit;

-- What is forgotten. Where there is a keyset, it is that of an index: no query sorts.

-- name: newest_id
SELECT max(id) AS id FROM run;

-- name: jobs_after
SELECT id, failed_run FROM job WHERE id > :id ORDER BY id LIMIT :n;

-- name: row_down
-- The n-th newest row of a job below an id.
SELECT id FROM run WHERE job_id = :job_id AND id < :id ORDER BY id DESC LIMIT 1 OFFSET :n - 1;

-- name: number_down
SELECT count(*) AS number FROM run WHERE job_id = :job_id AND id < :id;

-- name: rows_down
SELECT id, state, started_at FROM run WHERE job_id = :job_id AND id < :id
 ORDER BY id DESC LIMIT :n;

-- name: rows_beyond
-- The rows of a job from an id on up to another, oldest first.
SELECT id, fire_at, fire_until, fire_unmoved, era, attempt, trigger, 1 AS old,
       (SELECT length(stdout) + length(stderr) FROM output WHERE run_id = run.id) AS bytes
  FROM run
 WHERE job_id = :job_id AND id > :id AND id <= :last
 ORDER BY id LIMIT :n;

-- name: rows_before
-- The rows of a job with a fire before a moment, and whether they had ended before it too.
SELECT id, fire_at, fire_until, fire_unmoved, era, attempt, trigger,
       coalesce(ended_at, fire_until, fire_at) < :before AS old,
       (SELECT length(stdout) + length(stderr) FROM output WHERE run_id = run.id) AS bytes
  FROM run
 WHERE job_id = :job_id AND fire_at < :before
   AND (fire_at, era, attempt) > (:fire_at, :era, :attempt)
 ORDER BY fire_at, era, attempt LIMIT :n;

-- name: job_now
SELECT looked, (SELECT max(run.id) FROM run WHERE job_id = job.id) AS newest
  FROM job WHERE id = :job_id;

-- name: open_fires
-- Those of a job with an attempt that waits or runs; found among all that do, which are few.
SELECT fire_at, era FROM run WHERE state IN ('waiting', 'running') AND +job_id = :job_id;

-- name: widen_pruned
UPDATE job SET pruned_from = min(ifnull(pruned_from, :first), :first),
               pruned_until = max(ifnull(pruned_until, :last), :last)
 WHERE id = :job_id;

-- name: outputs_after
SELECT run_id AS id, ended_at, taken_at, length(stdout) + length(stderr) AS bytes
  FROM output CROSS JOIN run ON run.id = run_id
 WHERE run_id > :id ORDER BY run_id LIMIT :n;

-- name: delete_output
DELETE FROM output WHERE run_id = :id;

-- name: lives_before
SELECT id, 0 AS bytes FROM daemon
 WHERE heartbeat < :before AND id < (SELECT max(id) FROM daemon) LIMIT :n;

-- name: delete_life
DELETE FROM daemon WHERE id = :id;

-- name: absences_before
SELECT id, 0 AS bytes FROM absence WHERE max(since, until) < :before LIMIT :n;

-- name: delete_absence
DELETE FROM absence WHERE id = :id;

-- name: rests_before
SELECT rowid AS id, 0 AS bytes FROM rest WHERE until < :before LIMIT :n;

-- name: delete_rest
DELETE FROM rest WHERE rowid = :id;

-- name: free_pages
SELECT freelist_count AS free, page_count AS pages
  FROM pragma_freelist_count, pragma_page_count;

-- name: give_a_page_back
PRAGMA incremental_vacuum(1);

-- name: note_pruned
INSERT INTO meta (key, value) VALUES ('pruned', :now)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: last_pruned
SELECT value FROM meta WHERE key = 'pruned';
