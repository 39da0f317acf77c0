"""The rivals of `cargo xtask bench search`: sqlite-vec and FAISS, on one thread.

    python xtask/search/rivals.py VECTORS LISTINGS [SQLITE_VEC_WITH_AVX]

VECTORS is what vectors.py wrote; the first 500 are asked for, of which the rivals get some, and the
next LISTINGS are put in. Prints a JSON list of `{"name", "version", "p50_ms", "recall", "memory_mb"}`:
median time of a query, the share of the exact ten nearest that is found, size of the index.
"""

import json
import sys
import time

import apsw
import faiss
import numpy as np
import sqlite_vec

DIMENSIONS = 384
RESERVED = 500
# Enough for a median; the slowest takes 40 ms for one.
QUERIES = 100
WANTED = 10


def timed(queries, search):
    """Results of all queries, and the median of their times in milliseconds."""
    results, times = [], []
    for query in queries:
        start = time.perf_counter()
        results.append(search(query))
        times.append((time.perf_counter() - start) * 1e3)
    return results, float(np.median(times))


def faiss_row(name, index, vectors, queries):
    index.train(vectors)
    index.add(vectors)
    results, p50 = timed(queries, lambda query: index.search(query[None], WANTED)[1][0].tolist())
    return name, faiss.__version__, results, p50, index.ntotal * index.sa_code_size() / 1e6


def sqlite_row(name, path, vectors, queries):
    base = apsw.Connection(":memory:")
    base.enable_load_extension(True)
    base.load_extension(path, "sqlite3_vec_init")
    # Vectors of length 1: the order by distance is that by cosine.
    base.execute(f"CREATE VIRTUAL TABLE listing USING vec0 (vector float[{DIMENSIONS}])")
    with base:
        rows = ((handle, vector.tobytes()) for handle, vector in enumerate(vectors))
        base.executemany("INSERT INTO listing (rowid, vector) VALUES (?, ?)", rows)

    def search(query):
        found = base.execute(f"SELECT rowid FROM listing WHERE vector MATCH ? AND k = {WANTED}", (query.tobytes(),))
        return [handle for (handle,) in found]

    results, p50 = timed(queries, search)
    pages = base.pragma("page_count") * base.pragma("page_size")
    version = next(base.execute("SELECT vec_version()"))[0].lstrip("v")
    base.close()
    return name, version, results, p50, pages / 1e6


def main():
    faiss.omp_set_num_threads(1)
    everything = np.fromfile(sys.argv[1], "<f4").reshape(-1, DIMENSIONS)
    queries = everything[:QUERIES]
    vectors = everything[RESERVED : RESERVED + int(sys.argv[2])]
    if len(vectors) < int(sys.argv[2]):
        raise SystemExit(f"{sys.argv[1]} holds {len(vectors)} listings only")
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :WANTED]

    inner = faiss.METRIC_INNER_PRODUCT
    rows = [
        faiss_row("FAISS Flat", faiss.IndexFlatIP(DIMENSIONS), vectors, queries),
        faiss_row(
            "FAISS SQ8",
            faiss.IndexScalarQuantizer(DIMENSIONS, faiss.ScalarQuantizer.QT_8bit, inner),
            vectors,
            queries,
        ),
        sqlite_row("sqlite-vec as shipped", sqlite_vec.loadable_path(), vectors, queries),
    ]
    if len(sys.argv) > 3:
        rows.append(sqlite_row("sqlite-vec with AVX", sys.argv[3], vectors, queries))
    documents = []
    for name, version, results, p50, memory in rows:
        hits = sum(len(set(found) & set(true)) for found, true in zip(results, exact.tolist()))
        recall = hits / exact.size
        documents.append({"name": name, "version": version, "p50_ms": p50, "recall": recall, "memory_mb": memory})
    print(json.dumps(documents))


if __name__ == "__main__":
    main()
