-- What people are told, and what they still have to be told. Version 2.

-- What is wrong with a job, from the moment it showed until it was over. `kind` is failure, late,
-- slow or skipped. `fire_at` is the fire whose start was awaited in vain, `failures` how many runs
-- have failed.
CREATE TABLE incident (
    id       INTEGER PRIMARY KEY,
    job_id   INTEGER NOT NULL REFERENCES job,
    kind     TEXT NOT NULL,
    opened   INTEGER NOT NULL,
    closed   INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    fire_at  INTEGER
);

CREATE UNIQUE INDEX incident_open ON incident (job_id, kind) WHERE closed IS NULL;
CREATE INDEX incident_closed ON incident (closed) WHERE closed IS NOT NULL;

-- When each notifier was last told of an incident that lasts.
CREATE TABLE told (
    incident_id INTEGER NOT NULL REFERENCES incident ON DELETE CASCADE,
    notifier    TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (incident_id, notifier)
) WITHOUT ROWID;

-- Letters on their way: the `event` is JSON, `way` is notify:NAME, ping or sentry. One that could
-- not be delivered is tried again at `not_before`. While `pid` is set that process has it in hand.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    way         TEXT NOT NULL,
    job         TEXT NOT NULL,
    event       TEXT NOT NULL,
    entered     INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    not_before  INTEGER NOT NULL,
    pid         INTEGER,
    pid_started INTEGER
);

CREATE INDEX outbox_way ON outbox (way, id);

-- The text of the file as it was read since then, without its secrets, compressed.
CREATE TABLE edition (
    id     INTEGER PRIMARY KEY,
    since  INTEGER NOT NULL,
    digest TEXT NOT NULL,
    text   BLOB NOT NULL
);
