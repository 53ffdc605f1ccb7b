"""Files of OpenAI's API."""

FILE_ID = "file-6f1c0d6e6f1b4a0f8f4f0c3c"
FILE = {
    "id": FILE_ID,
    "object": "file",
    "bytes": 120000,
    "created_at": 1764000000,
    "filename": "train.jsonl",
    "purpose": "fine-tune",
    "status": "processed",
    "status_details": None,
    "expires_at": None,
}
