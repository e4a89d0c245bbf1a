"""An addon for mitmproxy in front of the mock: a page that asks the API in several ways, a picture, coded answers.

How it is used stands in README.md of this folder.
"""

from __future__ import annotations

import json

from mitmproxy import http

GOOD = {"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "1024x1536"}
CASES = [
    [json.dumps(GOOD), {}],
    [json.dumps({**GOOD, "prompt": "一只可爱的小猪", "n": 2}, ensure_ascii=False), {}],
    [json.dumps({**GOOD, "n": 11}), {}],
    ['{"n": 1', {}],
    [json.dumps(GOOD), {"Prefer": "delay=3"}],
    [json.dumps(GOOD), {"Prefer": "cut=20"}],
]
"""Body and further headers of each request; one that is late is given up by the page."""
PAGE = """<!doctype html><meta charset="utf-8"><title>t</title><link rel=icon href=data:,><img src="/picture.png"><script>
async function ask([body, further]) {
  const headers = {"Content-Type": "application/json", "Accept": "application/json",
    "Authorization": "Bearer sk-browser-0123456789abcdef", ...further};
  try {
    const signal = AbortSignal.timeout(further.Prefer?.startsWith("delay") ? 300 : 20000);
    return (await fetch("/v1/images/generations", {method: "POST", body, headers, signal})).status;
  } catch (error) { return error.name; }
}
async function all() {
  const seen = [];
  for (const one of CASES) seen.push(await ask(one));
  navigator.sendBeacon("/elsewhere/count", new Blob(["{}"], {type: "application/json"}));
  seen.push((await fetch("/v1/models")).status);
  return seen;
}
</script>"""
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082"
)


def request(flow: http.HTTPFlow) -> None:
    """Answer what is not the API's."""
    if flow.request.path == "/":
        page = PAGE.replace("CASES", json.dumps(CASES))
        flow.response = http.Response.make(200, page, {"Content-Type": "text/html"})
    elif flow.request.path == "/picture.png":
        headers = {"Content-Type": "image/png", "Set-Cookie": "session=0123456789; Path=/"}
        flow.response = http.Response.make(200, PICTURE, headers)
    elif flow.request.path.startswith("/elsewhere/"):
        flow.response = http.Response.make(204)


def response(flow: http.HTTPFlow) -> None:
    """Code the API's answers, as servers do."""
    if flow.response and flow.request.path.startswith("/v1/") and flow.response.status_code == 200:
        flow.response.encode("gzip")
