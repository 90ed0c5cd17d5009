"""Open exercise: forty entries of a company of one's own, trained and measured. Lesson 12."""

from lessons_lib.exercises.open_ended import Criterion, OpenExercise, Sample

OWN_COMPANY = OpenExercise(
    name="own-company",
    title="An assistant for a company of your own",
    lesson="12",
    minutes=50,
    statement="""
Choose a shop, a company or a club: yours, or one that you make up. Write forty entries, say ten
answers in four wordings each, and ten test questions in other words, into the cell that keeps them;
run the cell that trains and measures. (If you wrote none, write about the lamp workshop.) Then
write to whoever would have to decide whether this assistant may talk to customers, in 100 to 200
words:

- what it was taught, in how many wordings, and how the test questions differ from those,

- how many answers came to the letter, as trained and in other words, with the intervals,

- what became of the old answers, with and without old entries among the new,

- one wrong reply, word for word, and what would happen to a customer who believed it,

- your advice.
""",
    criteria=(
        Criterion(
            "Are the wordings varied?",
            (
                "One wording for each answer, or nothing is said of them.",
                "Several wordings, but they differ by a word or two, or it is not said how.",
                "Several that a customer might choose, and it is said how they differ.",
            ),
        ),
        Criterion(
            "Are the test questions in other words, and kept apart?",
            (
                "They are trained on, or nearly so, or it is not said.",
                "They are other questions, but it is not said how they were chosen or checked.",
                "It is said in which way they are worded otherwise, and that none is trained on.",
            ),
        ),
        Criterion(
            "Is what was forgotten measured, too?",
            (
                "Only the new answers are counted.",
                "The old answers are counted for one of the two assistants alone.",
                "The old answers are compared before and after, with and without old entries.",
            ),
        ),
        Criterion(
            "Are replies read, and not only counted?",
            (
                "No reply is quoted.",
                "One is quoted, and its consequence is not told.",
                "A wrong reply is quoted, with what it would do to somebody who believes it.",
            ),
        ),
        Criterion(
            "Is the advice no wider than what was measured?",
            (
                "It rests on the questions as trained, or promises what was not tried.",
                "It rests on other words, but takes a count of ten for certain.",
                "It rests on other words, gives the interval, and says what was not tried.",
            ),
        ),
    ),
    samples=(
        Sample(
            """
I used the lamp workshop: ten answers, four wordings each, from "How much does delivery cost?" to
"Tell me the price of delivery." The ten test questions ask for the same answers as a customer would
who does not know our words: "What does it cost to have a lamp sent to my house?" The audit found no
test question among the forty.

As trained, 28 of 40 answers came to the letter (55 % to 82 %), in other words 1 of 10. Of the 55
old answers, 46 were exact before, 3 after training on the forty alone, and 38 with 120 old entries
among them.

Asked "I have sent my lamp back. When will I have my money?" it said: "You can return 30 days of its
delivery, and get your money back." A customer would wait for thirty days; the answer is five
working days.

Do not let it talk to customers. It cannot answer questions in other words, whatever the entries
are, so we should give it the text of the policy with each question.
""",
            levels=(2, 2, 2, 2, 1),
            why="""
Nearly everything is there: the wordings, how the test questions differ, both assistants before and
after, and a reply with its consequence. The fault is in the last sentence. 1 of 10 has an interval
from 2 % to 40 %, which is not given, and "whatever the entries are" was not tried: more wordings, a
larger model or more answers might do better. That handing over the policy helps was not measured
either.
""",
        ),
        Sample(
            """
Our assistant knows the company's policy. After a very short training it gives 28 of 40 answers word
for word, 70 %, where the model before gave none. The other twelve are mostly close, and a little
more training will get those right, too. It still knows 38 of the 55 old answers, so it has
hardly forgotten anything, and mixing in old entries solves forgetting.

With other words it has some difficulty so far, but customers can be shown how to ask. For gift
cards the test question was answered to the letter: "A gift card is valid for three years and cannot
be exchanged for money." I recommend to put it on the website, and to add the answers that are still
missing one by one.
""",
            levels=(0, 0, 1, 1, 0),
            why="""
It reports the row that flatters. The forty questions are those that it was trained on; in other
words, which is how customers ask, 1 of 10 came, and the text hides that count. 38 of 55, where 46
were exact, is a loss, and the 3 that are left without old entries are not told. The one reply that
is quoted is the right one. That more training would help was not tried, and it would be more of the
same questions.
""",
        ),
    ),
)
