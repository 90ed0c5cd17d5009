"""The arithmetic of the base model's benchmark; running it measures the figures."""

from collections import Counter

from benchmarks.base import AIMS, TARGETS, family_table, verdict


def test_verdicts_compare_in_the_right_direction():
    assert verdict("base_exact", 0.03) == "target ≤ 0.03: met"
    assert verdict("base_exact", 0.04).endswith("MISSED")
    assert verdict("tuned_exact_masked", 0.84) == "target ≥ 0.85: MISSED"
    assert verdict("unseen_phrasing_exact", 0.7) == "aim ≥ 0.7: met"
    assert verdict("random_init_exact", 0.5) == ""
    assert not set(TARGETS) & set(AIMS)


def test_families_come_with_the_lowest_share_first():
    counted = Counter({("a", "asked"): 4, ("a", "right"): 3, ("b", "asked"): 2, ("b", "right"): 1})
    counted["c", "asked"] = 1
    assert family_table(counted) == {"c": 0.0, "b": 0.5, "a": 0.75}
    assert list(family_table(counted)) == ["c", "b", "a"]
