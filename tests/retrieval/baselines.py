"""The plain searches that a better one is compared with: vector, keyword, and both fused.

Each runs over two texts of a card: `short`, which is its name and description, and `whole`,
which has the name and description of its task as well. Nothing here is tuned to the queries.
"""

import json
import os
import re
import sqlite3
import sys
from contextlib import closing

# Results that a search gives, and that the fusion takes from each side.
RESULTS = 100
# Of the paper on reciprocal rank fusion; softens the lead of the first ranks.
RANK_OFFSET = 60
MODEL = "minilm-l6-v2"


def words(text):
    """Words of a name or a query; letters and digits of all languages."""
    return re.findall(r"[^\W_]+", text)


def short_text(card):
    return " ".join([*words(card["name"]), card.get("description") or ""]).strip()


def whole_text(card):
    task = [card.get(field) or "" for field in ("task_name", "task_description")]
    return " ".join(part for part in [short_text(card), *task] if part)


TEXTS = {"short": short_text, "whole": whole_text}


def embedder(models, assets):
    """The function texts -> vectors of length 1, by the model that workers run."""
    # The runtime looks for its maker's servers when it is loaded, unless it is told before.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    sys.path.insert(0, str(models))
    from embedder import Embedder

    return Embedder(assets / "models" / MODEL).embed


def by_vector(texts, queries, embed):
    """For each query the places of the nearest texts, by cosine."""
    near = embed(queries) @ embed(texts).T
    return [[int(place) for place in (-row).argsort(kind="stable")[:RESULTS]] for row in near]


def by_keyword(texts, queries):
    """For each query the places of texts that share a word with it, by BM25 of SQLite's FTS5."""
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("CREATE VIRTUAL TABLE cards USING fts5(text, tokenize = 'porter unicode61')")
        base.executemany("INSERT INTO cards (rowid, text) VALUES (?, ?)", enumerate(texts))
        return [matches(base, query) for query in queries]


def matches(base, query):
    asked = words(query)
    if not asked:
        return []
    # Quoted, so that words like NOT mean themselves.
    phrase = " OR ".join(f'"{word}"' for word in asked)
    rows = base.execute(
        "SELECT rowid FROM cards WHERE cards MATCH ? ORDER BY bm25(cards), rowid LIMIT ?", (phrase, RESULTS)
    )
    return [place for (place,) in rows]


def fused(*rankings):
    """Reciprocal rank fusion: what stands high in one ranking or well in several comes first."""
    points = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, 1):
            points[place] = points.get(place, 0.0) + 1 / (RANK_OFFSET + rank)
    return sorted(points, key=lambda place: (-points[place], place))[:RESULTS]


def searches(cards, queries, embed):
    """Card names by query id, for each search."""
    asked = [query["text"] for query in queries]
    found = {}
    for name, text_of in TEXTS.items():
        texts = [text_of(card) for card in cards]
        vector, keyword = by_vector(texts, asked, embed), by_keyword(texts, asked)
        both = [fused(*pair) for pair in zip(vector, keyword)]
        for search, rankings in (("vector", vector), ("keyword", keyword), ("both", both)):
            found[f"{search}, {name}"] = {
                query["id"]: [cards[place]["name"] for place in ranking] for query, ranking in zip(queries, rankings)
            }
    return found


def write(folder, found):
    """One file of results a search, as `evaluate.py` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for search, answers in found.items():
        lines = [json.dumps({"query": query, "results": names}, ensure_ascii=False) for query, names in answers.items()]
        name = "-".join(words(search)) + ".jsonl"
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
