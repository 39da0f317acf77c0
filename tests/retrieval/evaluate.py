"""How well a search finds adapters for people who say in their own words what they build.

    python tests/retrieval/evaluate.py --catalog FILE RESULTS [RESULTS ...]
    python tests/retrieval/evaluate.py --catalog FILE --baselines --models models --assets DIR

RESULTS has one JSON object a line, what a search printed for one query, best first:
`{"query": "en-001", "results": ["card name", ...]}`. A query that is missing there counts as
answered with nothing; a query or a card that nobody knows is an error. `--baselines` makes such
results itself, by vector, by keyword and by both; it needs the packages of models/export.txt and
the finished model below `--assets`. The table goes to stderr, the JSON document to stdout:
`{"depth", "searches": {search: {group: {"queries", "unanswered", "mrr", "mrr_margin", "recall"}}}}`.
"""

import argparse
import json
import math
import sys
from pathlib import Path

# Results of a query that count.
DEPTH = 10
QUERIES = Path(__file__).with_name("queries.jsonl")
SELECTABLE = {"task", "subtask"}
ENGLISH = "en"


class WrongFile(Exception):
    """A file that does not say what it should: what, and where."""


def read_lines(path):
    """The JSON objects of a file that has one a line."""
    found = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise WrongFile(f"{path}:{number} is not JSON - {error}") from error
        if not isinstance(value, dict):
            raise WrongFile(f"{path}:{number} is no JSON object")
        found.append(value)
    return found


def by_key(rows, key, path):
    """Rows under their key; none may stand there twice."""
    found = {}
    for row in rows:
        if not isinstance(row.get(key), str) or not row[key]:
            raise WrongFile(f"{path}: a line has no `{key}`")
        if row[key] in found:
            raise WrongFile(f"{path}: {row[key]} stands there twice")
        found[row[key]] = row
    return found


def selects(selector, card):
    """Whether all fields of the selector are the card's. The catalog has stray spaces."""
    return all((card.get(field) or "").strip() == value for field, value in selector.items())


def relevant_cards(query, catalog):
    """Names of the cards that do what the query asks. Every selector must find some."""
    names = set()
    for selector in query.get("relevant") or [{}]:
        if "task" not in selector or set(selector) - SELECTABLE:
            raise WrongFile(f"{query['id']}: {selector} is no selector - give a task, or a task and a subtask")
        found = {name for name, card in catalog.items() if selects(selector, card)}
        if not found:
            raise WrongFile(f"{query['id']}: {selector} matches no card of the catalog")
        names |= found
    return names


def score(results, relevant):
    """Reciprocal rank of the first relevant result, and the share of the relevant ones that are
    there; of more than ten relevant ones, ten are all that can be there."""
    hits = [rank for rank, name in enumerate(results[:DEPTH], 1) if name in relevant]
    return (1 / hits[0] if hits else 0.0), len(hits) / min(DEPTH, len(relevant))


def groups_of(query):
    """The groups that a query counts in: all, English or other languages, and its own."""
    language = query["lang"]
    return ["all", "en"] if language == ENGLISH else ["all", "other", language]


def check_results(answers, queries, catalog, path):
    unknown = sorted(set(answers) - set(queries))
    if unknown:
        raise WrongFile(f"{path}: no query is called {unknown[0]} - take the ids of {QUERIES.name}")
    for identity, answer in answers.items():
        results = answer.get("results")
        if not isinstance(results, list):
            raise WrongFile(f"{path}: {identity} has no list of `results`")
        for name in results:
            if not isinstance(name, str) or name not in catalog:
                raise WrongFile(f"{path}: {identity} found {name!r}, which is no card of the catalog")
        if len(set(results)) < len(results):
            raise WrongFile(f"{path}: {identity} found the same card twice")


def evaluate(answers, queries, catalog):
    """Scores of one search by group. `answers` are lists of card names by the query's id."""
    groups = {}
    for identity, query in queries.items():
        scores = score(answers.get(identity, []), relevant_cards(query, catalog))
        for group in groups_of(query):
            groups.setdefault(group, []).append((*scores, not answers.get(identity)))
    order = sorted(groups, key=lambda group: (group not in ("all", "en", "other"), group))
    return {group: summary(groups[group]) for group in order}


def summary(scores):
    """Means, and how far the mean of another draw of such queries may lie (95 %)."""
    count = len(scores)
    mrr = sum(rank for rank, _, _ in scores) / count
    spread = sum((rank - mrr) ** 2 for rank, _, _ in scores) / max(1, count - 1)
    return {
        "queries": count,
        "unanswered": sum(empty for _, _, empty in scores),
        "mrr": round(mrr, 4),
        "mrr_margin": round(1.96 * math.sqrt(spread / count), 4),
        "recall": round(sum(recall for _, recall, _ in scores) / count, 4),
    }


def table(searches):
    wide = max(map(len, ["search", *searches])) + 2
    measures = f"{f'MRR@{DEPTH}':>9}{'+-':>7}{f'recall@{DEPTH}':>11}{'empty':>7}"
    lines = [f"{'search':<{wide}}{'group':<7}{'queries':>8}{measures}"]
    for search, groups in searches.items():
        for group, found in groups.items():
            figures = f"{found['mrr']:>9.3f}{found['mrr_margin']:>7.3f}{found['recall']:>11.3f}{found['unanswered']:>7}"
            lines.append(f"{search:<{wide}}{group:<7}{found['queries']:>8}{figures}")
    return "\n".join(lines)


def read_results(path, queries, catalog):
    answers = by_key(read_lines(path), "query", path)
    check_results(answers, queries, catalog, path)
    return {identity: answer["results"] for identity, answer in answers.items()}


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("results", nargs="*", type=Path, help="what searches printed, a file each")
    parser.add_argument("--catalog", required=True, type=Path, help="the cards, one JSON object a line")
    parser.add_argument("--baselines", action="store_true", help="measure vector, keyword and both")
    parser.add_argument("--models", type=Path, help="the folder of embedder.py, for --baselines")
    parser.add_argument("--assets", type=Path, help="the folder of the finished models, for --baselines")
    parser.add_argument("--write", type=Path, help="folder for the results of --baselines, a file a search")
    given = parser.parse_args(words)
    if not given.results and not given.baselines:
        parser.error("nothing to measure - name files of results, or --baselines")
    if given.baselines and not (given.models and given.assets):
        parser.error("--baselines needs --models and --assets")
    return given


def main(words=None):
    given = arguments(words)
    catalog = by_key(read_lines(given.catalog), "name", given.catalog)
    queries = by_key(read_lines(QUERIES), "id", QUERIES)
    searches = {str(path): read_results(path, queries, catalog) for path in given.results}
    if given.baselines:
        import baselines

        embed = baselines.embedder(given.models, given.assets)
        searches |= baselines.searches(list(catalog.values()), list(queries.values()), embed)
        if given.write:
            baselines.write(given.write, searches)
    found = {search: evaluate(answers, queries, catalog) for search, answers in searches.items()}
    print(table(found), file=sys.stderr)
    print(json.dumps({"depth": DEPTH, "searches": found}, indent=1))


if __name__ == "__main__":
    try:
        main()
    except (WrongFile, OSError) as error:
        sys.exit(f"error: {error}")
