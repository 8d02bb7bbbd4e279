"""`inisched prune`: what need not be kept is deleted now, by the daemon or in its place."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from inisched.cli.asking import GLANCE, asked
from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import json_option, path_option
from inisched.cli.place import find_file
from inisched.cli.table import print_json
from inisched.config.drawing import draw
from inisched.config.loader import Config, load
from inisched.engine.lock import AlreadyRunning, InstanceLock
from inisched.engine.pruning import in_words
from inisched.model.retention import Retention
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.pieces import Steps
from inisched.stores.pruning import Pruning
from inisched.stores.soundness import Unusable

HELD, FREE = 0.3, 0.2
"""Seconds of work for which the lock is held, and for which it is left to others between."""

Gone = tuple[int, int]
"""How many rows, and the output of how many runs."""


@click.command("prune")
@path_option
@json_option
def prune_command(path: str | None, as_json: bool) -> int:
    """Delete now what `history_keep`, `history_keep_runs` and `output_keep` do not keep.

    The daemon does so by itself, every hour. Where the file has an error in [inisched] nothing
    is deleted, and the exit code is 1.

    \b
    Example: inisched prune -P /srv/app/scheduler.ini
    """
    config = load(find_file(path), strict_references=False)
    keep = config.settings.retention
    if config.fatal or config.settings_broken or keep is None:
        click.echo(draw(config.diagnostics), err=True, nl=False)
        return Exit.PROBLEM
    rows, outputs = _prune(config, keep)
    if as_json:
        print_json({"rows": rows, "outputs": outputs})
    else:
        click.echo(in_words(rows, outputs))
    return Exit.FINE


def _prune(config: Config, keep: Retention) -> Gone:
    try:
        return _by_the_daemon(config)
    except Trouble as trouble:
        if trouble.code is not Exit.UNREACHABLE:
            raise
        unreachable = trouble
    if not config.database.exists():
        return 0, 0
    stand_in = StandIn(config, keep)
    try:
        stand_in.work()
        return stand_in.gone
    except AlreadyRunning:
        if stand_in.gone == (0, 0):
            raise unreachable from None
    except (Unusable, LedgerDown, OSError) as error:
        raise Trouble(f"nothing more is pruned: {error}") from None
    finally:
        stand_in.close()
    more = _by_the_daemon(config)
    return stand_in.gone[0] + more[0], stand_in.gone[1] + more[1]


def _by_the_daemon(config: Config) -> Gone:
    """Have the daemon do it, in the pauses between fires, and wait for that."""
    asked(config, {"ask": "prune"})
    while not (told := asked(config, {"ask": "pruning"}))["done"]:
        time.sleep(GLANCE)
    return told["rows"], told["outputs"]


class StandIn:
    """Does it where no daemon is up. The lock is held for moments, the ledger stays open."""

    def __init__(self, config: Config, keep: Retention) -> None:
        self._config = config
        self._keep = keep
        self._ledger: Ledger | None = None
        self._pass: Pruning | None = None
        self._steps: Steps | None = None

    @property
    def gone(self) -> Gone:
        return (self._pass.rows, self._pass.outputs) if self._pass else (0, 0)

    def work(self) -> None:
        """Raises AlreadyRunning where a daemon has come up, Unusable, LedgerDown and OSError."""
        while not self._for_a_moment():
            self.rest()

    def rest(self) -> None:
        """Let others have the lock."""
        time.sleep(FREE)

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _for_a_moment(self) -> bool:
        """Whether everything is done."""
        lock = InstanceLock(self._config.database)
        lock.acquire("command")
        try:
            steps = self._steps or self._begin()
            deadline = time.monotonic() + HELD
            for _ in steps:
                if time.monotonic() >= deadline:
                    return False
            self.close()
            return True
        finally:
            lock.release()

    def _begin(self) -> Steps:
        settings = self._config.settings
        self._ledger = Ledger(self._config.database, full=settings.durability == "full")
        now = datetime.now(UTC)
        self._pass = self._ledger.pruning(self._keep, now, stopwatch=time.monotonic)
        self._steps = self._pass.steps()
        return self._steps
