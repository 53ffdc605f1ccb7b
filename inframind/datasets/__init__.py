"""Users' own tasks: Alpaca rows, proven by the verifier, as the stages use them."""
