"""What routers ask for."""

from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from app.inference import Inference
from app.settings import Settings
from inframind.rewards.verifier import Verifier


def database(request: Request) -> Engine:
    """The database's engine."""
    return cast(Engine, request.app.state.engine)


def verifier(request: Request) -> Verifier:
    """The verifier's pool."""
    return cast(Verifier, request.app.state.verifier)


def inference(request: Request) -> Inference:
    """The inference server's client."""
    return cast(Inference, request.app.state.inference)


def configured(request: Request) -> Settings:
    """The settings."""
    return cast(Settings, request.app.state.settings)


Database = Annotated[Engine, Depends(database)]
Verifying = Annotated[Verifier, Depends(verifier)]
Serving = Annotated[Inference, Depends(inference)]
Configured = Annotated[Settings, Depends(configured)]
