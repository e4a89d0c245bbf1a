// openai-node, as its README shows it.
import { writeFileSync } from "node:fs";
import OpenAI from "openai";
import { VERSION } from "openai/version";

let saw;
try {
  const answer = await new OpenAI().images.generate({
    model: "gpt-image-1.5", prompt: "a man walks", n: 1, size: process.env.SIZE,
  });
  saw = `object, data ${answer.data}`;
} catch (error) {
  saw = `${error.constructor.name}, code ${error.code}, param ${error.param}`;
}
writeFileSync(process.env.SAW, JSON.stringify({ version: VERSION, saw }));
