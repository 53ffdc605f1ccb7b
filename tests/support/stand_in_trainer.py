"""The trainer with the stand-in as its pipeline."""

from tests.support.stand_in import run
from workers.trainer import main

MODULE = "tests.support.stand_in_trainer"

if __name__ == "__main__":
    main(run)
