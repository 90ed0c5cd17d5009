"""What is known of the models and entries that a run starts from: names, licences, what one may do.

Only what the course knows is said; of all else, that it is unknown. A statement here is no legal
advice, and names the licence's own words where there are some.
"""

import functools
from dataclasses import dataclass

from lessons_lib.bridges.cards.run_record import entries_hash
from lessons_lib.data import load_entries
from lessons_lib.data.entries import BOOK_ENTRIES, split_entries
from lessons_lib.models.gpt2_files import HUB_MODELS

# Of the book's 1,100 entries, by ``entries_hash``.
BOOK_TEXTS = "7b33f58712304a60a15bf42064365b9859bf56d8a306983e5771aab41e439336"
ALPACA_NAMES = ("alpaca_data.json", "tatsu-lab/alpaca")
APACHE, NON_COMMERCIAL = "apache-2.0", "cc-by-nc-4.0"


@dataclass(frozen=True)
class Source:
    """A model or a data set that others made: what to call it, and what is known of its licence.

    ``licence`` is the Hub's name of it, None where it is unknown or where there is none to give.
    """

    title: str
    says: str  # about the licence, in sentences
    licence: str | None = None
    hub_name: str | None = None
    origin: str = "Unknown: who wrote the entries, when, and from what."
    unknown: str = (
        "Unknown: the language, errors, personal data, and whether anything in them is harmful. "
        "Nobody looked for these here."
    )
    may_be_copied: bool = False
    bundled: bool = False


def of_model(name: str) -> Source:
    """What is known of a pretrained model by its name in ``load_model``."""
    if name == "smollm2":
        return Source(
            "SmolLM2-135M-Instruct",
            "The base model, Hugging Face's SmolLM2-135M-Instruct, has the Apache License 2.0.",
            APACHE,
            "HuggingFaceTB/SmolLM2-135M-Instruct",
        )
    if name in HUB_MODELS:
        return Source(
            f"OpenAI's {name}",
            f"The base model, OpenAI's {name}, has a modified MIT License.",
            "mit",
            HUB_MODELS[name].repository,
        )
    if name in ("base", "base-without-facts"):
        return Source(
            f"The course's small model `{name}`",
            f"The base model, `{name}`, is the course's own and has the Apache License 2.0.",
            APACHE,
        )
    return Source(
        f"The model `{name}`",
        f"Unknown: the licence of the model that training started from, `{name}`. Its own card, or "
        "whoever made it, says.",
    )


def of_entries(name: str, sha256: str) -> Source:
    """What is known of entries by their texts and, where these are not known, by their name."""
    if sha256 == bundled_hash():
        return Source(
            "The course's bundled entries",
            "The entries are the course's own and have the Apache License 2.0.",
            APACHE,
            origin="A program wrote them from facts that were collected by hand, in 37 families of "
            "short tasks, for the course on instruction fine-tuning to whose package they belong. "
            "The town of Alderbrook and its people are made up; all else is meant to be true.",
            unknown="Unknown: which facts are wrong; some will be. Names of real people occur as "
            "authors, artists and inventors, with the works they are known for.",
            may_be_copied=True,
            bundled=True,
        )
    if sha256 == BOOK_TEXTS or name.endswith("/instruction-data.json"):
        return Source(
            'The entries of the book "Build a Large Language Model (From Scratch)"',
            "The entries belong to the book and lie in its public repository, which has the Apache "
            "License 2.0. They are not yours to publish again: name their address, and upload "
            "neither them nor the answers file, which repeats the test entries.",
            origin=f"Chapter 7 of the book by Sebastian Raschka; fetched from {BOOK_ENTRIES}",
        )
    if name.endswith(ALPACA_NAMES):
        return Source(
            "Entries under the name of Stanford Alpaca's",
            "If they are Stanford Alpaca's, as their name says, they have the licence CC BY-NC "
            "4.0: whoever passes them on names Stanford Alpaca, nobody uses them commercially, and "
            "by Stanford's own terms a model trained on them is for research alone.",
            NON_COMMERCIAL,
            origin="By their name, Stanford Alpaca's (Taori et al. 2023): written by OpenAI's "
            "text-davinci-003 after 175 seed tasks. Unknown: whether they were changed since.",
        )
    return Source(
        f"The entries of `{name}`",
        f"Unknown: the licence of the entries of `{name}`, and whether they may be passed on. If "
        "you wrote them, it is yours to choose; if others did, ask them.",
    )


def licence_of_both(model: Source, data: Source) -> str | None:
    """The licence to name for a model fine-tuned on the data; None where either leaves it open."""
    if model.licence is None or data.licence is None:
        return None
    return NON_COMMERCIAL if data.licence == NON_COMMERCIAL else model.licence


@functools.cache
def bundled_hash() -> str:
    """The hash of the bundled entries' texts, in the order in which they are split."""
    return entries_hash([entry for part in split_entries(load_entries()) for entry in part])
