"""Trains on rollouts, for grpo and dapo: the tasks, the verified reward and TRL's settings."""

from collections.abc import Callable, Sequence
from typing import Any

from datasets import Dataset
from trl import GRPOConfig

from inframind.bench.prompt import prompt
from inframind.stages import _crashes, _loading, _reporting, _training
from inframind.stages._reward import Reward, verified_reward
from inframind.stages.base import StageContext, StageInput, StageReport
from inframind.stages.config import RolloutConfig
from inframind.types import Task
from inframind.verifier.verifier import Verifier


def run(
    make_trainer: Callable[..., Any],
    config: RolloutConfig,
    stage_input: StageInput,
    context: StageContext,
    losses: dict[str, Any],
    more_rewards: Sequence[Reward] = (),
) -> StageReport:
    """Trains on rollouts that the verifier rewards, and publishes the adapter."""
    tasks = stage_input.tasks("train", config.categories, config.max_difficulty)
    model, tokenizer = _loading.load_for_training(config, stage_input)
    arguments = rollout_arguments(config, stage_input, context, losses)
    # Open for the whole training: its workers would have to start again at each step.
    with Verifier(workers=2) as verifier:
        reward = verified_reward(
            {task.id: task for task in tasks},
            verifier,
            decoder(tokenizer),
            _crashes.CrashLog(context).add,
        )
        trainer = make_trainer(
            model=model,
            reward_funcs=[reward, *more_rewards],
            args=arguments,
            train_dataset=dataset(tasks),
            processing_class=tokenizer,
            callbacks=[_reporting.Reporter(context, stage_input.stage_index, config)],
        )
        return _training.train_and_publish(trainer, config, stage_input, context)


def dataset(tasks: Sequence[Task]) -> Dataset:
    """Makes TRL's dataset: each task's prompt and id."""
    return Dataset.from_list([{"prompt": prompt(task), "task_id": task.id} for task in tasks])


def decoder(tokenizer: Any) -> Callable[[Sequence[int]], str]:
    """Makes the function from ids to the text that a server would send.

    The text ends before the closing token and keeps special tokens.
    """
    end = tokenizer.eos_token_id

    def decode(ids: Sequence[int]) -> str:
        tokens = list(ids)
        cut = tokens.index(end) if end in tokens else len(tokens)
        text: str = tokenizer.decode(tokens[:cut], skip_special_tokens=False)
        return text

    return decode


def rollout_arguments(
    config: RolloutConfig, stage_input: StageInput, context: StageContext, losses: dict[str, Any]
) -> GRPOConfig:
    """Builds TRL's configuration for one stage."""
    answers = config.prompts_per_step * config.num_generations
    micro = config.micro_batch or answers
    return GRPOConfig(
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=answers // micro,
        steps_per_generation=answers // micro,
        num_generations=config.num_generations,
        max_completion_length=config.max_tokens,
        temperature=config.temperature,
        # An answer that was cut off is a wrong one: left out, it would cost nothing to go on.
        mask_truncated_completions=False,
        log_completions=False,
        use_vllm=False,
        cache_implementation=None,
        model_init_kwargs=None,
        **losses,
        **_training.common_arguments(config, stage_input, context),
    )
