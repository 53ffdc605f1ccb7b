"""The supervisor as it is, whose trainers run the stand-in."""

from tests.support.stand_in_trainer import MODULE
from workers.supervisor import main

if __name__ == "__main__":
    main(MODULE)
