-- An error for each row that was not copied. The session does not say which rows these are: bcp -e FILE does.
WITH lines AS (
    SELECT row_number() OVER () AS number, column1 AS said FROM uploads
),
errors AS (
    SELECT
        count(*) FILTER (said LIKE 'Starting copy%') OVER (ORDER BY number) AS session,
        said,
        said LIKE 'Error = %'
        AND NOT regexp_matches(lag(said) OVER (ORDER BY number), '^SQLState = (01|08|28|37|42|HYT|IM|S0)') AS of_a_row,
        regexp_replace(said, '^Error = (\[[^]]*\])*', '') AS reason
    FROM lines
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
        WHEN reason ILIKE '%primary key%' OR reason ILIKE '%duplicate key%' THEN 'duplicate key'
        WHEN reason ILIKE '%null%' THEN 'missing value'
        WHEN reason ILIKE '%end of file%' OR reason ILIKE '%eof%' THEN 'broken row'
        ELSE 'other'
    END AS cause,
    CAST(NULL AS VARCHAR) AS content
FROM errors
WHERE of_a_row
