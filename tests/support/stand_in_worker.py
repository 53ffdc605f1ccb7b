"""The Celery worker as it is, whose trainers run the stand-in."""

from tests.support.stand_in_trainer import MODULE
from workers.celery_app import main

if __name__ == "__main__":
    main(MODULE)
