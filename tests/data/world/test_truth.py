"""Facts that can be computed are computed again here, in another way than they were written."""

import difflib
import re
from fractions import Fraction

import pytest

from lessons_lib.data.world import load_facts

# The periodic table: the position of a symbol is its atomic number less one.
SYMBOLS = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb
Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf
Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
""".split()

# What a unit measures, and its size in the smallest unit of that kind here.
INCH = Fraction(254, 10)  # millimeters, by definition
POUND = Fraction("453592.37")  # milligrams, by definition
GALLON = 231 * INCH**3 / 1000  # milliliters: 231 cubic inches
UNITS = {
    "millimeter": ("length", 1),
    "centimeter": ("length", 10),
    "meter": ("length", 1000),
    "kilometer": ("length", 1_000_000),
    "inch": ("length", INCH),
    "foot": ("length", 12 * INCH),
    "yard": ("length", 36 * INCH),
    "mile": ("length", 63_360 * INCH),
    "milligram": ("mass", 1),
    "gram": ("mass", 1000),
    "kilogram": ("mass", 1_000_000),
    "metric ton": ("mass", 1_000_000_000),
    "ounce": ("mass", POUND / 16),
    "pound": ("mass", POUND),
    "ton": ("mass", 2000 * POUND),
    "milliliter": ("volume", 1),
    "centiliter": ("volume", 10),
    "liter": ("volume", 1000),
    "cubic meter": ("volume", 1_000_000),
    "cubic centimeter": ("volume", 1),
    "teaspoon": ("volume", GALLON / 768),
    "tablespoon": ("volume", GALLON / 256),
    "fluid ounce": ("volume", GALLON / 128),
    "cup": ("volume", GALLON / 16),
    "pint": ("volume", GALLON / 8),
    "quart": ("volume", GALLON / 4),
    "gallon": ("volume", GALLON),
    "second": ("time", 1),
    "minute": ("time", 60),
    "hour": ("time", 3600),
    "day": ("time", 86_400),
    "week": ("time", 604_800),
    "month": ("calendar", 1),
    "year": ("calendar", 12),
    "decade": ("calendar", 120),
    "century": ("calendar", 1200),
}
PLURALS = {"inch": "inches", "foot": "feet", "century": "centuries"}
PLURALS = {unit: PLURALS.get(unit, unit + "s") for unit in UNITS}
SINGULARS = {plural: unit for unit, plural in PLURALS.items()}


def described(fact: dict[str, str]) -> str:
    return " ".join(fact.values())


def rows(name: str):
    return pytest.mark.parametrize("fact", load_facts(name), ids=described)


def number(text: str) -> Fraction:
    """A number as the facts write it: commas between thousands, a point, nothing superfluous."""
    assert re.fullmatch(r"(0|[1-9]\d{0,2}(,\d{3})*)(\.\d*[1-9])?", text), text
    return Fraction(text.replace(",", ""))


def roman(value: int) -> str:
    """Each digit written by itself, the old table way."""
    digits = [
        ["", "M", "MM", "MMM"],
        ["", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"],
        ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"],
        ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"],
    ]
    return "".join(place[int(d)] for place, d in zip(digits, f"{value:04}", strict=True))


@rows("arithmetic")
def test_arithmetic(fact):
    left, right, result = (number(fact[name]) for name in ("left", "right", "result"))
    computed = {
        "plus": left + right,
        "minus": left - right,
        "times": left * right,
        "divided by": left / right,
    }
    assert computed[fact["operator"]] == result


@rows("roman_numerals")
def test_roman_numerals(fact):
    assert roman(int(fact["number"])) == fact["numeral"]


@rows("unit_conversions")
def test_unit_conversions(fact):
    amount, result = number(fact["amount"]), number(fact["result"])
    unit = fact["unit"] if amount == 1 else SINGULARS.get(fact["unit"])
    target = fact["target"] if result == 1 else SINGULARS.get(fact["target"])
    assert unit in UNITS, f"{fact['unit']!r}: wrong number, or a unit whose size UNITS lacks"
    assert target in UNITS, f"{fact['target']!r}: wrong number, or a unit whose size UNITS lacks"
    (kind, size), (target_kind, target_size) = UNITS[unit], UNITS[target]
    assert kind == target_kind
    assert unit != target
    assert amount * size == result * target_size


@rows("chemical_symbols")
def test_symbols_are_in_the_periodic_table(fact):
    assert fact["symbol"] in SYMBOLS


def test_the_periodic_table_of_this_test_is_whole():
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 118
    assert [SYMBOLS[i - 1] for i in (1, 26, 47, 79, 82, 92, 118)] == "H Fe Ag Au Pb U Og".split()


def test_atomic_numbers_agree_with_the_symbols():
    symbols = {fact["element"]: fact["symbol"] for fact in load_facts("chemical_symbols")}
    numbers = {fact["element"]: int(fact["number"]) for fact in load_facts("atomic_numbers")}
    known = symbols.keys() & numbers.keys()
    assert len(known) >= 20, "elements that stand in both files"
    wrong = {e: numbers[e] for e in known if SYMBOLS[numbers[e] - 1] != symbols[e]}
    assert wrong == {}


def test_atomic_numbers_are_different_and_from_1_to_118():
    numbers = [int(fact["number"]) for fact in load_facts("atomic_numbers")]
    assert len(set(numbers)) == len(numbers)
    assert 1 <= min(numbers) and max(numbers) <= 118


@rows("sort_words")
def test_lists_can_be_sorted_without_doubt(fact):
    words = fact["words"].split(", ")
    assert len(words) >= 3
    assert len(set(words)) == len(words)
    assert all(word.isalpha() and word.islower() for word in words), "capitals would sort first"
    assert words != sorted(words), "already sorted: nothing to do"


@rows("spelling")
def test_misspellings_are_near_the_right_word(fact):
    assert fact["wrong"] != fact["right"]
    assert difflib.SequenceMatcher(None, fact["wrong"], fact["right"]).ratio() > 0.6


def test_no_misspelling_is_the_right_spelling_of_another():
    wrong = {fact["wrong"] for fact in load_facts("spelling")}
    assert not wrong & {fact["right"] for fact in load_facts("spelling")}


@rows("negations")
def test_negations(fact):
    auxiliary = fact["auxiliary"]
    assert fact["negative"] == {"can": "cannot"}.get(auxiliary, f"{auxiliary} not")


@rows("contractions")
def test_contractions(fact):
    endings = {"'m": [" am"], "'re": [" are"], "'ve": [" have"], "'ll": [" will"]}
    endings |= {"'s": [" is", " has"], "'d": [" would", " had"]}
    endings |= {"can't": ["cannot"], "won't": ["will not"], "n't": [" not"]}
    ending = next(e for e in ("can't", "won't", *endings) if fact["contraction"].endswith(e))
    start = fact["contraction"].removesuffix(ending)
    assert fact["full"] in [start + full for full in endings[ending]]


@rows("comparatives")
def test_comparatives_and_superlatives_are_formed_alike(fact):
    comparative, superlative = fact["comparative"], fact["superlative"]
    if comparative.startswith("more "):
        assert (comparative, superlative) == (
            f"more {fact['adjective']}",
            f"most {fact['adjective']}",
        )
    elif fact["adjective"] not in ("good", "bad", "far", "little", "many", "much"):
        assert superlative == comparative.removesuffix("r") + "st"
        assert comparative[0] == fact["adjective"][0]


@pytest.mark.parametrize("name", ["active_voice", "passive_voice"])
def test_regular_verbs_have_one_form_for_past_and_participle(name):
    wrong = [
        fact
        for fact in load_facts(name)
        if fact["past"].endswith("ed") and fact["participle"] != fact["past"]
    ]
    assert wrong == []
    assert {fact["number"] for fact in load_facts(name)} == {"singular", "plural"}


def test_files_do_not_contradict_each_other():
    """The same verb has the same forms wherever it stands."""
    participles = {fact["past"]: fact["participle"] for fact in load_facts("past_tense")}
    for name in ("active_voice", "passive_voice"):
        for fact in load_facts(name):
            assert participles.get(fact["past"], fact["participle"]) == fact["participle"], fact


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("animal_classes", "class", "mammal bird fish reptile amphibian insect".split()),
        ("sentiments", "sentiment", ["positive", "negative"]),
        (
            "continents",
            "continent",
            ["Africa", "Asia", "Europe", "North America", "South America", "Oceania"],
        ),
        ("synonyms", "part", ["noun", "verb", "adjective", "adverb", "preposition"]),
        ("antonyms", "part", ["noun", "verb", "adjective", "adverb", "preposition"]),
        ("arithmetic", "operator", ["plus", "minus", "times", "divided by"]),
    ],
)
def test_columns_with_few_values(name, column, values):
    assert {fact[column] for fact in load_facts(name)} <= set(values)


def test_both_feelings_are_about_as_frequent():
    feelings = [fact["sentiment"] for fact in load_facts("sentiments")]
    assert 0.4 <= feelings.count("positive") / len(feelings) <= 0.6
