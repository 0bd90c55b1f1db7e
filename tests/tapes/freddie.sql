-- A sample of single-family mortgages at origination, in the column names of their publisher.
SELECT
    id_loan AS loan_id,
    CASE WHEN orig_loan_term <= 180 THEN '15 years' WHEN orig_loan_term <= 240 THEN '20 years' ELSE '30 years' END AS product,
    strptime(CAST(dt_first_pi AS VARCHAR), '%Y%m') AS origination_date,
    orig_upb AS balance,
    orig_int_rt / 100 AS rate,
    orig_loan_term AS term,
    0 AS age,
    zipcode
FROM loans
ORDER BY loan_id
