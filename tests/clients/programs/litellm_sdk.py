"""LiteLLM's SDK."""

import json
import os
from importlib.metadata import version
from pathlib import Path

import litellm
import openai

try:
    answer = litellm.image_generation(model="openai/gpt-image-1.5", prompt="a man walks", n=1, size=os.environ["SIZE"])
    saw = f"{type(answer).__name__}, data {answer.data}"
except openai.APIStatusError as error:
    saw = f"{type(error).__name__}, status {error.status_code}"
Path(os.environ["SAW"]).write_text(json.dumps({"version": version("litellm"), "saw": saw}))
