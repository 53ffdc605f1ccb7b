"""The Celery worker as it is, whose trainers run the stand-in, and whose store may fail."""

from tests.support import failing_store
from tests.support.stand_in_trainer import MODULE
from workers.celery_app import main

if __name__ == "__main__":
    failing_store.register()
    main(MODULE)
