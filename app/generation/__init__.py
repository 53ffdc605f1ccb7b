"""Generation: requests, prompts, verified search, OpenAI's forms."""
