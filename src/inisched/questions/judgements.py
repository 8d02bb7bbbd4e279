"""What the ledger remembers of a file's callbacks, for those who do not import."""

from __future__ import annotations

from inisched.config.judged import Judged, recall, requests, with_judgements
from inisched.config.loader import Config
from inisched.stores.history import History


def as_remembered(config: Config, history: History) -> tuple[Judged, list[str]]:
    """The file with the judgements that still hold, and the jobs nobody has judged.

    An unjudged callback counts as good.
    """
    known = history.jobs()
    asked = requests(config)
    found, unjudged = {}, []
    for request in asked:
        state = known.get(request.job)
        judgement = recall(request, state.judged if state else None, config)
        if judgement is None:
            unjudged.append(request.job)
        else:
            found[request.job] = judgement
    return with_judgements(config, asked, found), unjudged
