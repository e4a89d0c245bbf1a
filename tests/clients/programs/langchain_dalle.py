"""LangChain's wrapper around image generation."""

import json
import os
from importlib.metadata import version
from pathlib import Path

import openai
from langchain_community.utilities.dalle_image_generator import DallEAPIWrapper

try:
    saw = DallEAPIWrapper(model="gpt-image-1.5", size=os.environ["SIZE"]).run("a man walks")
except openai.APIStatusError as error:
    saw = f"{type(error).__name__}, status {error.status_code}"
except TypeError as error:
    saw = f"TypeError: {error}"
Path(os.environ["SAW"]).write_text(json.dumps({"version": version("langchain-community"), "saw": saw}))
