"""LangChain's wrapper gives the address of a picture."""

import json
import os
from pathlib import Path

from langchain_community.utilities.dalle_image_generator import DallEAPIWrapper

address = DallEAPIWrapper(model="dall-e-3").run("a fox")
Path(os.environ["SAW"]).write_text(json.dumps({"address": address}), encoding="utf-8")
