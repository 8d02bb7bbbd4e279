"""What a callback's end means: what it returned or raised, and what became of its process."""

from __future__ import annotations

import signal
from collections.abc import Container
from types import AsyncGeneratorType, GeneratorType

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from inisched.config.target import describe
from inisched.executors.kept import Kept, cut_message
from inisched.model.result import STATUS, Result, Skip
from inisched.model.run import Outcome, Reason, State

LIMIT = 1024 * 1024
"""Bytes a result may have on its way to the daemon."""

LONGEST_MESSAGE = 4096

YES, NO = "yes", "no"
"""What a gate's answer travels as."""

_STATES = {
    STATUS.SUCCESS: State.SUCCESS,
    STATUS.WARNING: State.WARNING,
    STATUS.FAILURE: State.FAILURE,
    STATUS.SKIPPED: State.SKIPPED,
}


class Verdict(Struct, frozen=True):
    """How a callback ended, in its own words.

    With `status` None the exit code decides. Its process ends with `exit_code`, so that nothing
    but the words is lost where the verdict does not arrive. `total` is how many bytes the output
    had before it was cut on its way, 0 where that is not known.
    """

    status: STATUS | None
    message: str = ""
    output: str = ""
    exit_code: int = 0
    total: int = 0

    def encode(self) -> bytes:
        """As JSON of at most LIMIT bytes: a long output loses its middle."""
        packed = self
        if self.output:
            total = len(_bytes(self.output))
            packed = replace(self, output=_cut(self.output, LIMIT), total=total)
        while len(data := msgspec.json.encode(packed)) > LIMIT:
            length = len(packed.output) * LIMIT // len(data) - 100
            packed = replace(packed, output=_cut(self.output, length))
        return data

    @classmethod
    def decode(cls, data: bytes) -> Verdict | None:
        """None for what was cut off on its way, or never sent."""
        try:
            packed = msgspec.json.decode(data)
            status = None if packed["status"] is None else STATUS(packed["status"])
            message, output, code = packed["message"], packed["output"], packed["exit_code"]
            return cls(status, message, output, code, packed.get("total", 0))
        except (ValueError, TypeError, KeyError):
            return None


def returned(value: object) -> Verdict:
    """What a returned value says: a Result, None, a bool, text, or anything else by its repr."""
    if value is None or value is True:
        return Verdict(STATUS.SUCCESS)
    if isinstance(value, GeneratorType | AsyncGeneratorType):
        return failed("returned a generator: nothing of it was run")
    if isinstance(value, STATUS):
        return _of_status(value, "", "")
    if isinstance(value, Result):
        return _of_result(value)
    if value is False:
        return failed("returned False")
    text = _text(value) if isinstance(value, str) else _repr(value)
    return Verdict(STATUS.SUCCESS, output=text)


def answered(value: object) -> Verdict:
    """What the value of a gate says: yes or no by its truth; None says neither.

    Raises whatever the value raises when asked for its truth.
    """
    if isinstance(value, GeneratorType | AsyncGeneratorType):
        return failed("returned a generator: nothing of it was run")
    if value is None:
        return failed("returned None")
    return Verdict(STATUS.SUCCESS, output=YES if value else NO)


def unanswered(error: BaseException) -> Verdict:
    """What a gate says by raising something, whatever that is: nothing, and why."""
    if isinstance(error, SystemExit):
        return failed(f"exit code {exit_code(error)}")
    return failed(describe(error))


def raised(error: BaseException) -> Verdict:
    """What an exception says; its traceback is for whoever caught it."""
    if isinstance(error, Skip):
        return _of_status(STATUS.SKIPPED, _text(error), "")
    if isinstance(error, SystemExit):
        code = exit_code(error)
        return Verdict(None, f"exit code {code}" if code else "", exit_code=code)
    return failed(describe(error))


def failed(message: str) -> Verdict:
    return _of_status(STATUS.FAILURE, message, "")


