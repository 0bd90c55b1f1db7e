-- The rows that did not get in, each with its place and the reason; `upload` is that of uploads.sql. A log that
-- tells of none does without this file. From the day before on, as the project's day may begin earlier than
-- that of the database; the report keeps the rows of its own day.
SELECT
    r.upload,
    r."file",
    r.line,
    r."column",
    r.value,
    r.reason,
    r.cause,
    r.content
FROM upload_reject r
JOIN upload u ON u.id = r.upload
WHERE u.started >= :since
