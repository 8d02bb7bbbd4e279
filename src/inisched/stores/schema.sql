-- Moments are whole milliseconds since 1970, UTC. Version 1.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One row per name ever seen. `anchor` is where the rhythm began (`anchor_counts`: its own moment
-- is a fire), `looked` the unmoved moment up to which every fire is accounted for. A job rests
-- while it is not in the file, not active or broken: that stretch has no fires. It is stale while
-- the daemon runs its last good definition, since the one in the file is broken. `shift` is by how
-- much the wall clock was set under an elapsed interval; each step back begins a new `era`. Of its
-- runs those with a fire from `pruned_from` to `pruned_until` may have been pruned. Those that
-- follow it go by when its latest run started, and when one last succeeded and failed; a report
-- stands still at the period of `failed_run` until that succeeds.
CREATE TABLE job (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    meaning       TEXT NOT NULL DEFAULT '',
    anchor        INTEGER,
    anchor_counts INTEGER NOT NULL DEFAULT 0,
    looked        INTEGER,
    ended         INTEGER,
    era           INTEGER NOT NULL DEFAULT 0,
    judged        TEXT,
    resting       INTEGER NOT NULL DEFAULT 0,
    stale         INTEGER NOT NULL DEFAULT 0,
    shift         INTEGER NOT NULL DEFAULT 0,
    pruned_from   INTEGER,
    pruned_until  INTEGER,
    started       INTEGER,
    succeeded     INTEGER,
    failed        INTEGER,
    failed_run    INTEGER
);

-- Stretches in which a job had no fires, and why: removed, inactive, disabled or broken. `until`
-- is NULL while it lasts.
CREATE TABLE rest (
    job_id INTEGER NOT NULL REFERENCES job,
    reason TEXT NOT NULL,
    since  INTEGER NOT NULL,
    until  INTEGER
);

CREATE INDEX rest_of_job ON rest (job_id, since);

-- One row per attempt at a fire, or per stretch of fires that did not run (a gap: `fire_until`).
-- An attempt is taken up at `taken_at`; where it waits for a moment of its own, that is `not_before`.
-- A run that carries other misfires along says how many it stands for. `took` is how long it ran,
-- whatever was done to the clock meanwhile. A waiting fire that took another's place has the
-- `first_at` of the first one; `asked` is how often, and `asked_at` when last, it was asked whether
-- it is ready. A waiting row with `fire_until` is what came due during a hold.
CREATE TABLE run (
    id           INTEGER PRIMARY KEY,
    job_id       INTEGER NOT NULL REFERENCES job,
    fire_at      INTEGER NOT NULL,
    fire_until   INTEGER,
    count        INTEGER NOT NULL DEFAULT 1,
    era          INTEGER NOT NULL DEFAULT 0,
    attempt      INTEGER NOT NULL DEFAULT 1,
    state        TEXT NOT NULL,
    reason       TEXT,
    trigger      TEXT NOT NULL,
    started_at   INTEGER,
    ended_at     INTEGER,
    exit_code    INTEGER,
    message      TEXT NOT NULL DEFAULT '',
    period_start TEXT,
    period_end   TEXT,
    override     INTEGER NOT NULL DEFAULT 0,
    fire_unmoved INTEGER NOT NULL,
    taken_at     INTEGER,
    not_before   INTEGER,
    misfires     INTEGER NOT NULL DEFAULT 0,
    took         INTEGER,
    first_at     INTEGER,
    asked        INTEGER NOT NULL DEFAULT 0,
    asked_at     INTEGER,
    pid          INTEGER,
    pid_started  INTEGER,
    UNIQUE (job_id, fire_at, era, attempt)
);

CREATE INDEX run_of_job ON run (job_id);
CREATE INDEX run_gap ON run (job_id, fire_until) WHERE fire_until IS NOT NULL;
CREATE INDEX run_failed ON run (id) WHERE state IN ('failure', 'timeout', 'interrupted');
CREATE INDEX run_open ON run (id) WHERE state IN ('waiting', 'running');

