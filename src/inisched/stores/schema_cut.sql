-- What a clock that was set back took from gaps before the first look at their job. Version 3.

-- Fires in (since, until], unmoved, of the rhythm that began at `anchor`. They come due again;
-- where the clock is set past the anchor instead, nothing else that lies before it has come due.
CREATE TABLE cut (
    job_id INTEGER NOT NULL REFERENCES job,
    anchor INTEGER NOT NULL,
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL
);

CREATE INDEX cut_of_job ON cut (job_id);
