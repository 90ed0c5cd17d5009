"""Gradients of embedding look-ups, added to the rows that were read and to no others.

A batch reads a few hundred of an embedding's 50,257 rows. The usual gradient of that is a tensor of
the embedding's size, nearly all of it zeros that must be written, read and added to the head's.
"""

import contextlib
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn


@contextlib.contextmanager
def add_lookup_gradients(embeddings: Iterable[nn.Embedding]) -> Iterator[None]:
    """For forward and backward passes: look-ups in these embeddings add to single rows.

    The gradients are complete when this ends. Look-ups in bfloat16 weights give
    float32 vectors. An embedding must take token ids as the indices of its rows.
    """
    reads: list[tuple[nn.Parameter, Tensor, Tensor]] = []

    def cut(embedding: nn.Embedding, inputs: tuple[Tensor], vectors: Tensor) -> Tensor | None:
        """Cut the graph at the vectors: they get the gradient, and the weight does not yet."""
        if not (torch.is_grad_enabled() and embedding.weight.requires_grad):
            return None
        wide = torch.promote_types(vectors.dtype, torch.float32)
        vectors = vectors.detach().to(wide).requires_grad_()  # (…, width)
        reads.append((embedding.weight, inputs[0], vectors))
        return vectors

    handles = [embedding.register_forward_hook(cut) for embedding in embeddings]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
    for weight, rows, vectors in reads:
        if vectors.grad is None:
            continue
        if weight.grad is None:  # no head shares it
            weight.grad = torch.zeros_like(weight)
        # (…) and (…, width) → (n,) and (n, width)
        weight.grad.index_add_(0, rows.flatten(), vectors.grad.flatten(0, -2).to(weight.dtype))
