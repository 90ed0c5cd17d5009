"""The loop that writes works with a list of ints, as the lesson's model and tokenizer do."""

import torch

from lessons_lib.exercises.models.greedy_loop import GREEDY_LOOP, answer
from lessons_lib.exercises.results import Verdict


def tensor_returned(logits_after, prompt_ids, max_new_tokens, end_id):
    return torch.tensor(answer(logits_after, prompt_ids, max_new_tokens, end_id))


def tensors_in_the_list(logits_after, prompt_ids, max_new_tokens, end_id):
    ids = list(prompt_ids)
    for _ in range(max_new_tokens):
        best = logits_after(ids).argmax()
        if best == end_id:
            break
        ids.append(best)
    return ids[len(prompt_ids) :]


def tensor_given(logits_after, prompt_ids, max_new_tokens, end_id):
    def after_tensor(ids):
        return logits_after(torch.tensor(ids))

    return answer(after_tensor, prompt_ids, max_new_tokens, end_id)


def test_a_tensor_is_refused_with_a_sentence_that_says_what_to_do():
    result = GREEDY_LOOP.check(tensor_returned)
    assert result.verdict is Verdict.ERROR
    assert "the check wants a list of ints, and was given a tensor of int64" in str(result)
    assert ".tolist() makes one" in str(result)


def test_the_toy_model_reads_ints_alone():
    for attempt, said in (
        (tensors_in_the_list, "in this list is a tensor"),
        (tensor_given, "was given a tensor"),
    ):
        result = GREEDY_LOOP.check(attempt)
        assert result.verdict is Verdict.ERROR
        assert f"logits_after takes a list of ints, and {said} of int64" in str(result)
