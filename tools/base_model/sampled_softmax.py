"""A cheaper softmax for pretraining: all tokens among the targets, and a sample of the rest.

In a small model, the head over all known tokens is more than half of the work. Here the
denominator contains the exact terms of all tokens that occur among the targets, and those of a
random few of the others, each counted as many times as the tokens it stands for; the expectation is
the full denominator.

Source: Jean et al. 2015, "On using very large target vocabulary for neural machine translation".
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from lessons_lib.models import CompactTokenEmbedding


def sampled_loss(
    embedding: CompactTokenEmbedding,
    hidden: Tensor,
    targets: Tensor,
    sample: int,
    generator: torch.Generator,
) -> Tensor:
    """Mean cross-entropy in nats, as over all tokens: approximate, or exact if all are sampled.

    hidden (n, width), token ids (n,), all of them known; 0-dimensional.
    """
    targets = embedding.row_of_token[targets]  # (n,) rows of the embedding
    shared = len(embedding.weight) - 1
    present = torch.zeros(shared, dtype=torch.bool)
    present[targets] = True
    certain, others = present.nonzero()[:, 0], (~present).nonzero()[:, 0]
    drawn = others
    if sample < len(others):
        drawn = others[torch.randperm(len(others), generator=generator)[:sample]]
    rows = torch.cat([certain, drawn, torch.tensor([shared])])
    # A term that stands for k tokens counts k times: k · exp(z) = exp(z + log k).
    stands_for = torch.ones(len(rows))
    stands_for[len(certain) : -1] = len(others) / max(1, len(drawn))
    stands_for[-1] = embedding.unseen
    logits = F.linear(hidden, F.embedding(rows, embedding.weight), stands_for.log())
    column = torch.zeros(shared, dtype=torch.long)
    column[certain] = torch.arange(len(certain))
    return F.cross_entropy(logits.float(), column[targets])
