"""The sample loan tape, made from a seed: `python jobs/cashflow/make_tape.py` writes tape.csv beside this file.

No loan in it is anybody's. It has what real tapes have: identifiers with leading zeros and with 20 digits,
names in Chinese, quotes and commas in a name, blank cells, loans without interest, interest-only loans, rates
that revert, loans just made and loans with one payment left.
"""

import csv
import datetime as dt
import io
import random
from pathlib import Path

TAPE_DATE = dt.date(2026, 10, 31)
HEADING = [
    "LOAN_ID", "BORROWER", "PRODUCT", "ORIG_DATE", "ORIG_AMOUNT", "CURRENT_BAL", "NOTE_RATE_PCT", "ORIG_TERM_M",
    "PAID_M", "INT_ONLY_AMT", "REVERT_AFTER_M", "REVERT_RATE_PCT", "SERVICING_BP", "UPFRONT_FEE", "UPFRONT_COST",
]  # fmt: skip
# product: loans, amounts, rates in percent, terms in months
PRODUCTS = {
    "Mortgage 30 years": (210, (120_000, 620_000), (3.875, 7.25), (360,)),
    "Mortgage 15 years": (120, (80_000, 380_000), (3.125, 6.25), (180,)),
    "Fixed then variable": (90, (150_000, 540_000), (2.875, 4.5), (300, 360)),
    "Interest only": (60, (200_000, 700_000), (4.25, 6.75), (120, 240)),
    "Car": (90, (9_000, 48_000), (4.9, 10.9), (36, 48, 60, 72)),
    "Staff, no interest": (30, (1_500, 18_000), (0.0, 0.0), (12, 24, 36)),
}
FAMILY = ("Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Haddad", "Santos", "Byrne", "Kowalski", "Iyer")
GIVEN = ("Ada", "Noor", "Elena", "Tomas", "Grace", "Ivo", "Mei", "Luca", "Sara", "Jonas")
CHINESE = ("王伟", "李娜", "张敏", "刘洋", "陈静", "黄晓明")


def tape(seed: int = 20261031) -> str:
    """The tape as CSV text, the same for the same seed."""
    chance = random.Random(seed)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADING)
    number = 0
    for product, (count, amounts, rates, terms) in PRODUCTS.items():
        for _ in range(count):
            number += 1
            writer.writerow(_loan(chance, number, product, amounts, rates, chance.choice(terms)))
    return text.getvalue()


def _loan(
    chance: random.Random,
    number: int,
    product: str,
    amounts: tuple[int, int],
    rates: tuple[float, float],
    term: int,
) -> list[object]:
    paid = _paid(chance, number, term)
    amount = chance.randrange(*amounts, 500)
    rate = round(chance.uniform(*rates) * 8) / 8 if rates[1] else 0.0
    bullet = (amount if chance.random() < 0.6 else amount // 2) if product == "Interest only" else 0
    reverts = chance.choice((24, 36, 60)) if product == "Fixed then variable" else 0
    reverts = reverts if reverts > paid else 0
    return [
        _identifier(number), _borrower(chance, number), product, _back(paid).isoformat(), amount,
        f"{_balance(amount, bullet, rate, term, paid):.2f}", f"{rate:.3f}", term, paid, bullet or "",
        reverts or "", f"{rate + chance.choice((1.5, 2.0, 2.25)):.3f}" if reverts else "",
        0 if product == "Staff, no interest" else chance.choice((25, 37, 50)),
        round(amount * 0.008) if rate and chance.random() < 0.7 else "", chance.choice((250, 400, 650)) if rate else "",
    ]  # fmt: skip


def _paid(chance: random.Random, number: int, term: int) -> int:
    """Months already paid: mostly seasoned, some loans new, some with one payment left."""
    if number % 37 == 0:
        return term - 1
    return 0 if number % 23 == 0 else int(term * 0.75 * chance.random() ** 1.6)


def _identifier(number: int) -> str:
    """Seven digits with leading zeros; every fiftieth has twenty digits, as some systems give them."""
    return f"9007199254740993{number:04d}" if number % 50 == 0 else f"{number * 137:07d}"


def _borrower(chance: random.Random, number: int) -> str:
    if number % 17 == 0:
        return chance.choice(CHINESE)
    name = f"{chance.choice(FAMILY)}, {chance.choice(GIVEN)}"
    return f'{name} "{name[:2]}"' if number % 61 == 0 else name


def _back(months: int) -> dt.date:
    years, month = divmod(TAPE_DATE.month - 1 - months, 12)
    return dt.date(TAPE_DATE.year + years, month + 1, 1)


def _balance(amount: int, bullet: int, rate: float, term: int, paid: int) -> float:
    """What is still owed: the annuity part's balance, and the interest-only part whole."""
    monthly, part = rate / 1200, amount - bullet
    if not monthly:
        return bullet + part * (term - paid) / term
    growth = (1 + monthly) ** -(term - paid)
    return bullet + part * (1 - growth) / (1 - (1 + monthly) ** -term)


if __name__ == "__main__":
    Path(__file__).with_name("tape.csv").write_text(tape(), "utf-8", newline="\n")
