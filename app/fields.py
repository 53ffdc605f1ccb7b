"""Texts and numbers that several doors take, each with the range of the column that keeps it.

A NUL and a lone surrogate need no type: `app.web.storable` refuses them at every door.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

MAX_INT64 = 2**63 - 1
"""BIGINT of both databases, and the largest seed of vLLM's own `/v1/completions`."""

# OpenAI's form has it all: `ft:`, a base model, the organisation, a suffix of 64 and an adapter's
# id of 64. It is never stored: what is stored is the id that it means.
ModelName = Annotated[str, StringConstraints(max_length=192)]
"""Any name of a model (docs/contracts/models.md)."""
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Seed64 = Annotated[int, Field(ge=-MAX_INT64 - 1, le=MAX_INT64)]
"""Seed of a generation: OpenAI's, which may be negative."""
