"""Structured logs: one line an event, with what `structlog` has bound to the request or the job."""

import logging
import sys
from typing import Literal

import structlog

LogFormat = Literal["text", "json"]
BEFORE: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(form: LogFormat, level: str = "INFO") -> None:
    """Sends all that this process logs, by whichever library, to standard error in this form."""
    # Rich's traceback, the renderer's own choice, prints the variables of every frame: passwords
    # and keys too.
    plain = structlog.dev.plain_traceback
    render: list[structlog.typing.Processor] = [
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, exception_formatter=plain)
    ]
    if form == "json":
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=BEFORE,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
