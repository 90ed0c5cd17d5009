"""The museum of masking bugs: its exhibits by number, and what they could be. Lab "museum"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from lessons_lib.batching import Batch, Example
from lessons_lib.exercises.museum import faults
from lessons_lib.models import LanguageModel

BATCH = 16


@dataclass(frozen=True)
class Exhibit:
    """A fault as code: how a batch is made of examples, and how a step's loss of its batches.

    ``shown`` are training entries, by index, in which the fault can be seen; none where inputs and
    targets are as they should be.
    """

    title: str
    make: Callable[[Sequence[Example]], Batch]
    loss: Callable[[LanguageModel, Sequence[Batch]], Tensor] = faults.mean_over_targets
    batch_size: int = BATCH  # examples in a batch; a step has 16 in any case
    prompt_format: str = "alpaca"
    shown: tuple[int, ...] = (1, 0)


EXHIBITS = {
    1: Exhibit("end of text is masked as padding", faults.every_end_masked, shown=(0,)),
    2: Exhibit("the prompt's mask is lost", faults.mask_lost, shown=(1,)),
    3: Exhibit("targets are shifted twice", faults.shifted_twice),
    4: Exhibit("the response header counts", faults.header_counts, shown=(0,)),
    5: Exhibit("responses are cut off", faults.response_cut_off),
    6: Exhibit("the first answer token is lost", faults.first_token_masked),
    7: Exhibit(
        "the response's marker is not found",
        faults.marker_not_found,
        prompt_format="alpaca-stanford",
        shown=(1, 17),
    ),
    8: Exhibit(
        "a mean of means",
        faults.right_batch,
        loss=faults.mean_of_means,
        batch_size=1,
        shown=(),
    ),
    9: Exhibit(
        "entries of a row see each other",
        faults.packed_without_borders,
        batch_size=3,
        shown=(),
    ),
}


def right(prompt_format: str = "alpaca") -> Exhibit:
    """The same run without a fault."""
    return Exhibit("nothing is wrong", faults.right_batch, prompt_format=prompt_format)
