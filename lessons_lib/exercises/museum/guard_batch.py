"""Exercise: a test that says of any text whether the loss will see what it should. The museum."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer

END, IGNORED = 50256, -100


def guard_batch(
    token_ids: list[int], prompt_length: int, inputs: list[int], targets: list[int]
) -> bool:
    """Whether one row of a batch is right, the prompt being masked.

    token_ids is the whole text without end of text; its first prompt_length tokens are the prompt.
    inputs and targets are the row: padded with 50256, targets ignored where they are -100.
    """
    raise NotImplementedError


def answer(token_ids: list[int], prompt_length: int, inputs: list[int], targets: list[int]) -> bool:
    text = token_ids + [50256]
    wanted = [-100] * len(inputs)
    for t in range(prompt_length - 1, len(token_ids)):
        wanted[t] = text[t + 1]
    return inputs[: len(token_ids)] == token_ids and targets == wanted


def something_counts(token_ids, prompt_length, inputs, targets):
    return any(target != IGNORED for target in targets)


def as_many_as_there_should(token_ids, prompt_length, inputs, targets):
    live = [target for target in targets if target != IGNORED]
    return len(live) == len(token_ids) - prompt_length + 1


def read_without_places(token_ids, prompt_length, inputs, targets):
    live = [target for target in targets if target != IGNORED]
    return live == token_ids[prompt_length:] + [END]


def right_at_both_ends(token_ids, prompt_length, inputs, targets):
    live = [target for target in targets if target != IGNORED]
    return bool(live) and live[0] == token_ids[prompt_length] and live[-1] == END


def inputs_without_padding(token_ids, prompt_length, inputs, targets):
    return answer(token_ids, prompt_length, inputs, targets) and inputs == token_ids


def without_the_end(token_ids, prompt_length, inputs, targets):
    last = len(token_ids) - 1
    checked = [target for t, target in enumerate(targets) if t != last]
    wanted = [IGNORED] * len(targets)
    wanted[prompt_length - 1 : last] = token_ids[prompt_length:]
    return checked == [target for t, target in enumerate(wanted) if t != last]


def the_response_alone(token_ids, prompt_length, inputs, targets):
    text = token_ids + [END]
    return targets[prompt_length - 1 : len(token_ids)] == text[prompt_length:]


def from_the_first_token_on(token_ids, prompt_length, inputs, targets):
    wanted = [IGNORED] * len(inputs)
    wanted[prompt_length : len(token_ids)] = (token_ids + [END])[prompt_length + 1 :]
    return targets == wanted


def the_targets_alone(token_ids, prompt_length, inputs, targets):
    return answer(token_ids, prompt_length, (token_ids + inputs)[: len(inputs)], targets)


def shifted_against_the_inputs(token_ids, prompt_length, inputs, targets):
    following = inputs[1:] + [END]
    pairs = zip(targets, following, strict=True)
    return all(target in (IGNORED, after) for target, after in pairs)


def cases() -> list[tuple]:
    ids, prompt = [11, 12, 13, 21, 22], 3
    x, end = IGNORED, END
    right_inputs = [11, 12, 13, 21, 22, end, end]
    rows = [
        (right_inputs, [x, x, 21, 22, end, x, x]),  # right
        (right_inputs, [x, x, 21, 22, x, x, x]),  # the end is masked
        (right_inputs, [12, 13, 21, 22, end, x, x]),  # no mask
        (right_inputs, [x, 13, 21, 22, end, x, x]),  # a token of the header counts
        (right_inputs, [x, x, x, 22, end, x, x]),  # the first answer token is lost
        (right_inputs, [x, 21, 22, end, x, x, x]),  # shifted twice
        (right_inputs, [x] * 7),  # nothing counts
        (right_inputs, [x, x, 21, 22, end, end, x]),  # padding counts
        (right_inputs, [x, x, 21, 21, end, x, x]),  # a wrong token
        ([11, 12, 13, end, end, end, end], [x, x, 21, 22, end, x, x]),  # the inputs are cut
    ]
    return [(ids, prompt, *row) for row in rows] + [
        ([end, 12, 31], 2, [end, 12, 31], [x, 31, end]),  # the text itself begins with 50256
        ([end, 12, 31], 2, [end, 12, 31], [12, 31, end]),
    ]


def draw(source: Random) -> tuple:
    """A text and its row, right or with one number changed, or shifted, or not masked."""
    ids = source.choices([*range(1, 20), END], k=source.randint(3, 9))
    prompt, padding = source.randint(1, len(ids) - 1), source.randint(0, 3)
    inputs = ids + [END] * padding
    right = [*ids[1:], END] + [IGNORED] * padding
    right[: prompt - 1] = [IGNORED] * (prompt - 1)
    changed, place = list(right), source.randrange(len(right))
    changed[place] = END if right[place] == IGNORED else IGNORED
    plain = [*ids[1:], END] + [IGNORED] * padding
    return ids, prompt, inputs, source.choice((right, right, changed, plain, [*right[1:], IGNORED]))


GUARD_BATCH = Exercise(
    name="guard-batch",
    title="A test that would have seen it",
    lesson="museum",
    minutes=12,
    difficulty=2,
    statement="""
