"""The families whose entries have no input: what is asked about stands in the instruction.

How templates are written, ``family`` says.
"""

from lessons_lib.world.family import Family

WITHOUT_INPUT = (
    Family(
        "synonyms",
        50,
        (
            "Which word is a synonym for '{word}'?",
            "Give a synonym for the {part} '{word}'.",
            "Name another word for '{word}'.",
            "Find a word that means the same as '{word}'.",
        ),
        "A synonym for '{word}' is '{synonym}'.",
    ),
    Family(
        "antonyms",
        50,
        (
            "Which word is the opposite of '{word}'?",
            "Give an antonym for the {part} '{word}'.",
            "Name an antonym of '{word}'.",
            "Find a word that means the opposite of '{word}'.",
        ),
        "An antonym of '{word}' is '{antonym}'.",
    ),
    Family(
        "past_tense",
        40,
        (
            "What is the past tense of the verb '{base}'?",
            "Give the simple past of the verb '{base}'.",
            "Put the verb '{base}' into the past tense.",
        ),
        "The past tense of '{base}' is '{past}'.",
    ),
    Family(
        "plurals",
        30,
        (
            "What is the plural of '{singular}'?",
            "Give the plural form of the noun '{singular}'.",
            "How is '{singular}' written in the plural?",
        ),
        "The plural of '{singular}' is '{plural}'.",
    ),
    Family(
        "comparatives",
        25,
        (
            "What are the comparative and the superlative of '{adjective}'?",
            "Give the comparative and superlative forms of '{adjective}'.",
            "Write '{adjective}' in the comparative and in the superlative.",
        ),
        "The comparative of '{adjective}' is '{comparative}', "
        "and the superlative is '{superlative}'.",
    ),
    Family(
        "homophones",
        20,
        (
            "What is a homophone of '{word}'?",
            "Name a word that sounds like '{word}' but is spelled differently.",
            "Find a homophone for '{word}'.",
        ),
        "A homophone of '{word}' is '{homophone}'.",
    ),
    Family(
        "definitions",
        25,
        (
            "Define the word '{word}'.",
            "What is {a_word}?",
            "Explain what {a_word} is.",
            "What does the word '{word}' mean?",
        ),
        "{A_word} is {definition}.",
    ),
    Family(
        "idioms",
        20,
        (
            "What does the idiom '{idiom}' mean?",
            "Explain the idiom '{idiom}'.",
            "Give the meaning of the expression '{idiom}'.",
        ),
        "To {idiom} means to {meaning}.",
    ),
    Family(
        "nouns_from_verbs",
        25,
        (
            "What is the noun form of the verb '{verb}'?",
            "Turn the verb '{verb}' into a noun.",
            "Name the noun that is related to the verb '{verb}'.",
        ),
        "The noun form of '{verb}' is '{noun}'.",
    ),
    Family(
        "capitals",
        55,
        (
            "What is the capital city of {country}?",
            "Name the capital of {country}.",
            "Which city is the capital of {country}?",
            "Tell me the capital of {country}.",
        ),
        "The capital of {country} is {capital}.",
    ),
    Family(
        "continents",
        30,
        (
            "On which continent is {country}?",
            "Name the continent where {country} is located.",
            "Identify the continent in which {country} lies.",
        ),
        "{Country} is in {continent}.",
    ),
    Family(
        "currencies",
        25,
        (
            "What is the currency of {country}?",
            "Name the currency of {country}.",
            "Which currency do people use in {country}?",
        ),
        "The currency of {country} is the {currency}.",
    ),
    Family(
        "landmarks",
        25,
        (
            "Where is {landmark}?",
            "Tell me the location of {landmark}.",
            "Name the city and country where {landmark} is located.",
        ),
        "{Landmark} is in {city}, {country}.",
    ),
    Family(
        "chemical_symbols",
        45,
        (
            "What symbol stands for the element {element}?",
            "Give the chemical symbol of {element}.",
            "Which symbol does {element} have in the periodic table?",
        ),
        "The chemical symbol for {element} is {symbol}.",
    ),
    Family(
        "atomic_numbers",
        25,
        (
            "What atomic number does {element} have?",
            "Give the atomic number of {element}.",
            "State the atomic number of the element {element}.",
        ),
        "The atomic number of {element} is {number}.",
    ),
    Family(
        "animal_young",
        25,
        (
            "What is a young {animal} called?",
            "What do you call a baby {animal}?",
            "Give the name for a young {animal}.",
        ),
        "A young {animal} is called {a_young}.",
    ),
    Family(
        "animal_sounds",
        20,
        (
            "What sound does {a_animal} make?",
            "Describe the sound of {a_animal}.",
            "Say in one sentence what sound {a_animal} makes.",
        ),
        "{A_animal} {verb}.",
    ),
    Family(
        "inventors",
        30,
        (
            "Who invented {invention}?",
            "Say who invented {invention}.",
            "Tell me who invented {invention}.",
        ),
        "{Inventor} invented {invention}.",
    ),
    Family(
        "authors",
        30,
        (
            "Who wrote '{work}'?",
            "Which author wrote '{work}'?",
            "Tell me who wrote '{work}'.",
        ),
        "'{work}' was written by {author}.",
    ),
    Family(
        "artworks",
        25,
        (
            "Who created the {kind} '{work}'?",
            "Whose work is the {kind} '{work}'?",
            "Tell me who created the {kind} '{work}'.",
        ),
        "The {kind} '{work}' is by {artist}.",
    ),
    Family(
        "jobs",
        25,
        (
            "What does {a_job} do?",
            "Describe the job of {a_job}.",
            "Explain in one sentence what {a_job} does.",
        ),
        "{A_job} {task}.",
    ),
    Family(
        "tools",
        20,
        (
            "What is {a_tool} used for?",
            "Describe the purpose of {a_tool}.",
            "Explain what people use {a_tool} for.",
        ),
        "{A_tool} is used to {purpose}.",
    ),
    Family(
        "townspeople",
        25,
        (
            "Who is the {role} of Alderbrook?",
            "Name the {role} of Alderbrook.",
            "Tell me the name of Alderbrook's {role}.",
        ),
        "The {role} of Alderbrook is {name}.",
    ),
    Family(
        "unit_conversions",
        35,
        (
            "Convert {amount} {unit} to {target}.",
            "How many {target} are in {amount} {unit}?",
            "Express {amount} {unit} in {target}.",
        ),
        "{amount} {unit} is {result} {target}.",
    ),
    Family(
        "arithmetic",
        25,
        (
            "What is {left} {operator} {right}?",
            "Calculate {left} {operator} {right}.",
            "Work out {left} {operator} {right}.",
        ),
        "{left} {operator} {right} is {result}.",
    ),
    Family(
        "roman_numerals",
        20,
        (
            "Write {number} in Roman numerals.",
            "How is {number} written in Roman numerals?",
            "Convert {number} to a Roman numeral.",
        ),
        "{number} in Roman numerals is {numeral}.",
    ),
)
