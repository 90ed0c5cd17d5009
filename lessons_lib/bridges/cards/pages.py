"""A model card and a data card, filled from a run's own files: what is not known is said to be so.

``python -m lessons_lib card FOLDER`` writes both. Each figure on them is one of ``run.json``, of
``history.csv``, or counted from ``answers.json``. Nothing is uploaded; ``how_to_publish`` says how.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template
from typing import Any

from huggingface_hub import DatasetCard, DatasetCardData, EvalResult, ModelCard, ModelCardData

from lessons_lib.bridges.cards.licences import Source, licence_of_both, of_entries, of_model
from lessons_lib.bridges.cards.run_record import ANSWERS, CHECKPOINTS, MODEL, Run, read_run
from lessons_lib.data import get_prompt_format
from lessons_lib.support import write_whole
from lessons_lib.support.paths import ASSETS

CARD, DATA_CARD = "README.md", "data_card"
PARTS = ("train", "test", "validation")
SCORES = {
    "exact": "exact: the wanted answer to the letter",
    "lenient": "names the key answer in its first sentence",
    "stopped": "ended by itself, with end of text",
}
LOSSES = {
    "validation_loss": "validation loss, nats per target that counts",
    "response_loss": "loss on the responses alone, nats per token",
}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))
ASKED = {"instruction": "Name the capital of Norway.", "input": "", "output": ""}


def write_cards(
    folder: str | Path, say: Callable[[str], object] = print
) -> tuple[ModelCard, DatasetCard]:
    """Write the model card and the data card of a finished run into its folder.

    They are ``README.md``, where the Hub looks for a model's card, and ``data_card/README.md``. A
    card that is there and says something else is kept beside the new one, as ``README.old-1.md``;
    ``say`` is told so.

    Raises:
        RunError: the folder holds no finished run, or not what its run wrote. OSError: it cannot be
            written.
    """
    run = read_run(folder)
    cards = model_card(run), data_card(run)
    (run.folder / DATA_CARD).mkdir(exist_ok=True)
    for card, path in zip(cards, (run.folder / CARD, run.folder / DATA_CARD / CARD), strict=True):
        say(_write_beside(path, f"{card.content.strip()}\n"))
    return cards


def model_card(run: Run) -> ModelCard:
    """The card of the run's model, with its scores where the Hub reads them."""
    model, data = _sources(run)
    facts = ModelCardData(
        model_name=run.name,
        base_model=model.hub_name,
        license=licence_of_both(model, data),
        language="en" if data.bundled else None,
        pipeline_tag="text-generation",
        library_name="transformers",
        tags=["instruction-fine-tuning"],
        eval_results=_eval_results(run),
    )
    return ModelCard(f"---\n{facts.to_yaml()}\n---\n\n{_model_text(run, model, data)}")


def data_card(run: Run) -> DatasetCard:
    """The card of the entries that the run was trained and tested on."""
    _, data = _sources(run)
    count = sum(run.record["entries"][part] for part in PARTS)
    facts = DatasetCardData(
        license=data.licence,
        language="en" if data.bundled else None,
        size_categories=next((name for most, name in SIZES if count < most), "n>1M"),
        task_categories=["text-generation"],
        pretty_name=data.title.replace("`", ""),
    )
    return DatasetCard(f"---\n{facts.to_yaml()}\n---\n\n{_data_text(run, data, count)}")


def how_to_publish(folder: str | Path) -> str:
    """The lines that would upload a run's model with its card; nothing is uploaded here."""
    run = read_run(folder)
    left_out = [f"{CHECKPOINTS}/*", ".*", "*.old-*"]
    left_out += [] if _sources(run)[1].may_be_copied else [ANSWERS]
    name, path = f"YOUR-NAME/{run.name}", str(folder)
    lines = [
        "from huggingface_hub import ModelCard, create_repo, upload_folder",
        f"create_repo({name!r}, private=True)",
        f"upload_folder(repo_id={name!r}, folder_path={path!r}, ignore_patterns={left_out})",
    ]
    but = f", but without {ANSWERS}, which repeats test entries" if ANSWERS in left_out else ""
    return (
        "Nothing has been uploaded. Read the cards, and replace what begins with Unknown. After "
        f"`hf auth login`, these lines publish the model with its card{but}:\n\n    "
        + "\n    ".join(lines)
        + "\n\nA card that is corrected later goes alone:\n\n    "
        f"ModelCard.load({str(Path(path) / CARD)!r}).push_to_hub({name!r})"
    )


def _sources(run: Run) -> tuple[Source, Source]:
    entries = run.record["entries"]
    model = of_model(run.record["model"]["trained_from"])
    return model, of_entries(entries["source"], entries["sha256"])


