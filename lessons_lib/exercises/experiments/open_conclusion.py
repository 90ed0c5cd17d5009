"""Exercise without one right answer: write the conclusion of the large experiment. Lesson 11."""

from lessons_lib.exercises.open_ended import Criterion, OpenExercise, Sample

CONCLUSION = OpenExercise(
    name="conclusion",
    title="Write the conclusion",
    lesson="11",
    minutes=15,
    statement="""
The numbers are in, and now somebody must say what they mean. Write three to six sentences for a
colleague who has not taken this lesson, and will set the switch in a recipe by what you write. Use
the two tables and the picture above, and nothing else.

Write before you run on: the next cells say it in the words of the intervals. Once you have written,
a rubric appears, and two conclusions that others might have drawn from the same tables. Grade those
two first, then your own; one of them sounds better than it is.
""",
    criteria=(
        Criterion(
            "what was measured, and on what",
            (
                "“better”, without a measure",
                "the measure, but the entries or the model are missing",
                "the measure, the entries and the model",
            ),
        ),
        Criterion(
            "the size of a difference",
            ("no size", "a size without its interval", "a size with its interval"),
        ),
        Criterion(
            "what the interval allows",
            (
                "it is taken for a proof, or not read at all",
                "read rightly on the whole, with one step too far",
                "says what is shown, and what is left open: how large, or what it does not cover",
            ),
        ),
        Criterion(
            "another explanation, or what was held fixed",
            (
                "neither",
                "something is named, and nothing follows from it",
                "something is named, and why it matters for the conclusion",
            ),
        ),
        Criterion(
            "no winner where none is shown",
            (
                "ranks modes whose difference from each other no table here gives",
                "ranks nothing, and does not say how the three others compare",
                "says that the three others are not compared with one another here",
            ),
        ),
        Criterion(
            "how far it reaches",
            (
                "holds for language models at large",
                "no word on where it holds",
                "holds for this model and entries like these; elsewhere one must measure",
            ),
        ),
    ),
    samples=(
        Sample(
            text="""
We fine-tuned the course's own small model on the bundled entries in four ways that differ in how
much the prompt counts in the loss, with five seeds each and with a learning rate chosen for each on
other entries, and counted the exact answers to 300 questions that had no part in any choice. With
`"prompt"` there were 8.5 points more exact answers than with `"none"` (interval of 95 %: 4.9 to
12.3), with `"keep-header"` 7.7 more (4.1 to 11.5), and with the weight of 0.1 6.3 more (2.6 to
10.2). So taking the prompt out of the loss is worth at least 4.9 points here. The three that did
better are compared with `"none"` alone in this table, and I call none of them the best. All were
trained for three epochs: `"none"`, whose loss is mostly about the prompt, may simply need more of
them, and then the difference would be smaller. With another model or other entries I would measure
again.
""",
            levels=(2, 2, 1, 2, 2, 2),
            why="""
Measure, entries and model are named, sizes have their intervals, nobody is crowned, and the other
explanation is a good one: it says what would become of the difference if it held. The fault is the
third sentence, “at least 4.9 points”. The true difference may lie below an interval of 95 %, and
the lower ends of the other two, 4.1 and 2.6, which are quoted just above it, are lower still. “By
about 5 to 12 points with `"prompt"`, as far as this experiment can tell” would have been right.
""",
        ),
        Sample(
            text="""
Our experiment settles a question on which papers disagree. Four ways of masking were compared
under the same fair conditions: learning rates tuned for each, five seeds, and 300 questions that
none of the models had seen. Masking the prompt wins: `"prompt"` answers 81.8 % exactly, where
training without a mask reaches 73.3 %, and it lowers the response loss by a third, from 0.144 to
0.097. `"keep-header"` comes second with 81.0 % and the weight of 0.1 third with 79.5 %, a ranking
that ROUGE-L confirms. Since the intervals of all differences exclude 0, these results are proven
with a certainty of 95 %. Whoever fine-tunes a language model should therefore mask the prompt,
because tokens that nobody will ever ask for only distract it.
""",
            levels=(1, 1, 0, 0, 0, 0),
            why="""
Every number in it stands in the tables, and that is why it convinces. But no difference has its
interval, and the model, on which all hangs, is not mentioned. An interval that excludes 0 is no
proof with a certainty of 95 %, and it tells nothing about the places 1, 2 and 3: the table of
differences compares each mode with `"none"`, not the three with one another. That ROUGE-L has the
same order is little support, for it grades the same answers. “Fair conditions” claims that nothing
else could explain the result, where one should ask what could: equal steps, for one. The last
sentence leaps from one small model to all, and gives a reason that nothing here has tested.
""",
        ),
    ),
)
