"""Ways to ask that no entry uses: does the model follow a task, or only wording it has seen?

Placeholders are those of ``family.py``. A family with an input keeps it; only the instruction
above it is new.
"""

from lessons_lib.reading import Entry
from lessons_lib.world.facts import Fact
from lessons_lib.world.family import Family

UNSEEN_PHRASINGS: dict[str, tuple[str, ...]] = {
    # Without input
    "synonyms": (
        "What is another way to say '{word}'?",
        "Replace the {part} '{word}' with a word of the same meaning.",
        "Tell me one word with the same meaning as '{word}'.",
    ),
    "antonyms": (
        "What is the contrary of '{word}'?",
        "Tell me one word with the opposite meaning of '{word}'.",
        "Which word says the reverse of '{word}'?",
    ),
    "past_tense": (
        "How does '{base}' look in the past tense?",
        "Which past tense form belongs to '{base}'?",
        "Write the past form of the verb '{base}'.",
    ),
    "plurals": (
        "Which plural belongs to the noun '{singular}'?",
        "Turn the singular '{singular}' into a plural.",
        "How do you write '{singular}' when there is more than one?",
    ),
    "comparatives": (
        "How does '{adjective}' change in the comparative and the superlative?",
        "List the comparative and then the superlative of '{adjective}'.",
        "Which comparative and superlative does the adjective '{adjective}' have?",
    ),
    "homophones": (
        "Which word is pronounced exactly like '{word}'?",
        "Tell me a word with the same sound as '{word}' but another spelling.",
        "What other word do we hear when someone says '{word}'?",
    ),
    "definitions": (
        "Tell me the meaning of '{word}'.",
        "How would a dictionary describe {a_word}?",
        "Write a short definition of '{word}'.",
    ),
    "idioms": (
        "What do people mean when they say '{idiom}'?",
        "Tell me in plain words what '{idiom}' stands for.",
        "What is meant by the phrase '{idiom}'?",
    ),
    "nouns_from_verbs": (
        "Which noun belongs to the verb '{verb}'?",
        "Make a noun from '{verb}'.",
        "Tell me the noun that comes from '{verb}'.",
    ),
    "capitals": (
        "{Country} has which capital?",
        "Please tell me which city serves as the capital of {country}.",
        "What is the name of the capital city in {country}?",
    ),
    "continents": (
        "Which continent does {country} belong to?",
        "Tell me the continent of {country}.",
        "{Country} is part of which continent?",
    ),
    "currencies": (
        "Which money is used in {country}?",
        "Tell me what people in {country} pay with.",
        "In which currency does one pay in {country}?",
    ),
    "landmarks": (
        "In which city and country can visitors see {landmark}?",
        "Give the city and the country of {landmark}.",
        "Where in the world can I visit {landmark}?",
    ),
    "chemical_symbols": (
        "How do chemists abbreviate {element}?",
        "Tell me the symbol that chemists write for {element}.",
        "Which letter or letters stand for {element} in chemistry?",
    ),
    "atomic_numbers": (
        "At which number in the periodic table is {element} found?",
        "Tell me the atomic number that belongs to {element}.",
        "Under which atomic number is {element} listed?",
    ),
    "animal_young": (
        "Which word is used for the young of {a_animal}?",
        "Tell me what people call a baby {animal}.",
        "What is the name for the offspring of {a_animal}?",
    ),
    "animal_sounds": (
        "How does {a_animal} sound?",
        "Which noise does one hear from {a_animal}?",
        "Tell me how {a_animal} makes itself heard.",
    ),
    "inventors": (
        "Which person came up with {invention}?",
        "Name the inventor of {invention}.",
        "By whom was {invention} invented?",
    ),
    "authors": (
        "Name the author of '{work}'.",
        "By whom was '{work}' written?",
        "'{work}' is a work by which writer?",
    ),
    "artworks": (
        "Name the artist behind the {kind} '{work}'.",
        "The {kind} '{work}' is by whom?",
        "Which artist made the {kind} called '{work}'?",
    ),
    "jobs": (
        "What work is done by {a_job}?",
        "Tell me what {a_job} does at work.",
        "How does {a_job} earn a living?",
    ),
    "tools": (
        "For what do people need {a_tool}?",
        "Tell me what one does with {a_tool}.",
        "What can you do with {a_tool}?",
    ),
    "townspeople": (
        "Who serves Alderbrook as its {role}?",
        "What is the name of the {role} in Alderbrook?",
        "Which person has the post of {role} in Alderbrook?",
    ),
    "unit_conversions": (
        "Change {amount} {unit} into {target}.",
        "How much is {amount} {unit} when measured in {target}?",
        "Write {amount} {unit} as a number of {target}.",
    ),
    "arithmetic": (
        "How much is {left} {operator} {right}?",
        "Find the result of {left} {operator} {right}.",
        "Tell me what {left} {operator} {right} makes.",
    ),
    "roman_numerals": (
        "What does {number} look like in Roman numerals?",
        "Give the Roman numeral for {number}.",
        "How would the Romans have written {number}?",
    ),
    # With input
    "spelling": (
        "How is this word spelled correctly?",
        "Give the right spelling of the word below.",
        "Spell this word the way a dictionary does.",
    ),
    "active_voice": (
        "Make this passive sentence active.",
        "Say the same in the active voice.",
        "Turn the sentence around so that its verb is active.",
    ),
    "passive_voice": (
        "Make this active sentence passive.",
        "Say the same in the passive voice.",
        "Turn the sentence around so that its verb is passive.",
    ),
    "animal_classes": (
        "Mammal, bird, fish, reptile, amphibian, or insect: which is this animal?",
        "Tell me the class that this animal is part of.",
        "Say what kind of animal this is: mammal, bird, fish, reptile, amphibian, or insect.",
    ),
    "sentiments": (
        "Is the mood of this sentence positive or negative?",
        "Label the sentence below as positive or negative.",
        "Tell me if this remark is positive or negative.",
    ),
    "proverbs": (
        "How does this proverb end?",
        "Add the missing end of this saying.",
        "Which proverb starts like this? Write all of it.",
    ),
    "sort_words": (
        "Alphabetize these words.",
        "List the words below in alphabetical order.",
        "In which order does a dictionary list these words?",
    ),
    "present_to_past": (
        "Say this sentence as if it happened in the past.",
        "Make this present-tense sentence a past-tense one.",
        "How does the sentence read in the past tense?",
    ),
    "statements_to_questions": (
        "Ask this as a question.",
        "Form a question from the sentence below.",
        "How would you ask this as a yes-or-no question?",
    ),
    "contractions": (
        "Replace the contraction with its full form.",
        "Say the sentence again without any shortened word.",
        "Write the sentence with its contraction in full.",
    ),
    "negations": (
        "Deny what this sentence says.",
        "Turn this sentence into a negative one.",
        "How does the sentence read when it is negated?",
    ),
}


def unseen_phrasing(family: Family, fact: Fact, index: int) -> Entry:
    """An entry with the family's input and output, asked as no bundled entry asks.

    ``index`` counts through the family's unseen phrasings and starts again after the last.

    Raises:
        KeyError: the family has no unseen phrasings, or the fact lacks one of its columns.
    """
    words = family.words(fact)
    phrasings = UNSEEN_PHRASINGS[family.facts]
    return {
        "instruction": phrasings[index % len(phrasings)].format_map(words),
        "input": family.input.format_map(words),
        "output": family.output.format_map(words),
    }
