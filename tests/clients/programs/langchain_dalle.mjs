// LangChain's tool around image generation.
import { readFileSync, writeFileSync } from "node:fs";
import { DallEAPIWrapper } from "@langchain/openai";

let saw;
try {
  const tool = new DallEAPIWrapper({ model: "gpt-image-1.5", n: 1, size: process.env.SIZE });
  saw = `${await tool.invoke("a man walks")}`;
} catch (error) {
  const detail = error.status === undefined ? `: ${error.message}` : `, code ${error.code}, param ${error.param}`;
  saw = `${error.constructor.name}${detail}`;
}
const manifest = new URL("node_modules/@langchain/openai/package.json", import.meta.url);
writeFileSync(process.env.SAW, JSON.stringify({ version: JSON.parse(readFileSync(manifest)).version, saw }));
