-- What bcp said, line by line; several sessions may follow each other. It names neither its file, so write it
-- here, nor a time, so that it is about the as-of date. A row that was read is copied, or its error is told;
-- errors of these SQLSTATEs are not about a row but about server, login or table, or are warnings.
WITH lines AS (
    SELECT row_number() OVER () AS number, column1 AS said FROM uploads
),
sessions AS (
    SELECT
        count(*) FILTER (said LIKE 'Starting copy%') OVER (ORDER BY number) AS session,
        number,
        said,
        said LIKE 'Error = %'
        AND NOT regexp_matches(lag(said) OVER (ORDER BY number), '^SQLState = (01|08|28|37|42|HYT|IM|S0)') AS of_a_row
    FROM lines
),
told AS (
    SELECT
        session,
        coalesce(max(TRY_CAST(regexp_extract(said, '^(\d+) rows copied', 1) AS BIGINT)), 0) AS copied,
        max(TRY_CAST(regexp_extract(said, '^Clock Time.*Total\s*:\s*(\d+)', 1) AS BIGINT)) AS milliseconds,
        count(*) FILTER (of_a_row) AS rejected,
        first(regexp_replace(said, '^Error = (\[[^]]*\])*', '') ORDER BY number) FILTER (said LIKE 'Error = %') AS error,
        bool_or(said LIKE 'BCP copy in failed%') AS gave_up
    FROM sessions
    GROUP BY session
)
SELECT
    session AS upload,
    'bcp session' AS file,
    CAST(:as_of AS TIMESTAMP) AS started,
    CAST(:as_of AS TIMESTAMP) + to_milliseconds(milliseconds) AS ended,
    CASE
        WHEN gave_up OR (copied = 0 AND error <> '') THEN 'failed'
        WHEN rejected > 0 THEN 'partial'
        ELSE 'succeeded'
    END AS state,
    copied + rejected AS rows_read,
    copied AS loaded,
    rejected,
    error
FROM told
