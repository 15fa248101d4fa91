"""Facts that were seen: learnt from a refusal, or confirmed by `dragoman doctor --live`.

They are kept in a small file of the user's, which has names of models and facts, and nothing of a
conversation. A file that can't be read or written is ignored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from gateway_claude_code.facts.documented import FACT_NAMES
from gateway_claude_code.facts.fact_values import from_json, to_json
from gateway_claude_code.state_file import StateFile, state_path

How: TypeAlias = Literal["learnt", "confirmed"]

FORGET_DAYS: Final = 30
"""The age at which a lesson expires: models change, and a wrong lesson must not last for ever."""
FILE_NAME: Final = "model-facts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFact:
    """One fact of one model. `said` has the API's words, `date` is a day in ISO 8601."""

    value: Any
    how: How
    said: str
    date: str


class SeenFacts:
    """Facts by the model's full name; the latest counts."""

    def __init__(
        self,
        file: Path | None,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._file = StateFile(file)
        self._today = today
        self._models: dict[str, dict[str, SeenFact]] = _read(self._file.read())

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> "SeenFacts":
        """Those in the user's own state folder."""
        return cls(state_path(environ, FILE_NAME))

    def about(self, model: str) -> dict[str, SeenFact]:
        """The facts about one model that are recent enough to count."""
        return {
            fact: seen for fact, seen in self._models.get(model, {}).items() if self._recent(seen)
        }

    def note(self, model: str, fact: str, value: object, *, how: How, said: str = "") -> None:
        """Remember a fact from now on, in place of its earlier value."""
        seen = SeenFact(value=value, how=how, said=said, date=self._today().isoformat())
        for name, facts in _read(self._file.read()).items():  # another process may have written
            self._models[name] = {**self._models.get(name, {}), **facts}
        self._models.setdefault(model, {})[fact] = seen
        self._file.write({"models": _written(self._models)})

    def _recent(self, seen: SeenFact) -> bool:
        try:
            age = self._today() - date.fromisoformat(seen.date)
        except ValueError:
            return False
        return age.days <= FORGET_DAYS


def _written(models: Mapping[str, Mapping[str, SeenFact]]) -> dict[str, Any]:
    return {
        model: {
            fact: {
                "value": to_json(seen.value),
                "how": seen.how,
                "said": seen.said,
                "date": seen.date,
            }
            for fact, seen in facts.items()
        }
        for model, facts in models.items()
    }


def _read(content: Mapping[str, Any]) -> dict[str, dict[str, SeenFact]]:
    models = content.get("models")
    if not isinstance(models, Mapping):
        return {}
    return {
        str(model): {fact: seen for fact, entry in facts.items() if (seen := _fact(fact, entry))}
        for model, facts in models.items()
        if isinstance(facts, Mapping)
    }


def _fact(fact: str, entry: object) -> SeenFact | None:
    match entry:
        case {
            "value": value,
            "how": "learnt" | "confirmed" as how,
            "said": str(said),
            "date": str(day),
        } if fact in FACT_NAMES:
            try:
                return SeenFact(value=from_json(fact, value), how=how, said=said, date=day)
            except ValueError:
                return None
    return None
