"""`inframind prune`: delete what no policy keeps."""

from typing import Annotated

import typer

from app.cli.database import open_database
from app.cli.output import console

app = typer.Typer()


@app.command("prune")
def prune_artifacts(
    dry_run: Annotated[bool, typer.Option(help="Only say what would go.")] = False,
) -> None:
    """Delete what no policy keeps.

    Old adapters that nothing needs, spare checkpoints, leftovers of lost attempts and uploads.
    """
    from app.artifacts import Artifacts
    from app.catalog.retention import prune
    from app.settings import settings

    configured = settings()
    with open_database() as engine:
        # Also beside a reconciler, which prunes every hour: what is gone already is no error.
        artifacts = Artifacts.of(configured)
        gone = prune(engine, artifacts, configured.keep_adapters_days, dry_run=dry_run)
    console.print(
        f"{'would go' if dry_run else 'gone'}: adapters {', '.join(gone.adapters) or 'none'}; "
        f"{gone.checkpoints} checkpoints; {len(gone.leftovers)} leftovers of lost attempts and "
        f"uploads; {gone.keys} idempotency keys"
    )
