"""The answer to one request as a response, whole or as events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.types import ChatResponse
from gateway_openai_responses.encode.events import Keep, ResponseEncoder
from gateway_openai_responses.encode.items import output_of, visible
from gateway_openai_responses.encode.response import ResponseForm, final_state


@dataclass(frozen=True, slots=True)
class ResponseEncoding:
    """`keep` gets the response once it is whole, with every `encrypted_content`."""

    form: ResponseForm
    keep: Keep | None = None

    def whole(self, responses: Sequence[ChatResponse]) -> dict[str, Any]:
        """`openai.types.responses.Response`."""
        [response] = responses
        output = output_of(response, self.form)
        whole = {
            **self.form.head(),
            **final_state(response.stop_reason, output, response.usage),
        }
        if self.keep is not None:
            self.keep(whole)
        return {
            **whole,
            "output": [visible(each, encrypted=self.form.encrypted) for each in output],
        }

    def stream(self, choices: int) -> ResponseEncoder:
        """For `openai.types.responses.ResponseStreamEvent`. There is one choice."""
        return ResponseEncoder(self.form, self.keep)
