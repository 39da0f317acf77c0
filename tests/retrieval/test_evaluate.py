"""Tests of the measure and of the queries: `python -m unittest` in this folder.

Those on the real cards need the shared data beside the repository and say aloud when they skip.
"""

import json
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import baselines
import evaluate

CATALOG = Path(__file__).resolve().parents[3] / "shared/data/catalog/adapterhub.jsonl"
OTHERS = {"de", "es", "fr", "it", "ja", "pl", "pt"}
CARDS = {
    name: {"name": name, "task": task, "subtask": subtask}
    for name, task, subtask in [
        ("a", "mood", "film"),
        ("b", "mood ", "film"),
        ("c", "mood", "shop"),
        ("d", "sum", "news"),
    ]
}


def query(identity="q", lang="en", relevant=({"task": "mood"},)):
    return {"id": identity, "lang": lang, "text": "?", "relevant": list(relevant)}


class Relevance(unittest.TestCase):
    def test_a_selector_takes_its_task_and_stray_spaces_do_not_matter(self):
        self.assertEqual(evaluate.relevant_cards(query(), CARDS), {"a", "b", "c"})
        narrow = query(relevant=[{"task": "mood", "subtask": "film"}, {"task": "sum"}])
        self.assertEqual(evaluate.relevant_cards(narrow, CARDS), {"a", "b", "d"})

    def test_a_selector_that_finds_nothing_or_is_none_is_refused(self):
        for selectors in ([{"task": "moon"}], [{"task": "mood"}, {"task": "moon"}], [{"name": "a"}], [{}], []):
            with self.subTest(selectors), self.assertRaises(evaluate.WrongFile):
                evaluate.relevant_cards(query(relevant=selectors), CARDS)


class Score(unittest.TestCase):
    def test_the_first_hit_makes_the_rank_and_all_hits_the_recall(self):
        self.assertEqual(evaluate.score(["d", "a", "b"], {"a", "b", "c", "x"}), (0.5, 0.5))
        self.assertEqual(evaluate.score([], {"a"}), (0.0, 0.0))

    def test_nothing_after_the_tenth_counts(self):
        wrong = [f"w{place}" for place in range(9)]
        self.assertEqual(evaluate.score([*wrong, "a"], {"a"}), (0.1, 1.0))
        self.assertEqual(evaluate.score([*wrong, "w9", "a"], {"a"}), (0.0, 0.0))

    def test_ten_hits_are_all_that_can_be_had(self):
        many = [f"r{place}" for place in range(15)]
        self.assertEqual(evaluate.score(many, set(many)), (1.0, 1.0))

    def test_languages_are_counted_apart_and_missing_answers_as_nothing(self):
        queries = {found["id"]: found for found in (query("q1"), query("q2", "de"), query("q3", "fr"))}
        groups = evaluate.evaluate({"q1": ["a"], "q2": ["d", "c"]}, queries, CARDS)
        self.assertEqual(list(groups), ["all", "en", "other", "de", "fr"])
        self.assertEqual([groups[group]["mrr"] for group in groups], [0.5, 1.0, 0.25, 0.5, 0.0])
        self.assertEqual([groups[group]["unanswered"] for group in groups], [1, 0, 1, 0, 1])

    def test_results_that_cannot_be_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "results.jsonl"
            good = {"query": "q", "results": ["a", "d"]}
            wrong = [
                [good | {"query": "z"}],
                [good | {"results": ["z"]}],
                [good | {"results": ["a", "a"]}],
                [good | {"results": "a"}],
                [{"results": ["a"]}],
                [good, good],
            ]
            for lines in ([good], *wrong):
                file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
                with self.subTest(lines):
                    if lines == [good]:
                        self.assertEqual(evaluate.read_results(file, {"q": query()}, CARDS), {"q": ["a", "d"]})
                    else:
                        with self.assertRaises(evaluate.WrongFile):
                            evaluate.read_results(file, {"q": query()}, CARDS)


class Baselines(unittest.TestCase):
    def test_keywords_are_found_by_stem_and_signs_are_no_commands(self):
        texts = ["sorting mails", "short poems", "mails about poems and mails"]
        self.assertEqual(baselines.by_keyword(texts, ["sort", 'poem" NOT (', "?!", "zebra"]), [[0], [1, 2], [], []])

    def test_fusion_puts_first_what_both_have(self):
        self.assertEqual(baselines.fused([1, 2, 3], [4, 2]), [2, 1, 4, 3])

    def test_a_name_is_taken_apart_into_words(self):
        card = {"name": "bert-base_is-wiki", "description": None, "task_name": "Mood", "task_description": ""}
        self.assertEqual(baselines.short_text(card), "bert base is wiki")
        self.assertEqual(baselines.whole_text(card), "bert base is wiki Mood")


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.queries = evaluate.by_key(evaluate.read_lines(evaluate.QUERIES), "id", evaluate.QUERIES)

    def test_there_are_enough_and_a_fifth_is_in_the_other_languages(self):
        languages = Counter(found["lang"] for found in self.queries.values())
        self.assertEqual(set(languages), OTHERS | {"en"})
        self.assertGreaterEqual(min(languages.values()), 2)
        self.assertGreaterEqual(len(self.queries), 100)
        self.assertGreaterEqual(5 * sum(languages[other] for other in OTHERS), len(self.queries))

    def test_every_query_is_whole_and_none_stands_there_twice(self):
        for found in self.queries.values():
            self.assertEqual(list(found), ["id", "lang", "text", "relevant"])
            self.assertTrue(found["text"].strip() and found["id"].startswith(found["lang"] + "-"))
        texts = Counter(found["text"].casefold().strip() for found in self.queries.values())
        self.assertEqual(texts.most_common(1)[0][1], 1)

    def test_every_selector_finds_a_card(self):
        if not CATALOG.exists():
            print(f"SKIPPED: {CATALOG} is missing", file=sys.stderr)
            raise unittest.SkipTest(f"{CATALOG} is missing")
        catalog = evaluate.by_key(evaluate.read_lines(CATALOG), "name", CATALOG)
        for found in self.queries.values():
            self.assertTrue(evaluate.relevant_cards(found, catalog))


if __name__ == "__main__":
    unittest.main()