def exit_code(error: SystemExit) -> int:
    """The code a process ends with after sys.exit(): text and the like count as 1."""
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def outcome(
    result: bytes | None,
    returncode: int,
    *,
    success_codes: Container[int] = (0,),
    stdout: bytes = b"",
    stderr: bytes = b"",
    stdout_total: int = 0,
    stderr_total: int = 0,
    output_limit: int | None = None,
    who: str = "callback",
) -> Outcome:
    """Join what a callback handed over with how its process ended (negative: the signal).

    A result counts when the process ended as the result had announced. Without one the callback
    never came to its end, and that is a failure whatever the code. `output_limit` are the bytes
    that are kept of its output; None keeps all.
    """
    verdict = Verdict.decode(result) if result else None
    if verdict is None:
        ending = Outcome(
            state=State.FAILURE, exit_code=returncode, message=_ending(returncode, "before", who)
        )
    elif verdict.exit_code == returncode:
        ending = settled(verdict, success_codes=success_codes)
    else:
        message = verdict.message if verdict.exit_code else ""
        ending = Outcome(
            state=State.FAILURE,
            exit_code=returncode,
            message=message or _ending(returncode, "after", who),
            output=verdict.output,
        )
    if verdict is not None and output_limit is not None:
        ending = within(ending, output_limit, total=verdict.total)
    return replace(
        ending,
        stdout=stdout,
        stderr=stderr,
        stdout_total=max(stdout_total, len(stdout)),
        stderr_total=max(stderr_total, len(stderr)),
    )


def settled(
    verdict: Verdict,
    *,
    success_codes: Container[int] = (0,),
    stdout: bytes = b"",
    stderr: bytes = b"",
) -> Outcome:
    """A verdict as the ledger keeps it, with all that was printed."""
    if verdict.status is not None:
        state = _STATES[verdict.status]
    else:
        state = State.SUCCESS if verdict.exit_code in success_codes else State.FAILURE
    return Outcome(
        state=state,
        exit_code=verdict.exit_code,
        message=verdict.message,
        output=verdict.output,
        reason=Reason.SKIP if state is State.SKIPPED else None,
        stdout=stdout,
        stderr=stderr,
        stdout_total=len(stdout),
        stderr_total=len(stderr),
    )


def within(ended: Outcome, output_limit: int, *, total: int = 0) -> Outcome:
    """The outcome with at most `output_limit` bytes of its output, head and tail.

    Where it gave no message, the cut is its message. `total` is how many bytes the output had at
    first, where it was cut on its way already.
    """
    data = _bytes(ended.output)
    kept = Kept(min(output_limit, max(LIMIT, len(data))))
    kept.add(data)
    kept.total = max(kept.total, total)
    if not kept.cut:
        return ended
    cut_already = len(data) <= kept.limit
    output = ended.output if cut_already else kept.data().decode(errors="ignore")
    return replace(ended, message=ended.message or cut_message(kept), output=output)


def _ending(returncode: int, when: str, who: str) -> str:
    if returncode < 0:
        return f"killed by {signal_name(-returncode)}"
    return f"the process ended with exit code {returncode} {when} the {who} had returned"


def signal_name(number: int) -> str:
    """ "SIGSEGV" for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _of_result(result: Result) -> Verdict:
    try:
        status = STATUS(result.status)
    except ValueError:
        allowed = ", ".join(f"STATUS.{s.name}" for s in STATUS)
        return failed(f"returned a Result whose status is {_repr(result.status)}, not {allowed}")
    return _of_status(status, _text(result.message), _text(result.output))


def _of_status(status: STATUS, message: str, output: str) -> Verdict:
    code = 1 if status is STATUS.FAILURE else 0
    return Verdict(status, _cut(_clean(message), LONGEST_MESSAGE), output, code)


def _text(value: object) -> str:
    if value is None:
        return ""
    try:
        return _clean(str(value))
    except Exception:
        return _unprintable(value)


def _repr(value: object) -> str:
    try:
        return _clean(repr(value))
    except Exception:
        return _unprintable(value)


def _unprintable(value: object) -> str:
    return f"<unprintable {type(value).__qualname__}>"


def _clean(text: str) -> str:
    """Without lone surrogates, which no database and no screen takes."""
    return _bytes(text).decode("utf-8")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _cut(text: str, length: int) -> str:
    """Head and tail of a text, with the cut marked between them."""
    if len(text) <= length:
        return text
    half = max(length // 2, 0)
    marker = f"\n… {len(text) - 2 * half} characters cut …\n"
    return text[:half] + marker + text[len(text) - half :]
