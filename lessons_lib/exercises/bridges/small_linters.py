"""The linters of name-the-fault: one that is right, and those that people write first. Lesson 14.

Each wrong one has one mistake; what a teacher would say of it stands beside the exercise.
"""


def answer(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1  # the text's last column
    found = {}
    if input_ids[last] != stop:
        found["cut"] = last
    for t in range(1, len(labels)):  # nothing is read before column 0, so nobody asks for it
        if labels[t] != -100:
            if not attention_mask[t]:
                found.setdefault("padding counts", t)
            elif t < start + prompt:
                found.setdefault("prompt counts", t)
            if attention_mask[t] and labels[t] != input_ids[t]:
                found.setdefault("other token", t)
        elif attention_mask[t] and t >= start + prompt:
            is_stop = t == last and input_ids[t] == stop
            found.setdefault("stop masked" if is_stop else "response masked", t)
    return found


def padding_by_value(input_ids, labels, attention_mask, prompt, stop):
    last = attention_mask.index(1) + sum(attention_mask) - 1
    seen = [int(token != stop) for token in input_ids]
    found = answer(input_ids, labels, seen, prompt, stop)
    found.pop("cut", None)
    return found if input_ids[last] == stop else found | {"cut": last}


def live_padding_by_value(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("padding counts", None)
    found.pop("prompt counts", None)
    border = attention_mask.index(1) + prompt
    for t in range(1, len(labels)):
        if labels[t] != -100 and input_ids[t] == stop:
            found.setdefault("padding counts", t)
        elif labels[t] != -100 and t < border:
            found.setdefault("prompt counts", t)
    return found


def ignored_padding_by_value(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("stop masked", None)
    found.pop("response masked", None)
    for t in range(attention_mask.index(1) + prompt, len(labels)):
        if labels[t] == -100 and input_ids[t] != stop:
            found.setdefault("response masked", t)
    return found


def padding_should_count(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    end = attention_mask.index(1) + sum(attention_mask)
    ignored = [t for t in range(end, len(labels)) if labels[t] == -100]
    if ignored:
        found.setdefault("response masked", ignored[0])
    return found


def padding_behind_the_first_stop(input_ids, labels, attention_mask, prompt, stop):
    start = attention_mask.index(1)
    end = input_ids.index(stop, start) if stop in input_ids[start:] else len(input_ids) - 1
    seen = [int(start <= t <= end) for t in range(len(input_ids))]
    return answer(input_ids, labels, seen, prompt, stop)


def padding_behind_alone(input_ids, labels, attention_mask, prompt, stop):
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1
    seen = [int(t <= last) for t in range(len(input_ids))]
    return answer(input_ids, labels, seen, start + prompt, stop)


def padding_compared(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    others = [t for t in range(1, len(labels)) if labels[t] not in (-100, input_ids[t])]
    return found | ({"other token": others[0]} if others else {})


def border_included(input_ids, labels, attention_mask, prompt, stop):
    return answer(input_ids, labels, attention_mask, prompt + 1, stop)


def border_in_both(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    border = attention_mask.index(1) + prompt
    if border < len(labels) and attention_mask[border] and labels[border] != -100:
        found.setdefault("prompt counts", border)
    return found


def border_one_too_early(input_ids, labels, attention_mask, prompt, stop):
    return answer(input_ids, labels, attention_mask, prompt - 1, stop)


def the_prompt_hides_another(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("other token", None)
    for t in range(attention_mask.index(1) + prompt, len(labels)):
        if attention_mask[t] and labels[t] not in (-100, input_ids[t]):
            found.setdefault("other token", t)
    return found


def another_hides_the_prompt(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("prompt counts", None)
    start = attention_mask.index(1)
    for t in range(max(start, 1), start + prompt):
        if labels[t] == input_ids[t]:
            found.setdefault("prompt counts", t)
    return found


def padding_on_the_right_alone(input_ids, labels, attention_mask, prompt, stop):
    start = attention_mask.index(1)
    return answer(input_ids, labels, attention_mask, prompt - start, stop)


def column_0_is_asked_for(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if labels[0] != -100:
        found["prompt counts" if attention_mask[0] else "padding counts"] = 0
    return found


def one_fault_alone(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    return dict(list(found.items())[:1])


def labels_one_column_on(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("other token", None)
    for t in range(1, len(labels) - 1):
        if attention_mask[t] and labels[t] not in (-100, input_ids[t + 1]):
            found.setdefault("other token", t)
    return found


def ignored_is_another_token(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    differs = [t for t in range(1, len(labels)) if attention_mask[t] and labels[t] != input_ids[t]]
    return found | {"other token": differs[0]} if differs else found


def where_it_ends(input_ids, labels, attention_mask, prompt, stop):
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1
    found = {"cut": last} if input_ids[last] != stop else {}
    for t in range(1, len(labels)):
        if labels[t] != -100:
            if attention_mask[t] and labels[t] != input_ids[t]:
                found["other token"] = t
            if not attention_mask[t]:
                found["padding counts"] = t
            elif t < start + prompt:
                found["prompt counts"] = t
        elif attention_mask[t] and t >= start + prompt:
            is_stop = t == last and input_ids[t] == stop
            found["stop masked" if is_stop else "response masked"] = t
    return found


def any_stop_will_do(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if stop in labels:
        found.pop("stop masked", None)
    return found


def a_cut_is_none_of_it(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("cut", None)
    return found


def stop_by_its_id(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    for name in ("stop masked", "response masked"):
        found.pop(name, None)
    for t in range(max(attention_mask.index(1) + prompt, 1), len(labels)):
        if attention_mask[t] and labels[t] == -100:
            name = "stop masked" if input_ids[t] == stop else "response masked"
            found.setdefault(name, t)
    return found


def stop_by_its_place(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1
    if labels[last] == -100 and last >= start + prompt:
        if found.get("response masked") == last:
            del found["response masked"]
        found["stop masked"] = last
    return found


def stop_is_response(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if "stop masked" in found:
        found.setdefault("response masked", found.pop("stop masked"))
    return found


def cut_by_its_label(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    last = attention_mask.index(1) + sum(attention_mask) - 1
    found.pop("cut", None)
    return found | ({"cut": last} if labels[last] != stop else {})


def cut_by_any_label(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    last = attention_mask.index(1) + sum(attention_mask) - 1
    found.pop("cut", None)
    return found | ({"cut": last} if stop not in labels else {})


def cut_by_the_rows_last_label(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("cut", None)
    return found | ({"cut": len(labels) - 1} if labels[-1] != stop else {})


def cut_by_the_rows_end(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("cut", None)
    return found | ({"cut": len(input_ids) - 1} if input_ids[-1] != stop else {})


def cut_by_the_length(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    last = sum(attention_mask) - 1
    found.pop("cut", None)
    return found | ({"cut": last} if input_ids[last] != stop else {})


def cut_without_any_stop(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if stop in input_ids:
        found.pop("cut", None)
    return found
