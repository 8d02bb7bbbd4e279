"""`inisched graph`: which jobs follow which, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import click

from inisched.cli.exits import Exit
from inisched.cli.files import json_option, open_history, path_option, read_file
from inisched.cli.table import print_json
from inisched.config.drawing import escaped
from inisched.model.job import Ending, Job
from inisched.questions.graph import Node, graph
from inisched.questions.judgements import as_remembered


@click.command("graph")
@path_option
@json_option
def graph_command(path: str | None, as_json: bool) -> int:
    """Which jobs follow which: after, after_future and then, in the order of the file.

    \b
    Example: inisched graph -P scheduler.ini
    """
    config = read_file(path)
    judged, _ = as_remembered(config, open_history(config.database))
    nodes = graph(config, judged.config)
    if as_json:
        print_json([_as_json(node) for node in nodes])
        return Exit.FINE
    for line in _drawn(nodes):
        click.echo(escaped(line))
    alone = len(config.sections) - len(nodes)
    if not nodes:
        click.echo("No job follows another.")
    elif alone:
        click.echo(f"{alone} more {'job stands' if alone == 1 else 'jobs stand'} alone")
    return Exit.FINE


def _drawn(nodes: Iterable[Node]) -> Iterator[str]:
    marks = {node.name: _mark(node) for node in nodes}
    for node in nodes:
        yield node.name + marks[node.name]
        gates = node.gates
        yield from _edges("after", gates.after_on, gates.after, marks)
        yield from _edges("after_future", gates.after_on, gates.future, marks)
        if node.job is not None:
            yield from _edges("then", node.job.then_on, node.then, marks)


def _mark(node: Node) -> str:
    if node.broken:
        return " (broken)"
    return "" if node.active else " (inactive)"


def _edges(
    key: str, ending: Ending, names: Iterable[str], marks: Mapping[str, str]
) -> Iterator[str]:
    """The jobs of one key; how a run must have ended is told where that is not success."""
    how = "" if ending is Ending.SUCCESS else f" ({ending.value})"
    if names:
        yield f"    {key}{how}: {', '.join(name + marks.get(name, '') for name in names)}"


def _as_json(node: Node) -> dict[str, object]:
    gates, job = node.gates, node.job
    return {
        "job": node.name,
        "after": list(gates.after),
        "after_on": gates.after_on.value,
        "after_future": list(gates.future),
        "then": list(node.then),
        "then_on": _then_on(job).value,
        "active": node.active,
        "broken": node.broken,
    }


def _then_on(job: Job | None) -> Ending:
    return job.then_on if job is not None else Ending.SUCCESS