def _eval_results(run: Run) -> list[EvalResult] | None:
    """Each share of right answers with its interval, as the Hub keeps results."""
    if run.scores is None:
        return None
    results = []
    for name, title in SCORES.items():
        share = run.scores.share(name)
        if not share.total:  # no entry has a key answer
            continue
        found = share.interval()
        results.append(
            EvalResult(
                task_type="text-generation",
                dataset_type="instruction-entries",
                dataset_name=f"test entries of {run.record['entries']['source']}",
                dataset_split="test",
                metric_type="exact_match" if name == "exact" else name,
                metric_name=title,
                metric_value=share.value,
                metric_args={
                    "count": share.count,
                    "total": share.total,
                    "low_95": found.low,
                    "high_95": found.high,
                },
            )
        )
    return results


def _model_text(run: Run, model: Source, data: Source) -> str:
    record, entries = run.record, run.record["entries"]
    made, trained = record["made_with"], record["training"]
    written = get_prompt_format(record["recipe"]["prompt_format"])
    quick = "**A shrunk run, made only to see that everything works.**"
    licence = licence_of_both(model, data)
    how = {"finished": record["finished"], **trained, **made, **made["packages"]}
    del how["packages"]
    return _filled(
        "model.md",
        **_counts(entries),
        name=run.name,
        base=model.title,
        data=data.title,
        parameters=f"{record['model']['parameters']:,}",
        context=f"{record['model']['context_length']:,}",
        quick=f"\n\n{quick}" if record["quick"] else "",
        format=written.name,
        prompt=written.prompt(ASKED),
        options=_table(("option", "value"), _rows(record["recipe"])),
        losses=_loss_table(run),
        scores=_score_table(run),
        model_licence=model.says,
        data_licence=data.says,
        licence=f"So this card names `{licence}` for the fine-tuned weights."
        if licence
        else "Unknown: the licence of the fine-tuned weights, until you name one that both allow.",
        made=_table(("what", "value"), _rows(how)),
        weights=record["files"][MODEL],
    )


def _data_text(run: Run, data: Source, count: int) -> str:
    entries = run.record["entries"]
    return _filled(
        "data.md",
        data=data.title,
        name=run.name,
        count=f"{count:,}",
        parts=_table(("part", "entries"), _counts(entries).items()),
        sha256=entries["sha256"],
        origin=data.origin,
        data_licence=data.says,
        unknown=data.unknown,
    )


def _filled(template: str, **values: str) -> str:
    text = (ASSETS / "cards" / template).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _counts(entries: dict[str, Any]) -> dict[str, str]:
    return {part: f"{entries[part]:,}" for part in PARTS}


def _score_table(run: Run) -> str:
    if run.scores is None:
        return "Unknown: no test entry was answered."
    rows = []
    for name, title in SCORES.items():
        share = run.scores.share(name)
        if share.total:
            found = share.interval()
            bounds = f"{found.low:.1%} to {found.high:.1%}"
            rows.append((title, f"{share.count} of {share.total}", f"{share.value:.1%}", bounds))
    head = ("of the answers to the test entries", "count", "share", "interval of 95 % (Wilson)")
    return _table(head, rows)


def _loss_table(run: Run) -> str:
    """The first and the last measured value of each loss."""
    rows = []
    for column, title in LOSSES.items():
        measured = [(row["step"], row[column]) for row in run.history if row[column]]
        if len(measured) > 1:
            (first, before), (last, after) = measured[0], measured[-1]
            rows.append(
                (
                    title,
                    f"{float(before):.3f} at step {first}",
                    f"{float(after):.3f} at step {last}",
                )
            )
    if not rows:
        return "Unknown: the validation loss, for which there were no entries."
    return _table(("loss", "first measured", "last measured"), rows)


def _rows(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _said(value)) for name, value in values.items()]


def _said(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if type(value) is int else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(each.replace('|', chr(92) + '|') for each in line)} |" for line in lines
    )


def _write_beside(path: Path, text: str) -> str:
    """Write a card; one that says something else is kept under another name. Says what was done."""
    said = f"{path} is written."
    if path.exists():
        if path.read_bytes() == text.encode():
            return f"{path} is as it should be; nothing was written."
        number = 1
        while (kept := path.with_name(f"{path.stem}.old-{number}{path.suffix}")).exists():
            number += 1
        path.rename(kept)
        said = f"{path} is written anew; the one that was there is kept as {kept.name}."
    write_whole(path, lambda part: part.write_bytes(text.encode()))
    return said
