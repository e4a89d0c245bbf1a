// The AI SDK with its provider for APIs in OpenAI's style.
import { readFileSync, writeFileSync } from "node:fs";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import * as ai from "ai";

const provider = createOpenAICompatible({
  name: "relay", apiKey: process.env.OPENAI_API_KEY, baseURL: process.env.OPENAI_BASE_URL,
});
const generateImage = ai.generateImage ?? ai.experimental_generateImage; // its name until 7
let saw;
try {
  const { images } = await generateImage({
    model: provider.imageModel("gpt-image-1.5"), prompt: "a man walks", n: 1, size: process.env.SIZE,
  });
  saw = `${images.length} images`;
} catch (error) {
  const status = (error.lastError ?? error).statusCode;
  saw = `${error.name}, status ${status}${status === 200 ? `: ${error.message}` : ""}`;
}
const manifest = new URL("node_modules/@ai-sdk/openai-compatible/package.json", import.meta.url);
writeFileSync(process.env.SAW, JSON.stringify({ version: JSON.parse(readFileSync(manifest)).version, saw }));
