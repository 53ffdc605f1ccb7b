"""OpenAI's fine-tuning jobs, their events and checkpoints."""

from app.api.examples.form import ADAPTER_ID
from app.api.examples.form import JOB_ID as OUR_ID

JOB_ID = f"ftjob-{OUR_ID}"
NAME = f"ft:inframind-nano:inframind:modules:{ADAPTER_ID}"
HYPERPARAMETERS = {"batch_size": "auto", "learning_rate_multiplier": "auto", "n_epochs": 3}
JOB = {
    "id": JOB_ID,
    "object": "fine_tuning.job",
    "created_at": 1764000000,
    "error": None,
    "fine_tuned_model": NAME,
    "finished_at": 1764000300,
    "estimated_finish": None,
    "hyperparameters": HYPERPARAMETERS,
    "integrations": [],
    "metadata": {"team": "platform"},
    "method": {"type": "supervised", "supervised": {"hyperparameters": HYPERPARAMETERS}},
    "model": "inframind-nano",
    "organization_id": "inframind",
    "result_files": [],
    "seed": 42,
    "status": "succeeded",
    "trained_tokens": None,
    "training_file": "file-6f1c0d6e6f1b4a0f8f4f0c3c",
    "validation_file": None,
}
EVENT = {
    "id": f"ftevent-{OUR_ID}-3",
    "object": "fine_tuning.job.event",
    "created_at": 1764000002,
    "level": "info",
    "message": "sft started",
    "data": {"code": "stage_started", "stage_index": 0, "total_steps": 40},
    "type": "message",
}
CHECKPOINT = {
    "id": f"ftckpt-{ADAPTER_ID}",
    "object": "fine_tuning.job.checkpoint",
    "created_at": 1764000043,
    "fine_tuned_model_checkpoint": NAME,
    "fine_tuning_job_id": JOB_ID,
    "step_number": 40,
    "metrics": {"step": 40, "train_loss": 0.11, "train_mean_token_accuracy": 0.97},
}
