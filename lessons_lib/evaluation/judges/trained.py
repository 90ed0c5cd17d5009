"""A judge trained here: the small real model, fine-tuned to tell right from wrong. Lesson 10.

Nothing about its training is new. A judgement is an entry like any other, with a question, an input
and "Yes." or "No." as its output; only the use of the trained model differs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from lessons_lib.data import Entry, Splits, get_prompt_format
from lessons_lib.evaluation.judges.judgements import (
    NO,
    YES,
    judgement_entry,
    judgement_splits,
)
from lessons_lib.evaluation.judges.local import progress_bar
from lessons_lib.evaluation.ranks import Score
from lessons_lib.evaluation.scorers import Scorer, check_pairs
from lessons_lib.generation import log_likelihood
from lessons_lib.models import LanguageModel
from lessons_lib.support import is_quick
from lessons_lib.support.devices import has_fast_bf16, pick_device
from lessons_lib.support.quick_run import QUICK_ENTRIES
from lessons_lib.training import Finetuned, Recipe, load_or_finetune
from lessons_lib.training.recipes import shrunk

# One epoch over the judgements: 159 steps of 8.
JUDGE_RECIPE = Recipe(
    "smollm2",
    entries="judgements",  # their name alone: ``judgement_splits`` are given beside the recipe
    epochs=1,
    learning_rate=1e-4,
    schedule="cosine",
    warmup_steps=0.1,
    evaluate_every=80,
    drop_last=False,
    share_prefix=True,
)


@dataclass
class TrainedJudge(Scorer):
    """A model trained on ``judgements``; the score is how much surer it is of yes than of no.

    Like a reader with the answer key, it compares: the answer is read beside question and
    reference. Above 0 it would say yes.
    """

    model: LanguageModel
    name: str = "trained judge"
    batch_size: int = 16
    progress: bool = True

    def score(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
        """log p("Yes.") − log p("No.") for each answer, in nats.

        Raises:
            ValueError, TypeError, DatasetError: as ``scorers.check_pairs``. ValueError: question,
                reference and answer together do not fit the model's context.
        """
        check_pairs(entries, answers)
        written = get_prompt_format(JUDGE_RECIPE.prompt_format)
        pairs = zip(entries, answers, strict=True)
        prompts = [written.prompt(judgement_entry(entry, answer)) for entry, answer in pairs]
        with progress_bar(self.name, 2 * len(prompts), self.progress) as bar:
            yes, no = (
                log_likelihood(
                    self.model,
                    prompts,
                    [verdict] * len(prompts),
                    batch_size=self.batch_size,
                    on_batch=bar.update,
                )
                for verdict in (YES, NO)
            )
        return [for_it - against for for_it, against in zip(yes, no, strict=True)]


def finetune_judge(
    recipe: Recipe = JUDGE_RECIPE,
    device: str | torch.device = "auto",
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> Finetuned:
    """The judge's model from the cache, or fine-tuned now, which takes minutes on a CPU.

    It computes in bfloat16 where the hardware multiplies that. A judge is then
    ``TrainedJudge(finetune_judge().model)``. Raises as ``load_or_finetune``.
    """
    device = pick_device(device)
    if has_fast_bf16(device):
        recipe = replace(recipe, precision="bf16")
    splits = judgement_splits()
    if is_quick():
        recipe = shrunk(recipe)
        splits = Splits(splits.train[:QUICK_ENTRIES], [], splits.validation[:1])
    return load_or_finetune(recipe, splits=splits, device=device, progress=progress, say=say)
