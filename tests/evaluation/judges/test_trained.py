"""The trained judge asks in the form in which it was trained, and compares yes with no."""

from lessons_lib.data import get_prompt_format
from lessons_lib.evaluation.judges import TrainedJudge, finetune_judge, trained
from lessons_lib.evaluation.judges.judgements import judgement_entry, judgement_splits
from lessons_lib.training import Recipe

ENTRY = {"instruction": "Capital of Peru?", "input": "", "output": "The capital is Lima."}
TINY = Recipe("base", entries="judgements", max_steps=2, evaluate_every=2, batch_size=2)


def test_the_score_is_how_much_likelier_yes_is_than_no(monkeypatch):
    asked = []

    def likelihood(model, prompts, answers, *, batch_size, on_batch):
        asked.append((list(prompts), list(answers)))
        return [-1.0, -4.0] if answers[0] == "Yes." else [-3.0, -0.5]

    monkeypatch.setattr(trained, "log_likelihood", likelihood)
    judge = TrainedJudge(model=None, progress=False)
    assert judge.score([ENTRY] * 2, ["Lima.", "Quito."]) == [2.0, -3.5]
    written = get_prompt_format("alpaca")
    prompts = [written.prompt(judgement_entry(ENTRY, each)) for each in ("Lima.", "Quito.")]
    assert asked == [(prompts, ["Yes."] * 2), (prompts, ["No."] * 2)]


def test_it_is_trained_on_the_judgements_kept_and_loaded_again(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path))
    said = []
    first = finetune_judge(TINY, "cpu", progress=False, say=said.append)
    assert first.splits == judgement_splits() and not first.from_cache
    again = finetune_judge(TINY, "cpu", progress=False, say=said.append)
    assert again.from_cache and again.key == first.key
    (right, wrong) = TrainedJudge(again.model, progress=False).score(
        [ENTRY] * 2, ["The capital is Lima.", "The capital is Quito."]
    )
    assert right != wrong
