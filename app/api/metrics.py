"""Route that Prometheus scrapes."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.web.deps import MetricsDep

router = APIRouter(tags=["health"])
TEXT = (
    "# HELP inframind_jobs Jobs by state\n# TYPE inframind_jobs gauge\n"
    'inframind_jobs{state="queued"} 2.0\n'
)
FORMAT = {"content": {"text/plain": {"schema": {"type": "string"}, "example": TEXT}}}


@router.get("/metrics", response_class=Response, responses={200: FORMAT})
def metrics(metrics: MetricsDep) -> Response:
    """Requests, generation and verifier of this process.

    Queue, stages, workers and running jobs of the whole service.
    """
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
