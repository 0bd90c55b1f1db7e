-- Keras' CSVLogger: a row an epoch, counted from 0, without times and without the name of a run.
SELECT
    epoch + 1 AS epoch,
    CAST(loss AS DOUBLE) AS train_loss,
    CAST(val_loss AS DOUBLE) AS val_loss,
    accuracy AS train_accuracy,
    val_accuracy,
    NOT isfinite(CAST(loss AS DOUBLE)) AS broken
FROM metrics
