"""The command line.

What is heavy is imported by the command that needs it, so that asking for help costs no waiting. A mistake of the user
is one line on the error stream and exit status 2; an interruption is exit status 130. A new command is a function in a
module of its own here, and a line below.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from graph_schema.errors import InputError
from kgxfer.cli import (
    audit,
    bridge,
    check,
    data,
    graph,
    graph_explain,
    graph_export,
    graph_pull,
    graph_query,
    graph_validate,
    init,
    recommend,
    run,
)

INTERRUPTED = 130

app = typer.Typer(
    help="Cross-domain recommendation through one bridged knowledge graph, evaluated honestly.", no_args_is_help=True,
    pretty_exceptions_enable=False, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (run.demo, run.run, audit.audit, recommend.recommend):
    app.command()(command)

data_app = typer.Typer(help="The data sets that can be loaded by name.", no_args_is_help=True)
data_app.command("list")(data.list_data)
data_app.command("fetch")(data.fetch_data)
data_app.command("init")(init.init)
data_app.command("check")(check.check)
app.add_typer(data_app, name="data")

bridge_app = typer.Typer(help="What joins the domains, and whether to believe it.", no_args_is_help=True)
bridge_app.command("audit")(bridge.audit_bridges)
app.add_typer(bridge_app, name="bridge")

graph_app = typer.Typer(help="The knowledge graph in Neo4j, Ladybug, RDF or networkx.", no_args_is_help=True)
graph_app.command("load")(graph.load)
graph_app.command("stats")(graph.stats)
graph_app.command("query")(graph_query.query)
graph_app.command("explain")(graph_explain.explain)
graph_app.command("communities")(graph.communities)
graph_app.command("validate")(graph_validate.validate)
graph_app.command("export")(graph_export.export)
graph_app.command("pull")(graph_pull.pull)
graph_app.command("undo")(graph.undo)
graph_app.command("clear")(graph.clear)
app.add_typer(graph_app, name="graph")


def main() -> NoReturn:
    """Run the command line and exit: 0 well, 2 a mistake in what was given, 130 interrupted."""
    try:
        app(prog_name="kgxfer")
    except InputError as error:
        print(f"kgxfer: error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as error:
        # Lightning turns an interruption into an exit of its own; the status should not depend on when it came.
        if _interrupted(error):
            _stop()
        raise
    except KeyboardInterrupt:
        _stop()
    sys.exit(0)


def _stop() -> NoReturn:
    print("kgxfer: interrupted; a run continues with --resume, a graph load when it is called again", file=sys.stderr)
    sys.exit(INTERRUPTED)


def _interrupted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
