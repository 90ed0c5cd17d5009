"""The token embedding, which is the output head too: a row for each token, or for some only.

A small model that knows 10,904 of GPT-2's 50,257 tokens would carry 39,353 rows it never trained.
A compact embedding gives all of them one *shared* row instead. Taught in lesson 08.
"""

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TokenEmbedding(nn.Embedding):
    """A row for each token id; read forwards it embeds tokens, read backwards it is the head."""

    @property
    def never_generate(self) -> Tensor | None:
        """Which tokens are never to be generated, (vocabulary,) of bool; None where all may be."""
        return None

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, width) to (…, vocabulary)."""
        return F.linear(hidden, self.weight)

    def losses(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy of each target in nats, and whether it was the likeliest token.

        (n, width) and token ids (n,) to float32 (n,) and bool (n,).
        """
        logits = self.logits(hidden).float()  # (n, vocabulary)
        return F.cross_entropy(logits, targets, reduction="none"), logits.argmax(-1) == targets


class CompactTokenEmbedding(TokenEmbedding):
    """Own rows for ``known`` token ids; every other token, "unseen", has the one shared last row.

    It behaves exactly as a full embedding in which each unseen token holds a copy of that row. In
    the softmax the shared row's term therefore counts once for each unseen token, while a target
    that is unseen keeps its own single logit. Unseen tokens are never generated.

    Raises:
        ValueError: a token id lies outside the vocabulary.
    """

    token_ids: Tensor  # (known,): the token of each row but the last
    row_of_token: Tensor  # (vocabulary,): the row of each token

    def __init__(self, known: Iterable[int], vocabulary_size: int, width: int):
        known = sorted(set(known))
        if known and not 0 <= known[0] <= known[-1] < vocabulary_size:
            raise ValueError(
                f"token ids go from 0 to {vocabulary_size - 1}: {known[0]}…{known[-1]}"
            )
        super().__init__(len(known) + 1, width)
        self.vocabulary_size = vocabulary_size
        self.name_rows(torch.tensor(known, dtype=torch.long))

    def name_rows(self, token_ids: Tensor) -> None:
        """Say which token each row but the last belongs to: (known,) token ids."""
        row_of_token = torch.full((self.vocabulary_size,), len(token_ids), device=token_ids.device)
        row_of_token[token_ids] = torch.arange(len(token_ids), device=token_ids.device)
        self.register_buffer("token_ids", token_ids, persistent=False)
        self.register_buffer("row_of_token", row_of_token, persistent=False)

    @property
    def unseen(self) -> int:
        """How many tokens share the last row."""
        return self.vocabulary_size - len(self.token_ids)

    @property
    def never_generate(self) -> Tensor:
        return self.row_of_token == len(self.token_ids)

    def forward(self, token_ids: Tensor) -> Tensor:
        """(…) to (…, width)."""
        return F.embedding(self.row_of_token[token_ids], self.weight)

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, width) to (…, vocabulary): every unseen token gets the shared row's logit."""
        return F.linear(hidden, self.weight)[..., self.row_of_token]

    def losses(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """As for a full embedding, without computing a logit twice.

        The likeliest token is looked for among the known ones. Of equals, each is likeliest.
        """
        # One column stands for all unseen tokens together: Σ exp(z) = unseen · exp(z).
        together = math.log(self.unseen) if self.unseen else -math.inf
        bias = self.weight.new_zeros(len(self.weight))
        bias[-1] = together
        logits = F.linear(hidden, self.weight, bias).float()  # (n, known + 1)
        rows = self.row_of_token[targets]  # (n,)
        losses = F.cross_entropy(logits, rows, reduction="none")
        is_unseen = rows == len(self.token_ids)
        if is_unseen.any():  # one unseen target is an equal part of that column
            losses = losses + together * is_unseen
        # Compared with the largest, not looked up: argmax is slow on a CPU.
        with torch.no_grad():
            of_target = logits.gather(1, rows[:, None])[:, 0]  # (n,)
            correct = (of_target >= logits[:, :-1].amax(-1)) & ~is_unseen
        return losses, correct

    def add_tokens(self, token_ids: Iterable[int], start: str = "shared") -> int:
        """Give tokens that have none a row of their own; returns how many were new.

        ``start="shared"`` copies the shared row, so that no probability changes at that moment.
        ``start="mean"`` takes the mean of all known rows, as Stanford Alpaca's ``train.py`` does.
        An optimizer made before does not know the new weight: make it afterwards.

        Raises:
            ValueError: a token id lies outside the vocabulary, or ``start`` is neither of the two.
        """
        if start not in ("shared", "mean"):
            raise ValueError(f"start is 'shared' or 'mean', not {start!r}")
        new = sorted(set(token_ids) - set(self.token_ids.tolist()))
        if not new:
            return 0
        if not 0 <= new[0] <= new[-1] < self.vocabulary_size:
            raise ValueError(f"token ids go from 0 to {self.vocabulary_size - 1}: {new}")
        rows, shared = self.weight.detach().split([len(self.token_ids), 1])
        first = shared if start == "shared" else rows.mean(0, keepdim=True)  # (1, width)
        # (known, width), (new, width), (1, width) → (known + new + 1, width)
        weight = torch.cat([rows, first.repeat(len(new), 1), shared])
        self.weight = nn.Parameter(weight, requires_grad=self.weight.requires_grad)
        self.num_embeddings = len(weight)
        self.name_rows(torch.cat([self.token_ids, self.token_ids.new_tensor(new)]))
        return len(new)
