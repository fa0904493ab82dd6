"""The graph in the forms that other libraries take."""

from __future__ import annotations

import networkx
import numpy as np
import pandas as pd
import torch
from torch_geometric.data import HeteroData

from kgxfer.graph.knowledge_graph import EdgeTable, KnowledgeGraph


def to_hetero_data(graph: KnowledgeGraph) -> HeteroData:
    """Return a torch-geometric `HeteroData`.

    Every node type has `num_nodes` and `domain` (bool [2, nodes]); every edge type has `edge_index` (int64 [2, edges])
    and `domain` (int8 [edges]), the interactions also `rating` (float32 [edges]) where the data have ratings, and links
    `confidence` (float32 [edges]; NaN for facts of the same edge type).
    """
    data = HeteroData()
    for kind, vocabulary in graph.nodes.items():
        data[kind].num_nodes = vocabulary.size
        data[kind].domain = torch.from_numpy(vocabulary.membership)
    for edge_type, edges in graph.edges.items():
        store = data[tuple(edge_type)]
        store.edge_index = torch.stack([torch.from_numpy(edges.head.copy()), torch.from_numpy(edges.tail.copy())])
        store.domain = torch.from_numpy(edges.domain.copy())
        for name in ("rating", "confidence"):
            if name in edges.properties:
                store[name] = torch.tensor(edges.properties[name].to_numpy(), dtype=torch.float32)
    return data


def node_labels(graph: KnowledgeGraph, kind: str) -> pd.Series:
    """A readable, unique label per row: ``Type:domain/id``; collapsed nodes carry their source domain's key."""
    keys = graph.nodes[kind].first_keys
    domains = keys["domain"].map(dict(enumerate(graph.domain_names))).astype("str")
    return kind + ":" + domains + "/" + keys["id"]


def triples(graph: KnowledgeGraph) -> pd.DataFrame:
    """Return all edges as a table head, relation, tail of node labels."""
    labels = {kind: node_labels(graph, kind).to_numpy() for kind in graph.nodes}
    tables = [
        pd.DataFrame({"head": labels[kind.head][edges.head], "tail": labels[kind.tail][edges.tail]}).assign(
            relation=kind.relation
        )
        for kind, edges in graph.edges.items()
    ]
    return pd.concat(tables, ignore_index=True)[["head", "relation", "tail"]].astype("str")


def to_networkx(graph: KnowledgeGraph) -> networkx.MultiDiGraph:
    """Return a directed multigraph: nodes are labels with `type` and `name`, edges carry their relation as key.

    Links also carry their `confidence`.
    """
    result = networkx.MultiDiGraph(source=graph.domain_names[0], target=graph.domain_names[1])
    for kind, vocabulary in graph.nodes.items():
        names = vocabulary.first_keys["name"].astype(object).where(vocabulary.first_keys["name"].notna(), None)
        result.add_nodes_from(
            (label, {"type": kind, "name": name}) for label, name in zip(node_labels(graph, kind), names, strict=True)
        )
    table = triples(graph)
    confidence = pd.concat([_confidence(edges) for edges in graph.edges.values()])
    said = confidence.map(lambda value: {"confidence": value}).where(confidence.notna(), {})
    result.add_edges_from(zip(table["head"], table["tail"], table["relation"], said, strict=True))
    return result


def _confidence(edges: EdgeTable) -> pd.Series:
    """Of links; missing for other edges."""
    return edges.properties.get("confidence", pd.Series(np.nan, index=range(len(edges)))).astype(float)
