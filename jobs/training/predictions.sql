-- One row a prediction, of one epoch or of several: the report shows the newest that had ended. A model that predicts
-- no classes does without this file, and without what job.toml shows of confusion, classes, calibration and samples.
SELECT
    run,
    epoch,
    item,
    line AS content,
    truth,
    predicted,
    confidence
FROM predictions
