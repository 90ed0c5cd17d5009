"""All families of bundled entries by name, and those whose entries have an input.

How templates are written, ``family`` says.
"""

from lessons_lib.world.families_without_input import WITHOUT_INPUT
from lessons_lib.world.family import Family

WITH_INPUT = (
    Family(
        "spelling",
        55,
        (
            "Correct the spelling of the given word.",
            "The following word is misspelled. Write it correctly.",
            "Fix the spelling mistake in this word.",
        ),
        "The correct spelling is '{right}'.",
        "{wrong}",
    ),
    Family(
        "active_voice",
        45,
        (
            "Rewrite the sentence in the active voice.",
            "Change this passive sentence into an active one.",
            "Put the following sentence into the active voice.",
        ),
        "{active}",
        "{passive}",
    ),
    Family(
        "passive_voice",
        30,
        (
            "Rewrite the sentence in the passive voice.",
            "Change this active sentence into a passive one.",
            "Put the following sentence into the passive voice.",
        ),
        "{passive}",
        "{active}",
    ),
    Family(
        "animal_classes",
        40,
        (
            "Classify the animal as a mammal, bird, fish, reptile, amphibian, or insect.",
            "To which class does the following animal belong?",
            "Name the class of the given animal.",
        ),
        "{A_animal} is {a_class}.",
        "{animal}",
    ),
    Family(
        "sentiments",
        25,
        (
            "Classify the sentiment of the sentence as positive or negative.",
            "Does the following sentence express a positive or a negative feeling?",
            "Decide whether the speaker sounds positive or negative.",
        ),
        "The sentence is {sentiment}.",
        "{sentence}",
    ),
    Family(
        "proverbs",
        25,
        (
            "Complete the proverb.",
            "Write out the whole saying.",
            "Finish the following proverb.",
        ),
        "{start} {ending}.",
        "{start} ...",
    ),
    Family(
        "sort_words",
        20,
        (
            "Sort the words alphabetically.",
            "Put the following words into alphabetical order.",
            "Arrange the list from A to Z.",
        ),
        "{sorted}",
        "{words}",
    ),
    Family(
        "present_to_past",
        30,
        (
            "Rewrite the sentence in the past tense.",
            "Put the following sentence into the simple past.",
            "Change the sentence from the present to the past.",
        ),
        "{Subject} {past} {rest}.",
        "{Subject} {present} {rest}.",
    ),
    Family(
        "statements_to_questions",
        25,
        (
            "Turn the statement into a question.",
            "Rewrite the following sentence as a question.",
            "Make a yes-or-no question out of the sentence.",
        ),
        "{Auxiliary} {subject} {rest}?",
        "{Subject} {auxiliary} {rest}.",
    ),
    Family(
        "contractions",
        20,
        (
            "Rewrite the sentence without contractions.",
            "Expand the contraction in the sentence.",
            "Write out the shortened words in this sentence in full.",
        ),
        "{full} {rest}.",
        "{contraction} {rest}.",
    ),
    Family(
        "negations",
        15,
        (
            "Make the sentence negative.",
            "Rewrite the following sentence in the negative.",
            "Negate the sentence.",
        ),
        "{Subject} {negative} {rest}.",
        "{Subject} {auxiliary} {rest}.",
    ),
)

FAMILIES = {family.facts: family for family in WITHOUT_INPUT + WITH_INPUT}
