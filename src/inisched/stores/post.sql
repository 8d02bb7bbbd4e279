-- name: open_incidents
SELECT incident.id, job.name AS job, kind, opened, failures, incident.fire_at,
       told.notifier, told.at
  FROM incident JOIN job ON job.id = incident.job_id
  LEFT JOIN told ON told.incident_id = incident.id
 WHERE closed IS NULL
 ORDER BY incident.id;

-- name: newest_incident
SELECT ifnull(max(id), 0) AS id FROM incident;

-- name: open_incident
INSERT INTO incident (id, job_id, kind, opened, failures, fire_at)
VALUES (:id, (SELECT id FROM job WHERE name = :job), :kind, :opened, :failures, :fire_at);

-- name: count_failure
UPDATE incident SET failures = failures + 1 WHERE id = :id;

-- name: close_incident
UPDATE incident SET closed = :now WHERE id = :id;

-- name: close_incidents_of_job
UPDATE incident SET closed = :now WHERE job_id = :job_id AND closed IS NULL;

-- name: note_told
INSERT INTO told (incident_id, notifier, at) VALUES (:id, :notifier, :now)
ON CONFLICT DO UPDATE SET at = excluded.at;

-- name: move_post
-- The clock was set: what was told is as long ago as it was, what waits waits as long.
UPDATE told SET at = at + :step;

-- name: move_outbox
UPDATE outbox SET entered = entered + :step, not_before = not_before + :step;

-- name: enter_letter
INSERT INTO outbox (way, job, event, entered, not_before) VALUES (:way, :job, :event, :now, :now);

-- name: crowd_out
-- The oldest letters of a way beyond the most that may wait, but for those in hand.
DELETE FROM outbox
 WHERE id IN (SELECT id FROM outbox WHERE way = :way AND pid IS NULL
               ORDER BY id LIMIT max(0, (SELECT count(*) FROM outbox WHERE way = :way) - :most))
RETURNING id;

-- name: letters
SELECT id, way, job, entered, tries, not_before, pid, pid_started FROM outbox ORDER BY id;

-- name: letter
SELECT id, event FROM outbox WHERE id = :id;

-- name: hand_out
UPDATE outbox SET pid = :pid, pid_started = :pid_started WHERE id = :id;

-- name: take_back
-- Nobody has them in hand any more, and it is not known what became of them.
UPDATE outbox SET pid = NULL, pid_started = NULL WHERE id = :id;

-- name: hasten
UPDATE outbox SET not_before = entered WHERE id = :id;

-- name: put_off_letter
UPDATE outbox SET tries = tries + 1, not_before = :not_before, pid = NULL, pid_started = NULL
 WHERE id = :id;

-- name: delete_letter
DELETE FROM outbox WHERE id = :id RETURNING id;

-- name: count_dropped
INSERT INTO meta (key, value) VALUES ('notices_dropped', :number)
ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + excluded.value;

-- name: dropped
SELECT value FROM meta WHERE key = 'notices_dropped';

-- name: outbox_size
SELECT count(*) AS number FROM outbox;

-- name: edition
SELECT digest FROM edition ORDER BY id DESC LIMIT 1;

-- name: edition_at
-- The text that was in force at a moment.
SELECT text FROM edition WHERE since <= :moment ORDER BY id DESC LIMIT 1;

-- name: enter_edition
INSERT INTO edition (since, digest, text) VALUES (:now, :digest, :text);

-- name: forget_editions
DELETE FROM edition WHERE id <= (SELECT max(id) FROM edition) - :most;

-- name: worked_lengths
-- How long the newest runs of a job took that worked.
SELECT max(0, coalesce(took, ended_at - started_at)) AS length FROM run
 WHERE job_id = (SELECT id FROM job WHERE name = :name)
   AND state IN ('success', 'warning') AND ended_at IS NOT NULL
 ORDER BY id DESC LIMIT :limit;

-- name: last_rest
-- When the job last began to have fires again.
SELECT max(until) AS until FROM rest WHERE job_id = (SELECT id FROM job WHERE name = :name);

-- name: incidents_before
SELECT id, 0 AS bytes FROM incident WHERE closed < :before LIMIT :n;

-- name: delete_incident
DELETE FROM incident WHERE id = :id;
