"""openai-python, as its README shows it; works with 2.x and 3.x."""

import json
import os
from pathlib import Path

import openai

try:
    answer = openai.OpenAI().images.generate(model="gpt-image-1.5", prompt="a man walks", n=1, size=os.environ["SIZE"])
    saw = f"{type(answer).__name__}, data {answer.data}"
except openai.APIStatusError as error:
    saw = f"{type(error).__name__}, code {error.code}, param {error.param}"
Path(os.environ["SAW"]).write_text(json.dumps({"version": openai.__version__, "saw": saw}))
