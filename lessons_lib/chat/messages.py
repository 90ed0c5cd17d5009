"""One message of a request to OpenAI's chat API: who speaks, and its text. Used by ``api``."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from lessons_lib.chat.chat import half_character
from lessons_lib.chat.request_options import NEUTRAL_IN_MESSAGES, fault_of, unknown

ROLES = ("system", "developer", "user", "assistant")


def _as_text(content: Any) -> Any:
    """A message's content, which may be a list of text parts, as one text."""
    if content is None:
        return ""
    if isinstance(content, list):
        for part in content:
            kind = part.get("type") if isinstance(part, dict) else part
            if kind != "text":
                words = f"no part of type {str(kind)[:80]!r}"
                raise ValueError(f'this server reads only text, {{"type": "text", …}}, and {words}')
            if not isinstance(part.get("text"), str):
                raise ValueError('a part of type "text" has no text')
        content = "\n".join(part["text"] for part in content)
    if isinstance(content, str) and (fault := half_character(content)):
        raise ValueError(fault)
    return content


def _known_role(role: Any) -> Any:
    if role in ("tool", "function"):
        raise ValueError(f"this server calls no tools, so no message is theirs; {_roles()}")
    if role not in ROLES:
        raise ValueError(_roles())
    return role


def _roles() -> str:
    return f"a role is one of {', '.join(ROLES)}"


class ApiMessage(BaseModel):
    """One message of a request; ``ChatRequest`` says what becomes of those of other roles.

    The speaker's ``name`` is allowed, and not read: no prompt format here says who speaks.
    """

    model_config = ConfigDict(strict=True, extra="allow")
    role: Annotated[str, BeforeValidator(_known_role)]
    content: Annotated[str, BeforeValidator(_as_text)] = ""
    name: str | None = None

    @model_validator(mode="after")
    def _check_extra(self) -> "ApiMessage":
        known = {*ApiMessage.model_fields, *NEUTRAL_IN_MESSAGES}
        for name, value in (self.model_extra or {}).items():
            fault = (
                fault_of(name, value, NEUTRAL_IN_MESSAGES)
                if name in NEUTRAL_IN_MESSAGES
                else unknown(name, known)
            )
            if fault:
                raise ValueError(fault.removesuffix("."))
        return self
