"""The supervisor as it is, whose trainers run the stand-in."""

import os
from pathlib import Path

from tests.support.clocks import STEP_FILE, Step, follow
from tests.support.stand_in_trainer import MODULE
from workers.supervisor import main

if __name__ == "__main__":
    if step := os.environ.get(STEP_FILE):
        follow(Step(Path(step)))
    main(MODULE)
