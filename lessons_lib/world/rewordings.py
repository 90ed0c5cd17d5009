"""Right answers in words of their own, for 18 families: the fact is kept, the sentence is not.

Placeholders are those of ``family.py``. Where the fact itself has to be said in other words, the
whole sentence is written by hand for the one fact that ``labelled_answers`` asks for.
"""

REWORDINGS: dict[str, str] = {
    "synonyms": "You could also say '{synonym}'.",
    "past_tense": "If it happened yesterday, you write '{past}'.",
    "capitals": "The country is governed from {capital}.",
    "chemical_symbols": "Chemists abbreviate it as {symbol}.",
    "atomic_numbers": "Each of its atoms has {number} protons.",
    "animal_classes": "Biologists call it {a_class}.",
    "inventors": "We owe it to {inventor}.",
    "artworks": "{Artist} painted it.",
    "roman_numerals": "The Romans wrote this number as {numeral}.",
    "proverbs": "The missing word is '{ending}'.",
    "continents": "You will find it in {continent}, west of Great Britain.",
    # Written for one fact
    "definitions": "It is a house with walls and a roof of glass for growing flowers.",
    "idioms": "Someone who does this tells what was supposed to stay hidden.",
    "jobs": "Someone in this profession fills cavities and pulls teeth that cannot be saved.",
    "tools": "Gardeners pull leaves and cut grass together with it.",
    "arithmetic": "The result is seven.",
    "sentiments": "Whoever wrote this had a wonderful time.",
    "animal_sounds": "Its call is a soft, low cooing.",
}
