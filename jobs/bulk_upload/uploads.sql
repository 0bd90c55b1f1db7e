-- The log's own columns become the report's here. Another log needs another uploads.sql and nothing else.
-- One row an upload; all of the log, since a file that is missing today may have come last in March.
-- A time without a zone is in the zone that the param log_zone names. States: running, succeeded, partial,
-- failed, interrupted. Of these columns a log may lack upload, target, ended, rejected, retries, error and until.
SELECT
    id AS upload,
    name AS "file",
    target,
    started,
    ended,
    state,
    rows_read,
    inserted + updated AS loaded,
    rejected,
    retries,
    error,
    until
FROM upload