Seven of the nine faults can be seen in a batch, if somebody looks. Nobody looks at every batch, so
write what does: `guard_batch` gets one text as token ids, the length of its prompt, and the row of
inputs and targets that some code made of it. It says whether the row is right when the prompt is
masked: the inputs are the text and then padding, what follows a prompt's last token is learned, up
to one end of text, each target stands under the token before it, and nothing else counts.

At the end of the museum your test runs over the training entries of each exhibit.
""",
    attempt=guard_batch,
    answer=answer,
    hints=(
        "Do not look for faults one by one; there is always a tenth. Write down what a right row "
        "is, and compare.",
        "Begin with a row of nothing but −100, as long as the inputs. Which positions get a "
        "target, and which token? The first is the one that reads the prompt's last token.",
        "`text = token_ids + [50256]`; for `t` in `range(prompt_length - 1, len(token_ids))` the "
        "target is `text[t + 1]`. The row is right if its targets are these and its inputs begin "
        "with `token_ids`.",
    ),
    wrong_answers=(
        WrongAnswer(
            something_counts,
            "a row is called right as soon as something in it counts",
            "That finds one fault of the seven, the row in which nothing is learned.",
        ),
        WrongAnswer(
            as_many_as_there_should,
            "the live targets are counted and not read",
            "Shift them twice, and their number stays the same. Compare the tokens, each in its "
            "place.",
        ),
        WrongAnswer(
            read_without_places,
            "the live targets are read in order, wherever they stand",
            "Decoding the live targets is the best quick look there is, and it does not see a "
            "second shift: the tokens are all there, one place too early.",
        ),
        WrongAnswer(
            right_at_both_ends,
            "only the first live target and the last are looked at",
            "Right ends do not make a right row: what is between them can be wrong, and all of it "
            "can stand one place too early.",
        ),
        WrongAnswer(
            inputs_without_padding,
            "the inputs must be the text and nothing else",
            "They may be longer: padding follows the text up to the width of the batch. Compare "
            "their beginning.",
        ),
        WrongAnswer(
            without_the_end,
            "the end of text is not asked about",
            "A model trained on such rows answers, and goes on for ever. The last live target must "
            "be 50256.",
        ),
        WrongAnswer(
            the_response_alone,
            "only the response's own places are looked at",
            "Then a prompt that counts, or padding that does, is not seen. Everything outside the "
            "response must be −100.",
        ),
        WrongAnswer(
            from_the_first_token_on,
            "the response is expected to begin at prompt_length",
            "That is where it is read. It is predicted one position earlier, under the prompt's "
            "last token; this test would call the fault right and the right row a fault.",
        ),
        WrongAnswer(
            the_targets_alone,
            "the inputs are not looked at",
            "A model can be asked for an answer whose beginning it was never shown: compare the "
            "inputs with the text, too.",
        ),
        WrongAnswer(
            shifted_against_the_inputs,
            "every target is compared with the next input, and nothing is said about the mask",
            "The shift is right in a row whose mask is lost. Say which targets must count.",
        ),
    ),
    cases=cases,
    draw=draw,
)
