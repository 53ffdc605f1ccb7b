"""The trainer with the toy stage in the registry: `python -m tests.support.toy_trainer`."""

from inframind.stages import STAGES
from tests.support import toy_stage
from workers.trainer import main

if __name__ == "__main__":
    STAGES["toy"] = toy_stage
    main()
