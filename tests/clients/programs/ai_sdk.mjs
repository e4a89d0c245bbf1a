// The AI SDK with its OpenAI provider.
import { readFileSync, writeFileSync } from "node:fs";
import { openai } from "@ai-sdk/openai";
import * as ai from "ai";

const generateImage = ai.generateImage ?? ai.experimental_generateImage; // its name until 7
let saw;
try {
  const { images } = await generateImage({
    model: openai.image("gpt-image-1.5"), prompt: "a man walks", n: 1, size: process.env.SIZE,
  });
  saw = `${images.length} images`;
} catch (error) {
  const status = (error.lastError ?? error).statusCode;
  saw = `${error.name}, status ${status}${status === 200 ? `: ${error.message}` : ""}`;
}
const { version } = JSON.parse(readFileSync(new URL("node_modules/ai/package.json", import.meta.url)));
writeFileSync(process.env.SAW, JSON.stringify({ version, saw }));
