"""Rows that hold several texts: which token reads which, told by segments. Taught in lesson 07.

Only attention asks which text a token belongs to; all else in a model looks at one token at a
time. So attention is given each text in a row of its own, and no mask of length × length is needed.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

PADDING = 0  # the segment of padding; texts count from 1
SHARED = -1  # the segment of a start that all texts of a row have in common


class TextLayout(NamedTuple):
    """Where the texts of some rows stand: their tokens in rows of their own, and back again.

    A text is made of its row's shared start, if there is one, and the tokens of its segment.
    """

    places: Tensor  # (texts, longest): which of the rows' batch · length tokens stands there
    back: Tensor  # (batch, length): which of the texts · longest tokens stands there

    @classmethod
    def of(cls, segments: Tensor) -> "TextLayout":
        """The layout of segments (batch, length).

        Raises:
            ValueError: shared tokens come after others of their row.
        """
        batch, length = segments.shape
        shared = segments == SHARED  # (batch, length)
        if (shared[:, 1:] & ~shared[:, :-1]).any():
            raise ValueError("shared tokens must stand at the start of their row")
        numbers = torch.arange(1, int(segments.amax()) + 1, device=segments.device)  # (most,)
        own = segments[:, None] == numbers[:, None]  # (batch, most, length)
        member = (own | shared[:, None])[own.any(2)]  # (texts, length)
        row = own.any(2).nonzero()[:, :1]  # (texts, 1)
        sizes = member.sum(1, keepdim=True)  # (texts, 1)
        # A text's tokens first, in their order. What is left fills its row to the right, where no
        # token looks: any will do.
        columns = member.int().argsort(dim=1, descending=True, stable=True)
        columns = columns[:, : int(sizes.amax())]  # (texts, longest)
        places = row * length + columns
        inside = torch.arange(places.shape[1], device=segments.device) < sizes  # (texts, longest)
        # Every text has a copy of a shared token; the first one stands for all. Padding gets token
        # 0's vector, which is a number and is looked at by nobody.
        copies = torch.arange(places.numel(), device=segments.device).view_as(places)
        back = torch.zeros(batch * length, dtype=torch.long, device=segments.device)
        back.scatter_reduce_(0, places[inside], copies[inside], "amin", include_self=False)
        return cls(places, back.view(batch, length))

    def apart(self, x: Tensor) -> Tensor:
        """Each text in its own row: (batch, length, n) to (texts, longest, n)."""
        # As a look-up, whose backward adds a shared token's gradients in the same order each time.
        return F.embedding(self.places, x.flatten(0, 1))

    def together(self, x: Tensor) -> Tensor:
        """Each token back in its place: (texts, longest, n) to (batch, length, n)."""
        return F.embedding(self.back, x.flatten(0, 1))


def visible(segments: Tensor) -> Tensor:
    """The mask that ``TextLayout`` makes needless: which token may look at which.

    (batch, length) to (batch, length, length) of bool: a token looks at itself and at earlier
    tokens of its own segment and of the shared start. Within padding, padding.
    """
    length = segments.shape[1]
    reader, read = segments[:, :, None], segments[:, None, :]
    earlier = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return earlier & ((reader == read) | ((read == SHARED) & (reader != PADDING)))


def repeats(segments: Tensor) -> Tensor:
    """In how many texts each token stands, (batch, length) of int64: 0 for padding.

    Texts of a row are numbered from 1 without a gap.
    """
    texts = segments.amax(dim=1, keepdim=True)  # (batch, 1)
    return torch.where(segments == SHARED, texts, (segments > PADDING).long())
