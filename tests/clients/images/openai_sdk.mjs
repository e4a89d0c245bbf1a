// openai-node on the images contract: pictures, an edit, events, a typed error, an address; what it saw goes to SAW.
import { readFileSync, writeFileSync } from "node:fs";
import OpenAI, { toFile } from "openai";
import { VERSION } from "openai/version";

const client = new OpenAI();
const fox = { model: "gpt-image-1.5", prompt: "a fox" };
const saw = { version: VERSION };

const answer = await client.images.generate({ ...fox, n: 2 });
saw.generate = answer.data.map((image) => Buffer.from(image.b64_json, "base64").subarray(1, 4).toString());

const picture = await toFile(readFileSync(process.env.PICTURE), "otter.png", { type: "image/png" });
saw.edit = (await client.images.edit({ ...fox, image: [picture, picture] })).data.length;

saw.stream = [];
for await (const event of await client.images.generate({ ...fox, stream: true, partial_images: 2 })) {
  saw.stream.push(event.type);
}
saw.editStream = [];
for await (const event of await client.images.edit({ ...fox, image: picture, stream: true, partial_images: 1 })) {
  saw.editStream.push(event.type);
}
saw.url = typeof (await client.images.generate({ model: "dall-e-3", prompt: "a fox" })).data[0].url;

try {
  await client.images.generate({ ...fox, response_format: "b64_json" });
} catch (error) {
  saw.refused = [error.constructor.name, error.status, error.code, error.param];
}
try {
  await client.images.generate(fox, { headers: { Prefer: "scenario=rate-limited" }, maxRetries: 1 });
} catch (error) {
  saw.limited = [error.constructor.name, error.code, error.headers.get("retry-after")];
}
writeFileSync(process.env.SAW, JSON.stringify(saw));
