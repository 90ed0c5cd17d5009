"""What lesson 12's exercises ask for is what the library's chat and server do."""

import pytest

from lessons_lib.chat import Chat, Turn
from lessons_lib.chat.api import ChatRequest
from lessons_lib.exercises import EXERCISES
from tests.helpers.toys import tiny_model


@pytest.mark.parametrize("messages", [case[0] for case in EXERCISES["chat-prompt"].cases()])
def test_a_prompt_is_that_of_the_server_with_memory(messages):
    chat = Chat(tiny_model(context_length=512), memory=True)
    request = ChatRequest(model="any", messages=messages)
    chat.turns, asked = request.conversation(memory=True)
    assert EXERCISES["chat-prompt"].answer(messages) == chat.prompt(asked)


def prompt_tokens(turns):
    chat = Chat(tiny_model(context_length=512), memory=True)
    chat.turns = turns
    return len(chat.prompt_ids("Name a fish."))


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_turns_that_fit_are_those_of_the_chat(count, more):
    turn, room = Turn("Name a colour.", "Blue."), 20
    alone, longer = prompt_tokens([]), prompt_tokens([turn])
    context_length = alone + count * (longer - alone) + room - 1 + more
    chat = Chat(tiny_model(context_length=context_length), memory=True, max_new_tokens=room)
    chat.turns = [turn] * 4
    room = min(room, context_length // 4)  # which the library keeps free at most
    lengths = [longer - alone, 0] * 4 + [alone]
    kept = EXERCISES["fit-turns"].answer(lengths, context_length, room)
    assert chat.prompt("Name a fish.").count("Blue.") == len(kept) // 2
