"""Open exercise: thirty refusals of one's own, trained and measured. Lesson 12."""

from lessons_lib.exercises.open_ended import Criterion, OpenExercise, Sample

OWN_REFUSALS = OpenExercise(
    name="own-refusals",
    title="Teach it to say that it does not know",
    lesson="12",
    minutes=40,
    statement="""
Write thirty refusals of your own, and twenty test questions, into the cell that keeps them; run the
cell that trains and measures. (If you wrote none, write about the course's thirty.) Then report, in
100 to 200 words, so that somebody who was not there could decide whether to use your refusals:

- what the questions ask for, in how many forms, and how you know that the model cannot know it,

- what the twenty test questions have in common with the thirty, and what not,

- what was admitted, denied and kept, with the intervals, and for which questions,

- what you conclude, and one thing that you did not measure.
""",
    criteria=(
        Criterion(
            "Are the questions varied, in form and in what they ask for?",
            (
                "One form with other names in it, or the forms are not told.",
                "Several forms, but it is not said how many, or what they leave out.",
                "Several forms and kinds, with numbers, and it is said what the thirty leave out.",
            ),
        ),
        Criterion(
            "Are the things truly unknown to the model?",
            (
                "Some could be known, from the pretraining text or an entry, or nobody looked.",
                "They do not exist, as far as one can tell; how that was checked is not said.",
                "It is said how it was checked, for instance against the lists of facts.",
            ),
        ),
        Criterion(
            "Is the price measured on known questions that are asked alike?",
            (
                "Only what was gained is told, or one number for both.",
                "The price is measured on questions of other forms, where it can hardly show.",
                "Denied and kept are given for known questions in the refusals' own forms.",
            ),
        ),
        Criterion(
            "Are the test questions apart from those trained on?",
            (
                "Some are trained on, too, or it is not said.",
                "They differ by their names alone, and that is not said.",
                "It is said what they share, the form or the kind, and so what they can show.",
            ),
        ),
        Criterion(
            "Is the conclusion no wider than its interval?",
            (
                "It goes beyond what was asked: “it knows what it does not know”.",
                "It is about these forms, but small differences are taken for certain.",
                "It names the forms and the interval, and one thing that was not measured.",
            ),
        ),
    ),
    samples=(
        Sample(
            """
I trained on the course's thirty refusals: four forms (people of Alderbrook, capitals, authors,
inventors), seven or eight each, all with the answer "I do not know." Places, trades, titles and
inventions were made up. I looked for each trade among the townspeople, for each country among the
capitals and so on, and found none of them.

The twenty test questions have the same four forms with other names, so they can show whether the
habit reaches new names, and not whether it reaches new forms. 15 of 20 were admitted (75 %, 53 % to
89 %).

The price: of 35 known things in these four forms it denies 2 (2 % to 19 %), and of the 27 that were
exact before it keeps 23. In the validation part, mostly other forms, it denies none of 55. So the
refusals cost four right answers.

For names that it has not met in these forms, it probably admits at least half. I did not measure
another wording of these questions.
""",
            levels=(1, 2, 2, 2, 1),
            why="""
A report that can be used: it says how it was checked that the things are unknown, what the test
questions share with the thirty, and measures the price where it can show. Its fault is the
sentence "So the refusals cost four right answers": two of the four are denials, the other two got
another name, as can happen in any new training run, and 23 of 27 has an interval from 68 % to 94 %.
The forms are named and counted, but not what the thirty leave out.
""",
        ),
        Sample(
            """
I taught the model honesty. Before, it admitted none of the twenty unknown things, now 15 of 20, so
75 % of its inventions are gone. The validation part shows that this costs nothing: none of the 55
questions is denied, and of the 46 that were right before, 44 still are. The model has learned the
difference between what it knows and what it does not know, and will say so when somebody asks for
anything that it was not told.

I made sure that the test questions are not among the thirty. All thirty ask about things that do
not exist, such as the capital of Freedonia. With more refusals the remaining five would be admitted
as well.
""",
            levels=(0, 1, 1, 1, 0),
            why="""
Its counts are right, and its words go far beyond them. The validation part has few questions of the
four forms, so it is the place where a price would not show; asked alike, known things are denied,
too. Its test questions are said to be apart, but not that they differ by their names alone. That it
learned "the difference between what it knows and what it does not know" is refuted by the answer
about a young dragon, and the effect of more refusals was not tried.
""",
        ),
    ),
)
