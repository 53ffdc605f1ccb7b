"""OpenAI's fine-tuning jobs, as another view of ours (docs/contracts/openai.md)."""
