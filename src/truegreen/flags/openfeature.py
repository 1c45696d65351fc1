"""An OpenFeature provider on top of flag values that are already read; extra ``openfeature``.

Thin on purpose: OpenFeature itself gives a caller's default when anything fails and keeps its
providers in a global, so the strictness stays below, in ``Flags.read``: what is unparseable refuses
the start, before any provider exists. See docs/flags.md for the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from truegreen.flags.values import FlagValues

if TYPE_CHECKING:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagValueType

_T = TypeVar("_T")


class TrueGreenProvider(AbstractProvider):
    """Resolves declared flags. ``values``: what ``Flags.read`` gave, once, at the start.

    Contexts are ignored: a flag is the same for everybody, for the life of the process. Reasons:
    STATIC for a value that somebody gave, with its ``source`` (pin, config, env, file) in the
    metadata; DEFAULT with ``present`` False for one that is absent. Errors, which give the caller's
    default: FLAG_NOT_FOUND for what is not declared, TYPE_MISMATCH for another type's question,
    PARSE_ERROR for a flag that fails open and whose text could not be parsed.

    Types: bool is a boolean; int an integer; float and duration (seconds) a float; str, url and
    choice a string; list an object.
    """

    def __init__(self, values: FlagValues) -> None:
        super().__init__()
        self._values = values

    def get_metadata(self) -> Metadata:
        return Metadata(name="truegreen")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(flag_key, default_value, bool)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, default_value, str)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        return self._resolve(flag_key, default_value, int)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        return self._resolve(flag_key, default_value, float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        return self._resolve(flag_key, default_value, tuple, list)

    def _resolve(
        self, name: str, fallback: _T, wanted: type, made: type | None = None
    ) -> FlagResolutionDetails[_T]:
        """``made``: the type that the caller gets, where it is not the flag's own."""
        if name not in self._values:
            return _failed(fallback, ErrorCode.FLAG_NOT_FOUND, f"{name} is not declared")
        origin = self._values.origin(name)
        told: dict[str, str | bool] = {"source": origin.source, "present": origin.present}
        if origin.problem:
            return _failed(fallback, ErrorCode.PARSE_ERROR, f"{name}: {origin.problem}", told)
        value: Any = self._values[name]
        if type(value) is not wanted:
            what = f"{name} is a {type(value).__name__}, not a {wanted.__name__}"
            return _failed(fallback, ErrorCode.TYPE_MISMATCH, what, told)
        if made is not None:
            value = made(value)
        return FlagResolutionDetails(
            value=value,
            reason=Reason.STATIC if origin.present else Reason.DEFAULT,
            flag_metadata=told,
        )


def _failed(
    fallback: _T, code: ErrorCode, message: str, told: Mapping[str, str | bool] | None = None
) -> FlagResolutionDetails[_T]:
    return FlagResolutionDetails(
        value=fallback,
        error_code=code,
        error_message=message,
        reason=Reason.ERROR,
        flag_metadata=dict(told or {}),
    )
