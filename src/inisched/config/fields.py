"""The keys of a section with their values: references replaced, aliases resolved, sorted."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.document import DEFAULT, Entry, Section
from inisched.config.ini import KEEP_ONE
from inisched.config.keys import ACTIONS, JOB, RHYTHMS, WHEN_GIVEN, Key, Table
from inisched.config.masking import MASK, is_secret, without_password
from inisched.config.references import Expanded, References, Unset, refers
from inisched.config.report import Report
from inisched.model.diagnostic import Level, Unreadable


class Field(Struct, frozen=True, gc=False):
    """A key of inisched or, with `key` None, an argument of the callback.

    `text` is the value to be read; None where a reference has nothing behind it. With `wrong` an
    error about it was reported, and whoever uses it is broken.
    """

    name: str
    key: Key | None
    entry: Entry
    text: str | None
    secrets: tuple[str, ...] = ()
    from_default: bool = False
    wrong: bool = False

    @property
    def shown(self) -> str:
        """The value as every view shows it: references as they stand, secrets masked."""
        return MASK if is_secret(self.name) else without_password(self.entry.value)

    @property
    def opaque(self) -> bool:
        """Whether the text to be read must not be quoted."""
        return self.text != self.entry.value or is_secret(self.name)


class Fields(Struct):
    """What a section says: keys of inisched by name, arguments by the parameter's name."""

    known: dict[str, Field] = field(default_factory=dict)
    arguments: dict[str, Field] = field(default_factory=dict)

    def under(self, default: Fields) -> Fields:
        """These fields with those of [DEFAULT] where they leave room for them."""
        if not default.known and not default.arguments:
            return self
        silenced = set(self.known)
        if not silenced.isdisjoint(ACTIONS):
            silenced.update(ACTIONS)
        if not silenced.isdisjoint(RHYTHMS):
            silenced.update(WHEN_GIVEN)
        inherited = {n: f for n, f in default.known.items() if n not in silenced}
        return Fields({**inherited, **self.known}, {**default.arguments, **self.arguments})


class Gatherer(Struct):
    """Makes fields of entries. With `strict` a reference with nothing behind it is an error."""

    report: Report
    references: References
    strict: bool

    def gather(self, section: Section, table: Table) -> Fields:
        fields = Fields()
        known, from_default = fields.known, section.name == DEFAULT
        for entry in section.entries.values():
            word, value = entry.key, entry.value
            key = table.find(word)
            if key is not None and not key.pattern and key.name not in known and "$" not in value:
                known[key.name] = Field(key.name, key, entry, value, (), from_default)
                continue
            name = _name(word, key)
            home = known if key and key.pattern != "arg." else fields.arguments
            if name in home:
                self._refuse_second_spelling(section, entry, home[name].entry)
                continue
            found = self._field(section, entry, name, key if home is known else None)
            if key and key.pattern and self._refuse_name(section, entry, key):
                found = replace(found, wrong=True)
            home[name] = found
        if section.name == DEFAULT and section.spoilt:
            _mark_spoilt(fields, section.spoilt)
        return fields

    def _field(self, section: Section, entry: Entry, name: str, key: Key | None) -> Field:
        from_default = section.name == DEFAULT
        if "${" not in entry.value or not refers(entry.value):
            return Field(name, key, entry, entry.value, (), from_default)
        expanded, wrong = self._expanded(section, entry, key)
        text, secrets = expanded or (None, ())
        return Field(name, key, entry, text, secrets, from_default, wrong)

    def _expanded(
        self, section: Section, entry: Entry, key: Key | None
    ) -> tuple[Expanded | None, bool]:
        """The value with its references replaced, and whether an error was reported."""
        try:
            if key is not None and key.verbatim:
                raise _reference_in_command(entry)
            return self.references.expand(entry.value), False
        except Unreadable as error:
            unset = isinstance(error, Unset)
            lenient = unset and not self.strict
            line, column = entry.spot(error.start)
            self.report.at(
                line,
                column,
                error.length or len(entry.value) - error.start,
                "unset-reference" if unset else "bad-reference",
                error.problem,
                level=Level.NOTE if lenient else Level.ERROR,
                job=section.name,
                key=entry.key,
                expected=error.expected,
                hint=error.hint,
            )
            if not lenient:
                section.spoilt |= {entry.key}
            return None, not lenient

    def _refuse_name(self, section: Section, entry: Entry, key: Key) -> bool:
        """Report a NAME that no argument, or no variable, can have; whether that was so."""
        rest = entry.key[len(key.pattern) :]
        name = rest.strip()
        what, expected, fits = _NAMES[key.pattern]
        if fits(name):
            return False
        section.spoilt |= {entry.key}
        if name:
            start, code, message = len(entry.key) - len(name), "bad-name", f"'{name}' is not {what}"
        else:
            start, code, message = 0, "missing-name", f"the name is missing after '{key.pattern}'"
        self.report.at(
            entry.line, entry.column + start, len(entry.key) - start, code, message,
            job=section.name, key=entry.key, expected=expected,
        )  # fmt: skip
        return True

    def _refuse_second_spelling(self, section: Section, entry: Entry, first: Entry) -> None:
        section.spoilt |= {entry.key}
        self.report.at_key(
            entry,
            "duplicate-key",
            f"'{entry.key}' and '{first.key}' of line {first.line} are the same key",
            job=section.name,
            hint=KEEP_ONE,
        )


def _names_a_variable(name: str) -> bool:
    return bool(name) and not any(c in "= " or not c.isprintable() for c in name)


_NAMES: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "arg.": ("the name of an argument", "a Python name, as in arg.timeout", str.isidentifier),
    "env.": ("a name of a variable", "a name without spaces, as in env.HOME", _names_a_variable),
}
"""By pattern: what its NAME is, what is expected of it, and whether a word is one."""


def _name(word: str, key: Key | None) -> str:
    """What the word of a file is filed under: the key's own name, "env.HOME", a parameter."""
    if key is None:
        return word
    if not key.pattern:
        return key.name
    rest = word[len(key.pattern) :].strip()
    return rest if key.pattern == "arg." else key.pattern + rest


def _mark_spoilt(fields: Fields, spoilt: frozenset[str]) -> None:
    names = {_name(word, JOB.find(word)) for word in spoilt}
    for home in (fields.known, fields.arguments):
        for name in names.intersection(home):
            home[name] = replace(home[name], wrong=True)


def _reference_in_command(entry: Entry) -> Unreadable:
    match = refers(entry.value)
    assert match is not None
    end = entry.value.find("}", match.end()) + 1
    hint = "the shell has $NAME" if match[1] == "env" else "the shell has $(cat PATH)"
    if entry.key.lower() == "manage":
        hint = "no shell reads it: let the command look into its environment or the file"
    return Unreadable(
        f"references are not replaced in '{entry.key}'",
        start=match.start(),
        length=(end or match.end()) - match.start(),
        hint=hint,
    )
