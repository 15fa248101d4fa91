"""One entry of `models:` in the YAML, and what it may say."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gateway.types import Effort
from gateway.yaml_file.trust import NeedsTrust

EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""From the least to the most."""

SAMPLING_KEYS = ("temperature", "top_p", "top_k")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelDefaults(_Strict):
    """What holds where a request says nothing."""

    max_output_tokens: int | None = Field(default=None, ge=1)
    effort: Effort | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=1)


class ModelLimits(_Strict):
    """The most that a request gets; what is above is lowered."""

    max_output_tokens: int | None = Field(default=None, ge=1)
    effort: Effort | None = None


class ModelEntry(_Strict):
    """One entry of `models:` in the YAML.

    `target` is the backend's own name for the model; without it, the name that was asked for
    goes through as it is. `sampling` says whether the model takes temperature and top_p: with
    `false` they are not passed on, and reported as ignored; with `auto` they are left out, and
    reported, once the model has refused them. `options` are the backend's own.

    `defaults`, `limits`, `system` (put before the client's own system text) and `thinking`
    change requests for this model. A `hidden` model can be asked for and is not listed. An entry with `split` has no backend: it sends each conversation to
    one of the models named there, in proportion to their weights.
    """

    split: dict[str, int] = Field(default_factory=dict)
    backend: str = Field(default="", validate_default=True)
    target: str | None = None
    description: str | None = None
    hidden: bool = False
    sampling: bool | Literal["auto"] = "auto"
    thinking: Literal["auto", "off"] = "auto"
    defaults: ModelDefaults = ModelDefaults()
    limits: ModelLimits = ModelLimits()
    system: Annotated[str | None, NeedsTrust("adds text to every conversation")] = None
    # the backend's own, and so anything: Claude Code's let the model use a folder
    options: Annotated[
        dict[str, Any], NeedsTrust("can give the model tools and files of this machine")
    ] = Field(default_factory=dict)

    @field_validator("split")
    @classmethod
    def _weights(cls, split: dict[str, int]) -> dict[str, int]:
        if split and (min(split.values()) < 0 or not any(split.values())):
            raise PydanticCustomError("weights", "weights must be ≥ 0, at least one positive")
        return split

    @field_validator("backend")
    @classmethod
    def _needed(cls, backend: str, info: Any) -> str:  # noqa: ANN401 - pydantic's ValidationInfo
        if not backend and not info.data.get("split"):
            raise PydanticCustomError("missing", "Field required")
        return backend

    @field_validator("thinking", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        """YAML reads a bare `off` as false."""
        if value is not False and value not in {"auto", "off"}:
            raise PydanticCustomError("thinking", "must be off or auto")
        return value or "off"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        given = self.model_fields_set - {"split", "description", "hidden"}
        if self.split and given:
            raise PydanticCustomError(
                "split",
                "a split can't have {key}: set it on the target models",
                {"key": repr(min(given))},
            )
        if self.sampling is False:
            for key in SAMPLING_KEYS:
                if getattr(self.defaults, key) is not None:
                    raise PydanticCustomError(
                        "sampling",
                        "a default {key} has no effect with `sampling: false`",
                        {"key": repr(key)},
                    )
        self._check_order()
        return self

    def _check_order(self) -> None:
        """No default may be above its limit."""
        given, most = self.defaults, self.limits
        tokens, effort = most.max_output_tokens, most.effort
        pairs = {
            "max_output_tokens": (given.max_output_tokens or 0) > (tokens or float("inf")),
            "effort": None not in {given.effort, effort} and is_more(given.effort, effort),
        }
        for key, above in pairs.items():
            if above:
                raise PydanticCustomError(
                    "order", "the default {key} is above its limit", {"key": repr(key)}
                )


def is_more(effort: Effort | None, than: Effort | None) -> bool:
    """Whether an effort is above another one; None is below all."""
    ranks: dict[Effort | None, int] = {name: rank for rank, name in enumerate(EFFORTS)}
    return ranks.get(effort, -1) > ranks.get(than, -1)