-- What was kept of a run's output; the totals count every byte there was.
CREATE TABLE output (
    run_id       INTEGER PRIMARY KEY REFERENCES run ON DELETE CASCADE,
    stdout       BLOB NOT NULL,
    stderr       BLOB NOT NULL,
    stdout_total INTEGER NOT NULL,
    stderr_total INTEGER NOT NULL,
    result       TEXT NOT NULL
);

-- One row per life of a daemon.
CREATE TABLE daemon (
    id        INTEGER PRIMARY KEY,
    pid       INTEGER NOT NULL,
    host      TEXT NOT NULL,
    started   INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL,
    ended     INTEGER
);

-- Stretches in which a living daemon did not look. It or the machine slept; or, where there is a
-- `step`, the clock was set by so much: from what it showed last to what it showed then.
CREATE TABLE absence (
    id      INTEGER PRIMARY KEY,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    step    INTEGER,
    machine INTEGER NOT NULL DEFAULT 0
);

-- What people switched of a job, who, when, and why. The value of `enabled` is 1 or 0, of `paused`
-- the moment at which the pause ends, of `schedule` the keys of the new schedule as JSON. The job
-- has been off, or paused, since `begun`, however often somebody said so.
CREATE TABLE switch (
    job_id INTEGER NOT NULL REFERENCES job,
    kind   TEXT NOT NULL,
    value  NOT NULL,
    begun  INTEGER NOT NULL,
    by     TEXT NOT NULL,
    since  INTEGER NOT NULL,
    note   TEXT NOT NULL,
    PRIMARY KEY (job_id, kind)
) WITHOUT ROWID;

-- The rhythm of the file's schedule, kept while another one is in force; `absences` is the newest
-- absence at that time, for the clock may be set meanwhile.
CREATE TABLE former_rhythm (
    job_id        INTEGER PRIMARY KEY REFERENCES job,
    meaning       TEXT NOT NULL,
    anchor        INTEGER NOT NULL,
    anchor_counts INTEGER NOT NULL,
    shift         INTEGER NOT NULL,
    absences      INTEGER NOT NULL
);

-- While this has its one row nothing starts. It is `released` once somebody has said what becomes
-- of that which waits, 'run' or 'skip', and goes when that has been done.
CREATE TABLE hold (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    begun       INTEGER NOT NULL,
    by          TEXT NOT NULL,
    since       INTEGER NOT NULL,
    note        TEXT NOT NULL,
    released    TEXT,
    released_at INTEGER
);

-- Who switched what. `job` is NULL where all jobs are meant.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    by     TEXT NOT NULL,
    action TEXT NOT NULL,
    job    TEXT,
    detail TEXT NOT NULL,
    note   TEXT NOT NULL
);

CREATE INDEX audit_of_job ON audit (job, id);

-- The public view: what `history --json` shows, and the era.
CREATE VIEW v_runs AS
SELECT run.id,
       job.name AS job,
       strftime(iif(fire_at % 1000, '%Y-%m-%dT%H:%M:%fZ', '%Y-%m-%dT%H:%M:%SZ'),
                fire_at / 1000.0, 'unixepoch') AS fire_at,
       strftime(iif(fire_until % 1000, '%Y-%m-%dT%H:%M:%fZ', '%Y-%m-%dT%H:%M:%SZ'),
                fire_until / 1000.0, 'unixepoch') AS fire_until,
       count,
       state,
       reason,
       trigger,
       attempt,
       strftime(iif(started_at % 1000, '%Y-%m-%dT%H:%M:%fZ', '%Y-%m-%dT%H:%M:%SZ'),
                started_at / 1000.0, 'unixepoch') AS started_at,
       strftime(iif(ended_at % 1000, '%Y-%m-%dT%H:%M:%fZ', '%Y-%m-%dT%H:%M:%SZ'),
                ended_at / 1000.0, 'unixepoch') AS ended_at,
       max(0, coalesce(took, ended_at - started_at)) / 1000.0 AS duration_s,
       exit_code,
       message,
       period_start,
       period_end,
       override,
       run.era
  FROM run JOIN job ON job.id = run.job_id;
