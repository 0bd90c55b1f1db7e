-- A pipeline's log: a line for each run, written at its end, with the rows of every stage. The run is the upload;
-- its rows read are those given to the load, as transforming makes more of them than were extracted.
SELECT
    'pipeline' AS file,
    timestamp - to_microseconds(CAST(round(duration_seconds * 1000000) AS BIGINT)) AS started,
    timestamp AS ended,
    CASE
        WHEN NOT success THEN 'failed'
        WHEN loading_records < transformation_records OR validation_failed > 0 THEN 'partial'
        ELSE 'succeeded'
    END AS state,
    transformation_records AS rows_read,
    loading_records AS loaded,
    CASE WHEN success THEN greatest(transformation_records - loading_records, 0) ELSE 0 END AS rejected,
    CASE
        WHEN error <> '' THEN error
        WHEN validation_passed < validation_checks
            THEN validation_passed || ' of ' || validation_checks || ' checks passed, ' || validation_failed || ' failed'
    END AS error
FROM uploads
