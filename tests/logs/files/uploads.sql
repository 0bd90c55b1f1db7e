-- A log of files without times, written anew by each load: it is about the as-of date.
SELECT
    file_name AS file,
    CAST(:as_of AS DATE) AS started,
    CASE
        WHEN status <> 'SUCCESS' THEN 'failed'
        WHEN rows_loaded < rows_read THEN 'partial'
        ELSE 'succeeded'
    END AS state,
    rows_read,
    rows_loaded AS loaded,
    CASE WHEN status = 'SUCCESS' THEN rows_read - rows_loaded ELSE 0 END AS rejected
FROM uploads
