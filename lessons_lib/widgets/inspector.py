"""The batch inspector: choose entries, and watch padding, the shift and every −100 come and go.

Used in lessons 02 to 07. ``inspector.js`` draws it, with or without Python. In Python, what is on
show can also be had as ``.steps``, as a picture and as a page.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import traitlets

from lessons_lib.batching import (
    INSTRUCTION_MASKS,
    BatchError,
    BatchSteps,
    BoundaryWarning,
    Example,
    InstructionCollator,
    collate_steps,
)
from lessons_lib.batching.loaders import Dropped
from lessons_lib.data import (
    PROMPT_FORMATS,
    DatasetError,
    Entry,
    PromptFormat,
    Tokenizer,
    as_tokenizer,
    get_prompt_format,
    load_entries,
)
from lessons_lib.pictures import spell_text, stills
from lessons_lib.widgets.page import INSPECTOR, PicturedWidget
from lessons_lib.widgets.payload import (
    MOST_ENTRIES,
    InspectorError,
    checked_entries,
    known_token,
    make_examples,
    make_payload,
)

SUBSTEPS = ("2.1", "2.2", "2.3", "2.4", "2.5")
PADDINGS = ("dynamic", "static", "fixed")
VIEWS = ("text", "ids", "both", "blocks")
MOST_FOUND = 20  # the most entries that a search shows
OPTION = {"sync": True, "echo_update": False}  # tags of a trait that both sides can set


def length_limit(options) -> int | None:
    """The most inputs that a row may have: the maximum length, or the fixed length if less."""
    limits = [options.max_length, options.fixed_length if options.padding == "fixed" else None]
    return min((limit for limit in limits if limit is not None), default=None)


def collator_options(options, examples: Sequence[Example]) -> dict[str, Any]:
    """The arguments of ``InstructionCollator`` for what is on show.

    "static" pads to the longest of all ``examples`` that a loader would keep; "fixed" pads to
    ``fixed_length`` and cuts there. A prompt-loss weight applies only without a mask.
    """
    limit = length_limit(options)
    pad_to = options.fixed_length if options.padding == "fixed" else None
    if options.padding == "static":
        collator = InstructionCollator(allowed_max_length=limit)
        kept = [len(e.token_ids) for e in examples if not collator.loses_response(e)]
        pad_to = max((min(length, limit or length) for length in kept), default=None)
    unmasked = options.instruction_mask == "none"
    return {
        "instruction_mask": options.instruction_mask,
        "prompt_loss_weight": options.prompt_loss_weight if unmasked else None,
        "allowed_max_length": limit,
        "pad_to": pad_to,
    }


def inspect_batch(
    entries: Iterable[Mapping[str, str]],
    tokenizer: Any = None,
    *,
    pad_token_id: int | None = None,
    library: Sequence[Entry] | None = None,
    prompt_format: str | PromptFormat = "alpaca",
    context_length: int = 1024,
    **options,
) -> "BatchInspector":
    """Show up to 32 entries in the batch inspector; at first all of them are in the batch.

    ``tokenizer`` is what ``as_tokenizer`` takes: transformers', tiktoken's, a model's; by default
    GPT-2's. Its end of text ends each row, and also pads it unless ``pad_token_id`` says otherwise.
    ``library`` is what the picker searches, by default the bundled entries. ``options`` are the
    traits of ``BatchInspector``: ``substep="2.5"``, ``padding="dynamic"``, ``max_length=None``,
    ``instruction_mask="none"``, ``selected=[0, 2]`` and the others.

    Raises:
        InspectorError: no entries, or more than 32; ``pad_token_id`` is no token of the tokenizer.
        TokenizerError: the tokenizer has no end of text, or is none. DatasetError: an entry is
            faulty. TraitError: an option has a value that does not exist. ValueError: no such
            prompt format.
    """
    return BatchInspector(
        entries,
        tokenizer,
        pad_token_id=pad_token_id,
        library=library,
        prompt_format=prompt_format,
        context_length=context_length,
        **options,
    )


class BatchInspector(PicturedWidget):
    """The widget of ``inspect_batch``. Traits can be set here or by a click; each side follows."""

    _esm, _css = INSPECTOR.esm, INSPECTOR.css
    _data = traitlets.Dict().tag(sync=True)

    substep = traitlets.Enum(SUBSTEPS, "2.5").tag(**OPTION)
    prompt_format = traitlets.Unicode("alpaca").tag(**OPTION)
    padding = traitlets.Enum(PADDINGS, "dynamic").tag(**OPTION)
    fixed_length = traitlets.Int(64, min=1).tag(**OPTION)  # with padding="fixed"
    max_length = traitlets.Int(None, min=1, allow_none=True).tag(**OPTION)
    instruction_mask = traitlets.Enum(INSTRUCTION_MASKS, "none").tag(**OPTION)
    prompt_loss_weight = traitlets.Float(None, min=0, max=1, allow_none=True).tag(**OPTION)
    selected = traitlets.List(traitlets.Int()).tag(**OPTION)  # indices into .entries
    fold = traitlets.Bool(True).tag(**OPTION)  # hide the preamble that all rows share
    show = traitlets.Enum(VIEWS, "both").tag(**OPTION)
    show_bytes = traitlets.Bool(True).tag(**OPTION)  # of characters split between tokens

    def __init__(
        self,
        entries: Iterable[Mapping[str, str]],
        tokenizer: Any = None,
        *,
        pad_token_id: int | None = None,
        library: Sequence[Entry] | None = None,
        prompt_format: str | PromptFormat = "alpaca",
        context_length: int = 1024,
        **options,
    ):
        self.entries: list[Entry] = checked_entries(entries)
        self.tokenizer: Tokenizer = as_tokenizer(tokenizer)
        self._pad_token_id = known_token(pad_token_id, self.tokenizer)
        self._library, self._context_length = library, context_length
        self.compared = False  # with another inspector; then both keep the same entries
        given = get_prompt_format(prompt_format)
        self._formats = self._offered(given)
        options.setdefault("selected", list(range(len(self.entries))))
        super().__init__(_data=self._prepare(), prompt_format=given.name, **options)
        self.on_msg(self._answer)

    def _offered(self, given: PromptFormat) -> dict[str, PromptFormat]:
        """The formats to choose from."""
        return {**PROMPT_FORMATS, given.name: given}

    def _prepare(self) -> dict[str, Any]:
        self._examples, joined = make_examples(self.entries, self._formats, self.tokenizer)
        return self._payload(joined)

    def _payload(
        self, joined: Sequence[tuple[str, int]] = (), more_ids: Iterable[int] = ()
    ) -> dict[str, Any]:
        """The data for the front end, of the examples as they are."""
        return make_payload(
            self.entries,
            self._formats,
            self._examples,
            joined,
            self.tokenizer,
            self._context_length,
            more_ids,
            self._pad_token_id,
        )

    @traitlets.validate("prompt_format")
    def _known_format(self, proposal) -> str:
        if proposal.value not in self._formats:
            known = ", ".join(self._formats)
            raise traitlets.TraitError(f"no prompt format {proposal.value!r}; there are: {known}")
        return proposal.value

    @traitlets.validate("selected")
    def _known_entries(self, proposal) -> list[int]:
        chosen = list(dict.fromkeys(proposal.value))
        wrong = [index for index in chosen if not 0 <= index < len(self.entries)]
        if wrong:
            raise traitlets.TraitError(
                f"selected names entries from 0 to {len(self.entries) - 1}, not {wrong[0]}"
            )
        return chosen

    @property
    def examples(self) -> list[Example]:
        """All entries after substeps 2.1 and 2.2, in the format on show."""
        return self._examples[self.prompt_format]

    @property
    def left_out(self) -> list[Dropped]:
        """Chosen entries whose response would be cut off entirely; a loader drops them, too."""
        limit = length_limit(self)
        return [
            Dropped(i, f"its prompt alone has {length} tokens; {limit} are allowed")
            for i in self.selected
            if limit is not None and (length := self.examples[i].prompt_length) > limit
        ]

    @property
    def selection(self) -> list[Entry]:
        """The entries on show, in the batch's order."""
        gone = {dropped.index for dropped in self.left_out}
        return [self.entries[index] for index in self.selected if index not in gone]

    @property
    def steps(self) -> BatchSteps:
        """What each substep made of the batch on show, computed by ``collate_steps``.

        Raises:
            BatchError: no entry is chosen, or none has room for a response.
        """
        if not self.selected:
            raise BatchError("no entry is chosen")
        if not self.selection:
            raise BatchError(
                f"none of {len(self.selected)} entries has room for a response "
                f"at a length of {length_limit(self)}"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoundaryWarning)  # the picture has a note about it
            padding = {} if self._pad_token_id is None else {"pad_token_id": self._pad_token_id}
            return collate_steps(
                self.selection,
                self.tokenizer,
                self._formats[self.prompt_format],
                **collator_options(self, self.examples),
                **padding,
            )

    def alt_text(self) -> str:
        """The picture on show in words, with its counts."""
        return stills.alt_text(self.steps, self.substep)

    def to_png(self) -> bytes:
        """The picture on show as a PNG, drawn from ``.steps`` without a browser.

        Raises:
            BatchError: as ``.steps``.
        """
        return stills.draw_png(
            self.steps,
            self.substep,
            self._formats[self.prompt_format],
            blocks=self.show == "blocks",
            tokenizer=self.tokenizer,
        )

    def to_html(self, title: str = "Batch inspector") -> str:
        """One self-contained page with this inspector; it works without Python or a network."""
        return INSPECTOR.page(self, title)

    def add_entry(self, entry: Mapping[str, str]) -> None:
        """Add an entry, and put it into the batch.

        Raises:
            InspectorError: there are 32 already, or another inspector is compared with this one.
            DatasetError: the entry is faulty. Also whatever a prompt format of one's own raises.
        """
        if len(self.entries) == MOST_ENTRIES:
            raise InspectorError(f"There are {MOST_ENTRIES} entries already; no more can be shown.")
        if self.compared:
            raise InspectorError("Entries can only be added before two inspectors are compared.")
        before = self.entries, self._examples
        self.entries = [*self.entries, *checked_entries([entry])]
        try:
            data = self._prepare()
        except Exception:  # for instance, a format of one's own asks for another field
            self.entries, self._examples = before
            raise
        with self.hold_sync():
            self._data = data
            self.selected = [*self.selected, len(self.entries) - 1]

    def find_entries(self, words: str) -> list[int]:
        """Library indices of the first 20 entries whose instruction contains all the words."""
        wanted = words.casefold().split()
        found = []
        for index, entry in enumerate(self.library):
            text = entry["instruction"].casefold()
            if all(word in text for word in wanted):
                found.append(index)
            if len(found) == MOST_FOUND:
                break
        return found

    @property
    def library(self) -> Sequence[Entry]:
        """The entries that the picker searches."""
        if self._library is None:
            self._library = load_entries()
        return self._library

    def _answer(self, _widget, message: dict[str, Any], _buffers) -> None:
        """Answer the front end, which asks if Python is there, for a search, or to add an entry."""
        kind = message.get("kind")
        try:
            if kind == "hello":
                self.send({"kind": "ready"})
            elif kind == "search":
                texts = [
                    {"index": i, "text": spell_text(self.library[i]["instruction"])[:200]}
                    for i in self.find_entries(str(message.get("words", "")))
                ]
                self.send({"kind": "found", "entries": texts})
            elif kind == "pick":
                self.add_entry(self.library[int(message["index"])])
                self.send({"kind": "added", "text": f"Added as #{len(self.entries) - 1}."})
            elif kind == "mine":
                self.add_entry(message["entry"])
                self.send({"kind": "added", "text": f"Added as #{len(self.entries) - 1}."})
        except (InspectorError, DatasetError, KeyError, IndexError, ValueError) as error:
            self.send({"kind": "refused", "text": str(error)})
