"""Judgements of answers: by the verifier's rules or by a judge model."""
