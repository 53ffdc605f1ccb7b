"""Structured logs: one line an event, with what `structlog` has bound to the request or the job."""

import logging
import sys
from typing import Literal

import structlog

LogFormat = Literal["text", "json"]
CONTROLS = {
    code: f"\\x{code:02x}"
    for code in (*range(0x20), *range(0x7F, 0xA0))  # C0 and C1 of ECMA-48
    if chr(code) not in "\t\n"
}
# Terminals turn text around at these (CVE-2021-42574), and viewers break lines at those.
CONTROLS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
CONTROLS |= {code: f"\\u{code:04x}" for code in (0x2028, 0x2029)}
"""Characters that do something to whoever reads a log -> how they are written instead."""
ONE_LINE = CONTROLS | {ord("\n"): "\\n", ord("\t"): "\\t"}
BEFORE: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def on_one_line(
    _: object, __: str, values: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Writes each text of an event without line breaks: nobody's name begins a line of its own."""
    return {
        name: value.translate(ONE_LINE)
        if isinstance(value, str) and name not in ("exception", "stack")
        else value
        for name, value in values.items()
    }


class Printable(structlog.stdlib.ProcessorFormatter):
    """Formats a record without control characters, whatever an exception quotes."""

    def format(self, record: logging.LogRecord) -> str:
        """Writes the record; only a traceback has several lines."""
        return super().format(record).translate(CONTROLS)


def configure(form: LogFormat, level: str = "INFO") -> None:
    """Sends all that this process logs, by whichever library, to standard error in this form."""
    # Rich's traceback, the renderer's own choice, prints the variables of every frame: passwords
    # and keys too.
    plain = structlog.dev.plain_traceback
    render: list[structlog.typing.Processor] = [
        on_one_line,
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, exception_formatter=plain),
    ]
    if form == "json":
        # JSON escapes control characters itself, and whoever reads it gets them back.
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        Printable(
            foreign_pre_chain=BEFORE,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
