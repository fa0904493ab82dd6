"""How fast the kernels are, judged against others in the same run.

``python -m benchmarks.speed propagation|build|ranking``. Machines are noisy, so contenders take turns and ratios of
medians are reported, not seconds alone.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from kgxfer.graph.propagate import Adjacency, SortedWeights, propagate, symmetric_normalisation

NODES, EDGES, DIM, LAYERS = 60_000, 1_000_000, 64, 3
ROUNDS = 7


def interleaved(contenders: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds per contender over `rounds` turns, after one turn to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, work in contenders.items():
            clock = time.perf_counter()
            work()
            if turn:
                taken[name].append(time.perf_counter() - clock)
    return {name: statistics.median(values) for name, values in taken.items()}


def propagation() -> dict[str, float]:
    """Three layers of symmetric propagation, forward and backward: ours, PyG's LGConv, and the bare kernel forward."""
    from torch_geometric.nn import LGConv

    generator = torch.Generator().manual_seed(0)
    # Half of the edges and their reverse, with skewed degrees as interactions have them.
    heads = (torch.rand(EDGES // 2, generator=generator) ** 2 * NODES).long()
    tails = (torch.rand(EDGES // 2, generator=generator) ** 2 * NODES).long()
    rows, columns = torch.cat([heads, tails]), torch.cat([tails, heads])
    x = torch.randn(NODES, DIM, generator=generator, requires_grad=True)
    adjacency = Adjacency.build(rows, columns, NODES, NODES)
    weight = symmetric_normalisation(torch.ones(EDGES), adjacency)
    layout = SortedWeights.of(weight, adjacency)
    edge_index = torch.stack([columns, rows])
    convolution = LGConv(normalize=True)

    def layers(step: Callable[[Tensor], Tensor]) -> Tensor:
        value = x
        for _ in range(LAYERS):
            value = step(value)
        return value

    def both_ways(step: Callable[[Tensor], Tensor]) -> None:
        x.grad = None
        layers(step).sum().backward()  # type: ignore[no-untyped-call]

    def bare() -> None:
        sorted_rows = adjacency.forward_rows
        with torch.no_grad():
            layers(
                lambda value: embedding_bag(
                    sorted_rows.columns, value, sorted_rows.offsets, mode="sum", per_sample_weights=layout.forward,
                    include_last_offset=True,
                )
            )

    found = layers(lambda v: propagate(v, weight, adjacency, layout))
    difference = (found - layers(lambda v: convolution(v, edge_index))).abs()
    seconds = interleaved(
        {
            "kgxfer, forward and backward": lambda: both_ways(lambda v: propagate(v, weight, adjacency, layout)),
            "PyG LGConv on edge_index, forward and backward": lambda: both_ways(lambda v: convolution(v, edge_index)),
            "bare embedding_bag, forward": bare,
        }
    )
    ours, peer, bare_seconds = seconds.values()
    return {
        **seconds, "LGConv / kgxfer": peer / ours, "kgxfer / bare forward": ours / bare_seconds,
        "largest difference to LGConv": float(difference.max().detach()),
    }


def build() -> dict[str, float]:
    """A graph of 1M interactions and 1M facts, from tables to the tensors that encoders read."""
    import loaders
    from kgxfer import ColdStartUsers, build_graph, propose_links
    from kgxfer.graph import GraphTensors

    generator = np.random.default_rng(0)
    domains = []
    for name in ("source", "target"):
        pairs = pd.DataFrame(
            {"user_id": generator.integers(0, 60_000, 520_000), "item_id": generator.integers(0, 40_000, 520_000)}
        ).drop_duplicates()[:500_000]
        facts = pd.DataFrame(
            {
                "head_id": generator.integers(0, 40_000, 500_000), "head_type": "Product", "relation": "HAS_KEYWORD",
                "tail_id": generator.integers(0, 5_000, 500_000), "tail_type": "Keyword",
            }
        )
        items = pd.DataFrame({"item_id": np.arange(40_000)})
        domains.append(
            loaders.DomainTables.from_frames(name, pairs, item_type="Product", items=items, facts=facts)
        )
    dataset = loaders.pair("a million of each", *domains)
    split = ColdStartUsers(test_share=0.01, pseudo_cold_share=0.01).split(dataset)
    clock = time.perf_counter()
    links = propose_links(split, ["shared_id", "shared_entity"])
    graph = build_graph(split, links)
    built = time.perf_counter()
    GraphTensors.of(graph)
    return {"links and graph": built - clock, "tensors": time.perf_counter() - built, "edges": float(graph.edge_count)}


def ranking() -> dict[str, float]:
    """The best 20 of 50k items, seen ones left out, for 20k users: ours, implicit's, and the bare product."""
    from implicit.cpu.topk import topk
    from scipy import sparse

    from kgxfer.recommender import Catalogue, DomainVectors, Recommender
    from kgxfer.topk import rows_at_once

    users, items, n = 20_000, 50_000, 20
    generator = np.random.default_rng(0)
    of_users, of_items = (generator.standard_normal((size, DIM), dtype=np.float32) for size in (users, items))
    cells = (np.repeat(np.arange(users), 20), generator.integers(0, items, 20 * users))
    seen = sparse.csr_matrix((np.ones(20 * users, dtype=bool), cells), shape=(users, items))
    names = pd.DataFrame({"item_id": [f"i{item}" for item in range(items)], "name": None})
    user_ids = pd.Index([f"u{user}" for user in range(users)], name="user_id")
    vectors = DomainVectors(of_users, of_items, np.zeros(items, dtype=np.float32), 1.0)
    model = Recommender(Catalogue(("a", "b"), user_ids, (names, names), (seen, seen)), (vectors, vectors))
    block = rows_at_once(items)
    space = np.empty((block, items), dtype=np.float32)
    to_filter = seen.astype(np.float32)

    def bare() -> None:
        for start in range(0, users, block):
            part = of_users[start : start + block]
            np.matmul(part, of_items.T, out=space[: len(part)])

    threads = torch.get_num_threads()
    found = model.recommend(user_ids, n)
    columns, _ = topk(of_items, of_users, n, filter_query_items=to_filter, num_threads=threads)
    same = (found["item_id"].str[1:].astype(int).to_numpy().reshape(users, n) == columns).mean()
    seconds = interleaved(
        {
            "kgxfer, recommend": lambda: model.recommend(user_ids, n),
            "implicit, topk": lambda: topk(of_items, of_users, n, filter_query_items=to_filter, num_threads=threads),
            "bare product": bare,
        },
        rounds=3,
    )
    ours, peer, product = seconds.values()
    ratios = {"kgxfer / bare product": ours / product, "implicit / kgxfer": peer / ours}
    return {**seconds, **ratios, "share of equal places": float(same)}


BENCHMARKS = {"propagation": propagation, "build": build, "ranking": ranking}


def main() -> None:
    """Run the named benchmarks (all without a name), print them, and write them to benchmarks/results/speed.json."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise SystemExit(f'no benchmark "{unknown[0]}"; choose from {", ".join(BENCHMARKS)}')
    results = {}
    for name in names:
        results[name] = BENCHMARKS[name]()
        for label, value in results[name].items():
            print(f"{name}: {label}: {value:.4g}")
    target = Path(__file__).parent / "results" / "speed.json"
    target.parent.mkdir(exist_ok=True)
    known = json.loads(target.read_text()) if target.is_file() else {}
    environment = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    new = {name: {**values, **environment} for name, values in results.items()}
    target.write_text(json.dumps(known | new, indent=1) + "\n")


if __name__ == "__main__":
    main()
