"""The stages: one line each. Importing this loads no torch."""

from types import ModuleType
from typing import Annotated

from pydantic import Field

from inframind.stages import dapo, evaluate, grpo, sft

StageConfig = Annotated[
    sft.Config | grpo.Config | dapo.Config | evaluate.Config, Field(discriminator="stage")
]
"""What a job's `stages` holds."""

STAGES: dict[str, ModuleType] = {"sft": sft, "grpo": grpo, "dapo": dapo, "evaluate": evaluate}
