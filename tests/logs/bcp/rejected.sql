-- An error for each row that was not copied. The session does not say which rows these are: bcp -e FILE does.
WITH lines AS (
    SELECT row_number() OVER () AS number, column1 AS said FROM uploads
),
sessions AS (
    SELECT count(*) FILTER (said LIKE 'Starting copy%') OVER (ORDER BY number) AS session, said FROM lines
),
errors AS (
    SELECT session, regexp_replace(said, '^Error = (\[[^]]*\])*', '') AS reason
    FROM sessions
    WHERE said LIKE 'Error = %'
)
SELECT
    session AS upload,
    'bcp session' AS file,
    CAST(NULL AS BIGINT) AS line,
    CAST(NULL AS VARCHAR) AS "column",
    CAST(NULL AS VARCHAR) AS value,
    reason,
    CASE
        WHEN reason ILIKE '%cast specification%' OR reason ILIKE '%conver%' THEN 'wrong type'
        WHEN reason ILIKE '%truncat%' THEN 'too long'
        WHEN reason ILIKE '%PRIMARY KEY%' OR reason ILIKE '%duplicate key%' THEN 'duplicate key'
        WHEN reason ILIKE '%NULL%' THEN 'missing value'
        WHEN reason ILIKE '%end of file%' OR reason ILIKE '%EOF%' THEN 'broken row'
        ELSE 'other'
    END AS cause,
    CAST(NULL AS VARCHAR) AS content
FROM errors
