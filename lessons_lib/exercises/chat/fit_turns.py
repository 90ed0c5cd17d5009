"""Exercise: which turns of a long chat still fit into the context. Lesson 12."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer


def fit_turns(lengths: list[int], context: int, room: int) -> list[int]:
    """The indices of the messages that stay, in the chat's order.

    lengths: tokens that each message adds to the prompt: user, assistant, user, …, user.
    room: tokens to keep free for the reply.
    """
    raise NotImplementedError


def answer(lengths: list[int], context: int, room: int) -> list[int]:
    first = len(lengths) - 1
    while first and sum(lengths[first - 2 :]) + room <= context:
        first -= 2
    return list(range(first, len(lengths)))


def oldest_kept(lengths: list[int], context: int, room: int) -> list[int]:
    last = len(lengths) - 1
    kept, used = [], lengths[last]
    for i in range(0, last, 2):
        used += lengths[i] + lengths[i + 1]
        if used + room > context:
            break
        kept += [i, i + 1]
    return [*kept, last]


def message_by_message(lengths: list[int], context: int, room: int) -> list[int]:
    first = len(lengths) - 1
    while first >= 1 and sum(lengths[first - 1 :]) + room <= context:
        first -= 1
    return list(range(first, len(lengths)))


def no_room_kept(lengths: list[int], context: int, room: int) -> list[int]:
    return answer(lengths, context, 0)


def one_token_wasted(lengths: list[int], context: int, room: int) -> list[int]:
    return answer(lengths, context - 1, room)


def last_message_dropped(lengths: list[int], context: int, room: int) -> list[int]:
    return answer(lengths, context, room) if lengths[-1] + room <= context else []


def last_message_not_counted(lengths: list[int], context: int, room: int) -> list[int]:
    return answer([*lengths[:-1], 0], context, room)


def gaps(lengths: list[int], context: int, room: int) -> list[int]:
    last = len(lengths) - 1
    kept, used = [last], lengths[last] + room
    for i in range(last - 2, -1, -2):
        if used + lengths[i] + lengths[i + 1] <= context:
            used += lengths[i] + lengths[i + 1]
            kept = [i, i + 1, *kept]
    return kept


def all_or_none(lengths: list[int], context: int, room: int) -> list[int]:
    last = len(lengths) - 1
    return list(range(last + 1)) if sum(lengths) + room <= context else [last]


def newest_first(lengths: list[int], context: int, room: int) -> list[int]:
    return answer(lengths, context, room)[::-1]


def cases() -> list[tuple]:
    return [
        ([10], 50, 20),
        ([10, 5, 10], 45, 20),  # fits to the last token
        ([10, 5, 10], 44, 20),
        ([10, 5, 3], 30, 20),
        ([5, 5, 9, 4, 10], 40, 10),  # the reply of its oldest turn would fit, the turn does not
        ([5, 9, 9, 4, 10], 40, 10),
        ([3, 3, 20, 20, 10], 40, 10),  # the long turn does not fit, the one before it would
        ([5, 5, 40], 50, 20),  # not even the last message leaves that much room
        ([4, 4, 3, 3, 2, 2, 6], 30, 8),
    ]


def draw(source: Random) -> tuple:
    """Up to six turns and a last message, and a context that has room for some of them."""
    lengths = [source.randint(1, 20) for _ in range(2 * source.randint(0, 6) + 1)]
    room = source.randint(1, 20)
    return lengths, source.randint(1, sum(lengths) + room + 5), room


FIT_TURNS = Exercise(
    name="fit-turns",
    title="Which turns still fit?",
    lesson="12",
    minutes=12,
    difficulty=2,
    statement="""
A chat grows, the context does not. Something has to be left out, and nobody notices what, until
the assistant forgets its own last sentence, or stops in the middle of a word because there was no
room left for the reply. Write `fit_turns`, which says which messages stay.

The last message always stays. Before it go as many of the newest turns as fit: what stays and
`room` for the reply may fill the `context` and not one token more. A turn stays as a whole, the
user's message and the assistant's reply, or goes as a whole; and where one goes, all older ones go
too, so that what is left is one piece of the conversation. (Where the last message alone leaves
less than `room`, it is asked alone, and its reply gets what is left.)
""",
    attempt=fit_turns,
    answer=answer,
    hints=(
        "Try `fit_turns([10, 5, 10], 45, 20)` by hand: the last message takes 10 tokens, the reply "
        "20, the turn before it 15. And with a context of 44?",
        "Begin with the last message alone and walk back, two messages at a time. Stop at the "
        "first turn that does not fit.",
        "Let `first` be `len(lengths) - 1`. While there is a turn before it and "
        "`sum(lengths[first - 2:]) + room <= context`, take 2 from `first`. Return the indices "
        "from `first` on.",
    ),
    wrong_answers=(
        WrongAnswer(
            oldest_kept,
            "the oldest turns stay",
            "Then the assistant remembers how the chat began and forgets what was said a moment "
            "ago. Walk back from the end.",
        ),
        WrongAnswer(
            message_by_message,
            "messages are added one by one",
            "A reply can stay whose question is gone. Walk back by whole turns.",
        ),
        WrongAnswer(
            no_room_kept,
            "no room is kept for the reply",
            "The reply goes into the same context. A prompt that fills it leaves nothing to write "
            "in.",
        ),
        WrongAnswer(
            one_token_wasted,
            "the last free token is not used",
            "Prompt and room together may fill the context: at most, `<=`.",
        ),
        WrongAnswer(
            last_message_dropped,
            "a last message that leaves too little room is dropped with the rest",
            "There would be nothing to reply to. The last message always stays.",
        ),
        WrongAnswer(
            last_message_not_counted,
            "the last message's own tokens are not counted",
            "It stays in any case, and it takes its place like the others.",
        ),
        WrongAnswer(
            gaps,
            "a turn that is too long is skipped, and an older one taken instead",
            "That makes a conversation that nobody had. Stop at the first turn that does not fit.",
        ),
        WrongAnswer(
            all_or_none,
            "all earlier turns go as soon as they do not all fit",
            "The newest may still fit, and they matter most.",
        ),
        WrongAnswer(
            newest_first,
            "the newest message stands first",
            "They were found from the end, but they are read from the beginning.",
        ),
    ),
    cases=cases,
    draw=draw,
)
