"""The script people write instead: pandas, matplotlib, to_excel and Red Mail, for the same mail and workbook.

It reads a loan tape, projects its cash flows month by month, draws the two charts, writes the five sheets and
builds the mail, which it saves. `benchmarks/run.py` times it against `reports run cashflow`.

    python benchmarks/handmade.py TAPE.csv OUT.eml
"""

import random
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
from redmail import EmailSender

mpl.use("Agg")
import io

import matplotlib.pyplot as plt

MONTHS, PSA, SDA, SEVERITY, LAG = 360, 150, 100, 0.2, 12
TEMPLATE = """<h1>Loan cash flows</h1>
<p>{% for label, value in headline %}<b>{{ label }}</b> {{ value }}<br>{% endfor %}</p>
{{ by_product }} {{ monthly_chart }} {{ sample_chart }} {{ by_year }}"""


def read(tape):
    frame = pd.read_csv(tape, dtype={"id_loan": str, "zipcode": str})
    loans = pd.DataFrame(
        {
            "loan_id": frame.id_loan,
            "product": np.where(frame.orig_loan_term <= 180, "15 years", "30 years"),
            "origination_date": pd.to_datetime(frame.dt_first_pi.astype(str), format="%Y%m"),
            "balance": frame.orig_upb.astype(float),
            "rate": frame.orig_int_rt / 100,
            "term": frame.orig_loan_term,
            "age": 0,
            "zipcode": frame.zipcode,
        }
    )
    return loans.sort_values("loan_id")


def project(loans):
    """One row a month: the plain loop over months, vectorised over loans."""
    rate, term, age = loans.rate.to_numpy() / 12, loans.term.to_numpy(), loans.age.to_numpy()
    factor = np.ones(len(loans))
    perf, fcl = loans.balance.to_numpy(), np.zeros(len(loans))
    pending, rows = [], []
    for month in range(1, MONTHS + 1):
        left = term - age - month + 1
        open_ = left > 0
        with np.errstate(all="ignore"):
            am = np.where(open_, rate / ((1 + rate) ** left - 1), 0.0)
        am = np.where(open_ & (rate == 0), 1 / np.maximum(left, 1), am)
        cpr = np.minimum(PSA / 100 * 0.002 * np.minimum(age + month, 30), 1)
        smm = 1 - (1 - cpr) ** (1 / 12)
        n = age + month
        sda = np.where(n <= 30, 0.0002 * n, np.where(n <= 60, 0.006, np.maximum(0.006 - 0.000095 * (n - 60), 0.0003)))
        mdr = np.where(left > LAG, 1 - (1 - sda * SDA / 100) ** (1 / 12), 0.0)
        new = perf * mdr
        scheduled = (perf - new) * am
        prepaid = np.minimum(perf * (1 - am) * smm, perf - new - scheduled)
        pending.append((new, factor.copy()))
        balance_at_default, factor_then = pending[month - 1 - LAG] if month > LAG else (0.0, np.ones(len(loans)))
        with np.errstate(all="ignore"):
            due = np.where(factor_then > 0, balance_at_default * factor / factor_then, 0.0)
        loss = np.minimum(balance_at_default * SEVERITY, due)
        interest = (perf - new) * rate
        amortised = (new + fcl - due) * am
        perf = np.where(open_, perf - new - scheduled - prepaid, 0.0)
        fcl = new + fcl - due - amortised
        factor = factor * (1 - am)
        rows.append((month, perf, new, fcl, scheduled, prepaid, amortised, interest, due - loss, loss))
    names = [
        "performing",
        "defaults",
        "foreclosure",
        "scheduled",
        "prepaid",
        "amortised",
        "interest",
        "recovery",
        "loss",
    ]
    totals = pd.DataFrame([[row[0], *(float(np.sum(x)) for x in row[1:])] for row in rows], columns=["month", *names])
    return totals, rows, names


def monthly_chart(totals):
    figure, axes = plt.subplots(figsize=(6, 3.2), dpi=200)
    columns = ["interest", "scheduled", "prepaid", "recovery"]
    axes.stackplot(totals.month, *(totals[name] for name in columns), labels=columns)
    axes.legend()
    axes.set_title("Monthly cash flows")
    return figure


def sample_chart(loans, rows, names, chosen):
    figure, grid = plt.subplots(3, 3, figsize=(6, 5), dpi=200, sharex=True)
    for axes, position in zip(grid.flat, chosen, strict=True):
        for name in ("scheduled", "prepaid", "interest"):
            index = names.index(name) + 1
            axes.plot([float(row[index][position]) for row in rows], label=name)
        axes.set_title(loans.loan_id.iloc[position], fontsize=8)
    grid[0][0].legend(fontsize=6)
    figure.tight_layout()
    return figure


def workbook(sheets):
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
            writer.sheets[name].freeze_panes = "A2"
    return file.getvalue()


def main(tape, out):
    loans = read(tape)
    totals, rows, names = project(loans)
    chosen = random.Random(20261031).sample(range(len(loans)), 9)
    weights = loans.balance / loans.balance.sum()
    headline = pd.DataFrame(
        [
            ("Loans", f"{len(loans):,}"),
            ("Balance", f"{loans.balance.sum():,.0f}"),
            ("Coupon", f"{(loans.rate * weights).sum():.2%}"),
            ("Maturity", f"{((loans.term - loans.age) * weights).sum():.0f} months"),
            *(
                (name, f"{totals[name].sum():,.0f}")
                for name in ("interest", "scheduled", "prepaid", "defaults", "loss")
            ),
        ],
        columns=["label", "value"],
    )
    by_product = loans.groupby("product").agg(loans=("loan_id", "size"), balance=("balance", "sum")).reset_index()
    by_year = totals.groupby((totals.month - 1) // 12 + 1).sum().drop(columns="month").reset_index(names="year")
    sample = pd.concat(
        pd.DataFrame(
            {"loan_id": loans.loan_id.iloc[p], "month": totals.month}
            | {name: [float(row[i + 1][p]) for row in rows] for i, name in enumerate(names)}
        )
        for p in chosen
    )
    sheets = {"Summary": headline, "Monthly": totals, "By product": by_product, "Sample": sample, "Loans": loans}
    message = EmailSender(host="localhost", port=25).get_message(
        subject="Loan cash flows",
        sender="reports@example.com",
        receivers=["finance@example.com"],
        html=TEMPLATE,
        body_params={"headline": headline.to_numpy().tolist()},
        body_tables={"by_product": by_product, "by_year": by_year},
        body_images={"monthly_chart": monthly_chart(totals), "sample_chart": sample_chart(loans, rows, names, chosen)},
        attachments={"Loan cash flows.xlsx": workbook(sheets)},
    )
    with open(out, "wb") as file:
        file.write(bytes(message))


if __name__ == "__main__":
    main(*sys.argv[1:])
