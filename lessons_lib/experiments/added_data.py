"""Do added entries help? A model is tuned without and with them, and asked the same. Lesson 13.

More entries are more steps as well. A third run takes as many steps without the added entries, so
that the one can be told from the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from lessons_lib.data import Entry, load_entries, split_entries
from lessons_lib.evaluation import Estimate, compare
from lessons_lib.evaluation.scores import STOPPED
from lessons_lib.experiments.before_after import Measurement, few_if_quick, measure
from lessons_lib.models import load_model
from lessons_lib.support import Table
from lessons_lib.training import Finetuned, Recipe, get_recipe, load_or_finetune

WITHOUT, WITH, AS_LONG = "without", "with", "without, as many steps"


@dataclass(frozen=True)
class AddedData:
    """A model tuned without and with added entries: a table in a terminal and in Jupyter.

    ``measured`` and ``tuned`` are by run: "without", "with" and, where it was made, "without, as
    many steps".
    """

    measured: dict[str, Measurement]
    tuned: dict[str, Finetuned]

    def change(self, score: str, since: str = WITHOUT) -> Estimate:
        """By how much the mean of a score is higher with the added entries than in another run.

        The scores are "exact", "lenient", "ROUGE-L" and "stopped". The interval is of 95 %, from
        the answers entry by entry; it knows nothing of what another seed would give. Without a
        value where no entry has such a score.

        Raises:
            KeyError: there is no such score or run.
        """
        runs = self.measured[since].scores, self.measured[WITH].scores
        found = compare(*runs, (since, WITH)).differences[score]
        return Estimate(None, None, None, 0) if found is None else found.difference

    def table(self) -> Table:
        """A row for each run, and one for each change; shares and changes have their intervals."""
        rows = []
        for name, each in self.measured.items():
            history, entries = self.tuned[name].history, self.tuned[name].splits.train
            marks = (str(each.scores.share(mark)) for mark in ("exact", STOPPED))
            loss = f"{each.response_loss:.2f}"
            rows.append((name, f"{len(entries):,}", f"{history.steps:,}", *marks, loss))
        for name in self.measured:
            if name != WITH:
                changes = (self.change(mark, name).in_points() for mark in ("exact", STOPPED))
                rows.append((f"with, less {name}", "", "", *changes, ""))
        head = ("added entries", "entries", "steps", "exact match", "stopped", "response loss")
        return Table(head, tuple(rows))

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def with_and_without(
    added: Sequence[Entry],
    recipe: str | Recipe = "lesson-09",
    *,
    as_many_steps: bool = True,
    load: Callable[[str], nn.Module] = load_model,
    device: str | torch.device = "auto",
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> AddedData:
    """Fine-tune by a recipe without and with the added entries; ask each model the test entries.

    The added ones join the training part; validation and test are the recipe's own. All models are
    kept in the cache as ``load_or_finetune`` keeps them. ``as_many_steps``: also make a run
    without the added entries that takes as many steps as the one with them. A shrunk run
    (``LESSONS_LIB_QUICK``) asks six test entries.

    Raises:
        ValueError: no entry is added. Else as ``load_or_finetune``.
    """
    if not added:
        raise ValueError("there is nothing to compare: no entry is added")
    recipe = get_recipe(recipe) if isinstance(recipe, str) else recipe
    own = split_entries(load_entries(recipe.entries))
    more = own._replace(train=[*own.train, *added])
    asked = few_if_quick(own)
    common = {"load": load, "device": device, "progress": progress, "say": say}
    tuned = {
        WITHOUT: load_or_finetune(recipe, splits=own, **common),
        WITH: load_or_finetune(recipe, splits=more, **common),
    }
    if as_many_steps:
        # Epochs enough, and the last one is broken off.
        epochs = recipe.epochs * (len(more.train) // len(own.train) + 1)
        longer = replace(recipe, epochs=epochs, max_steps=tuned[WITH].history.steps)
        tuned[AS_LONG] = load_or_finetune(longer, splits=own, **common)
    measured = {name: measure(each.model, asked, recipe) for name, each in tuned.items()}
    return AddedData(measured, tuned)
