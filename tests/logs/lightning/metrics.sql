-- Lightning's CSVLogger: rows of training at every so many steps and a row of validation at the end of an epoch, each
-- with the columns of the other empty; epochs are counted from 0. An epoch has ended when it was validated.
SELECT
    epoch + 1 AS epoch,
    avg(CAST(nullif(train_loss, '') AS DOUBLE)) AS train_loss,
    avg(CAST(nullif(val_loss, '') AS DOUBLE)) AS val_loss,
    avg(val_acc) AS val_accuracy,
    bool_or(NOT isfinite(CAST(nullif(train_loss, '') AS DOUBLE))) AS broken
FROM metrics
GROUP BY epoch
HAVING count(nullif(val_loss, '')) > 0
