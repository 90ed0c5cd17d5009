"""Exercise without one right answer: plan an experiment that could refute the lesson's. Lesson 11.

What the samples say of costs are the times of the lesson's own cells, on two cores.
"""

from lessons_lib.exercises.open_ended import Criterion, OpenExercise, Sample

PLAN_AN_EXPERIMENT = OpenExercise(
    name="plan-an-experiment",
    title="Plan the experiment that could prove this lesson wrong",
    lesson="11",
    minutes=25,
    statement="""
A conclusion is worth what it has survived. Choose one sentence of this lesson's results (for
instance: “on these entries, with up to five epochs, too little training does not explain all of
it”), and plan one further experiment that could make you take it back. You need not run it.

Say which sentence you test; the one thing that you change, and what changes along with it; the
measure; how the settings of each side are chosen; seeds; which entries decide; what result would
change your mind, with a number; and what it costs in minutes. The times of one step and of one
whole run stand in this lesson: count the runs, those of the search included.
""",
    criteria=(
        Criterion(
            "it could refute something",
            (
                "any result would fit the sentence, or no sentence is named",
                "a direction would count against it, without a size",
                "a result is named beforehand, with a size or an interval, that would make one "
                "drop the sentence",
            ),
        ),
        Criterion(
            "one change",
            (
                "several at once",
                "one is meant, and what comes along with it is not mentioned",
                "one, and what comes along with it is said",
            ),
        ),
        Criterion(
            "the measure",
            (
                "chosen afterwards, or not named",
                "several, none of which goes first",
                "one decides, and it is fixed beforehand",
            ),
        ),
        Criterion(
            "the settings of each side",
            (
                "one setting for both, or chosen by the entries that decide",
                "chosen for each by other entries, without a word on edges",
                "chosen for each by other entries, and what happens at an edge is said",
            ),
        ),
        Criterion(
            "seeds and deciding entries",
            (
                "one seed, or entries that have been answered often",
                "several seeds or fresh entries, not both",
                "several seeds, the same on both sides, and entries not answered before",
            ),
        ),
        Criterion(
            "the cost",
            ("none", "a guess", "number of runs times the time of a run"),
        ),
    ),
    samples=(
        Sample(
            text="""
I test the sentence that too little training does not explain all of the lead of `"prompt"`. Both
modes chose five epochs, the most on offer, so nobody knows what ten would do. I change the numbers
of epochs to choose from: 5, 10 and 20 for both modes. The schedule of the learning rate stretches
with them; I leave it so, as a run of that length would have it. The measure is the difference in
exact matches, `"prompt"` minus `"none"`, and nothing else decides. For each mode I try the rates
0.0001, 0.0002 and 0.0003 with two seeds and take the lowest mean response loss on the 300 choosing
entries; if 20 epochs or an outer rate is best, I try one step further out before I go on. Then
five seeds each, the same for both, on the 300 reporting entries of the lesson.

If the interval of 95 % lies wholly below +3 points, I drop the sentence and write that training
longer removes most of the lead; if it lies wholly above +3 points, I keep it; otherwise I write
that this experiment cannot tell. Cost: a run of three epochs took about 50 seconds on one core, so
5, 10 and 20 epochs take about 1.4, 2.8 and 5.6 minutes. The search is 2 modes × 3 rates × 2 seeds ×
9.8 minutes = 118 minutes, the final ten runs at most 56 more; with two processes on two cores about
an hour and a half.
""",
            levels=(2, 2, 2, 2, 1, 2),
            why="""
One sentence, one change with its companion, one measure, a number that would change the writer's
mind, and a third outcome, “cannot tell”, which most plans forget. The runs of the search are
counted. The small fault is in the last words of the first paragraph: those 300 reporting entries
have been answered by `bundled`, `epochs` and `longer`. The sentence under test was found on them,
and if they happen to suit `"prompt"`, they will do so again. Entries that nobody has answered would
make the test a new one. (Some of those 50 seconds went into loading and answering, which take no
longer after more epochs, so the long runs are reckoned rather too dear; in a plan that is the
better error.)
""",
        ),
        Sample(
            text="""
The result may be due to the course's tiny model, so the obvious next step is to repeat the
comparison with a real one. I shall fine-tune SmolLM2, with its 135 million parameters, on the
book's 1,100 entries, which are also more varied than facts and capitals. To keep the comparison
fair, both modes get exactly the same settings: one epoch, a learning rate of 0.0001, the same
batches. I shall record exact matches, ROUGE-L, the response loss and the grades of a judge, and
report in detail those measures on which the modes differ most clearly. As a run takes about ten
minutes, two runs cost 20 minutes, and one seed is enough, since differences between seeds were
small in this lesson.

If `"prompt"` is ahead again, the lesson's conclusion is confirmed on a real model. If it is not,
that fits as well: a larger model has learned to read questions already, so the mask matters less
to it.
""",
            levels=(0, 0, 0, 0, 0, 2),
            why="""
It reads like a sensible next step, and cannot teach anything: whatever comes out, the last
paragraph has an explanation ready. Model and entries change together, and the epochs with them, so
a different result would have three possible reasons. The measures are picked after the fact, and
among four some will differ clearly by chance. “Exactly the same settings” is the unfairness that
this lesson began with: a rate that suits one mode need not suit the other. One seed is justified by
a spread that was seen with another model, and which entries decide is not said. Only the cost is
as it should be, two runs of ten minutes, and it is low because everything that would make the
result worth having was left out.
""",
        ),
    ),
)
