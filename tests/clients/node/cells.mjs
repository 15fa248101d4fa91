// What the scripts share: `node SCRIPT CELL` runs one cell, which shows what it saw as lines of JSON.

import { pathToFileURL } from "node:url";
import { z } from "zod";

export const MODEL = "claude-sonnet-4";
export const WEATHER = "The weather of a city.";
export const City = z.object({ city: z.string() });
export const Person = z.object({
  name: z.string(),
  age: z.number().nullable(),
  home: z.object({ city: z.string(), tags: z.array(z.string()) }),
});

export function show(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// The weather, and the arguments that it was asked with.
export function weatherService() {
  const asked = [];
  const answer = (args) => {
    asked.push(args);
    return `Sunny in ${args.city}`;
  };
  return { asked, answer };
}

// The module with the documented configuration.
export function configuration() {
  return import(pathToFileURL(process.env.CLIENT_MODULE));
}

export async function run(cells) {
  const cell = cells[process.argv[2]];
  if (cell === undefined) throw new Error(`no cell ${process.argv[2]}`);
  show(await cell());
}
