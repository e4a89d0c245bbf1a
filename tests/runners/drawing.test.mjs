import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, afterEach, before, test } from "node:test";

let mock, url;

before(async () => {
  mock = spawn("quickrouter-contract", ["mock", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  [url] = await once(createInterface({ input: mock.stdout }), "line");
}, { timeout: 30_000 });

after(() => mock.kill());

const admin = (path, value) =>
  fetch(`${url}/__admin/${path}`, { method: "POST", body: JSON.stringify(value ?? {}) });

async function verify(asked) {
  const answer = await admin("verify", asked);
  assert.equal(answer.status, 200, await answer.text());
}

afterEach(async () => {
  try {
    await verify({ violated: true, times: 0 }); // also where the program swallowed the refusal
  } finally {
    await admin("reset");
  }
});

// Your program.
async function draw(base, prompt, images) {
  const answer = await fetch(`${base}/v1/images/generations`, {
    method: "POST",
    headers: { Authorization: "Bearer any", Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify({ model: "gpt-image-1.5", prompt, n: images, size: "1024x1536" }),
  });
  return answer.ok ? answer.json() : null;
}

test("two images are asked for", async () => {
  await draw(url, "a man walks", Number(process.env.IMAGES ?? 2));
  await verify({ path: "/v1/images/generations", times: 1 });
});

test("a refusal for the rate gives nothing", async () => {
  await fetch(`${url}/__admin/scenarios`, { method: "PUT", body: '{"name": "rate-limited"}' });
  assert.equal(await draw(url, "a man walks", 1), null);
});
