"""LiteLLM's proxy in front of the mock: what it changes in the contract is what the documentation says it changes."""

from __future__ import annotations

from pathlib import Path

from tests.gateways.gateway import KEY, UPSTREAM_KEY, examine, free_port, home, installed, keeps, mock, running

CONFIG = """
model_list:
  - model_name: "*"
    litellm_params: {{model: "openai/*", api_base: "{upstream}/v1", api_key: "{key}"}}
litellm_settings: {{num_retries: 0, telemetry: false}}
general_settings: {{master_key: "{master}"}}
"""
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}


def test_litellm(tmp_path: Path) -> None:
    with home() as where, mock(where, tmp_path) as upstream:
        config, port = tmp_path / "config.yaml", free_port()
        config.write_text(CONFIG.format(upstream=upstream, key=UPSTREAM_KEY, master=KEY))
        program = str(installed() / "litellm" / "bin" / "litellm")
        command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        with running(where, command, port, tmp_path / "litellm.log", OFFLINE):
            result = examine(where, f"http://127.0.0.1:{port}", tmp_path, KEY)
    print(where.words)
    print(result.text)
    keeps(result, "LiteLLM", KEY)
