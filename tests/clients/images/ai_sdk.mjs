// The AI SDK shows a picture: what it hands to a page is written to SAW.
import { writeFileSync } from "node:fs";
import { openai } from "@ai-sdk/openai";
import { experimental_generateImage as generateImage } from "ai";

const { images } = await generateImage({ model: openai.image("gpt-image-1.5"), prompt: "a fox", n: 2 });
writeFileSync(process.env.SAW, JSON.stringify({ kinds: images.map((image) => image.mediaType), sizes: images.map((image) => image.uint8Array.length > 60) }));
