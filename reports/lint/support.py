"""Which client shows what: caniemail's facts, and what we make of a feature that is not shown."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

CLIENTS: Mapping[str, str] = {
    "word": "classic Outlook (Word)",
    "outlook": "new Outlook and Outlook.com",
    "outlook_mac": "Outlook for Mac",
    "outlook_mobile": "Outlook on a phone",
    "gmail": "Gmail",
    "gmail_app": "Gmail's app",
    "gmail_other": "Gmail's app with another account",
    "apple_mac": "Apple Mail",
    "apple_ios": "Mail on an iPhone",
    "yahoo": "Yahoo",
    "gmx": "GMX",
    "web_de": "WEB.DE",
    "samsung": "Samsung Email",
    "thunderbird": "Thunderbird",
}
Grade = Literal["breaks", "degrades", "harmless"]
GRADES: tuple[Grade, ...] = ("breaks", "degrades", "harmless")


@dataclass(frozen=True)
class Feature:
    """One row of caniemail.csv: how it is written, when it was tested, and y, a, n or u for each client."""

    name: str
    written: tuple[str, ...]
    tested: str
    answers: Mapping[str, str]

    def clients(self, answer: str) -> list[str]:
        """The clients whose answer this is."""
        return [client for client, said in self.answers.items() if said == answer]


@dataclass(frozen=True)
class Effect:
    """What a reader has where a feature is not shown, and what to write instead."""

    grade: Grade
    without: str
    instead: str = ""


@cache
def features() -> Mapping[str, Feature]:
    """Every feature by each way in which it is written."""
    lines = (Path(__file__).parent / "caniemail.csv").read_text("utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    found = [
        Feature(row["feature"], tuple(row["written"].split()), row["tested"], {one: row[one] for one in CLIENTS})
        for row in rows
    ]
    return {written: feature for feature in found for written in feature.written}


@cache
def effects() -> Mapping[str, Effect]:
    """What we say of a feature, by its name; one that is not named here degrades a mail."""
    tables = tomllib.loads((Path(__file__).parent / "effects.toml").read_text("utf-8"))
    known: dict[str, Effect] = {}
    for grade in GRADES:
        for name, said in tables[grade].items():
            without, instead = said if isinstance(said, list) else (said, "")
            known[name] = Effect(grade, without, instead)
    return known


def effect(feature: Feature) -> Effect:
    """What is lost without `feature`."""
    if known := effects().get(feature.name):
        return known
    kind = feature.written[0].partition(":")[0]
    if kind in {"pseudo", "selector", "media"}:
        return Effect("harmless", "the rule is not read, and the mail has to be whole without it")
    return Effect("degrades", "it is left out", "leave it out, or see to it that nobody misses it")
