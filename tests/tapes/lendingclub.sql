-- Personal loans in the column names of their publisher, which has no identifier: the row's number serves.
SELECT
    printf('%05d', row_number() OVER ()) AS loan_id,
    emp_title AS borrower,
    grade AS product,
    strptime(issue_month, '%b-%y') AS origination_date,
    balance,
    interest_rate / 100 AS rate,
    term,
    least(term - 1, CAST(floor(paid_total / installment) AS INTEGER)) AS age
FROM loans
