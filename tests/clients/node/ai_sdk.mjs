// The Vercel AI SDK: the packages `ai` and `@ai-sdk/openai-compatible`.

import { Output, generateObject, generateText, isStepCount, streamText, tool } from "ai";
import { City, MODEL, Person, WEATHER, configuration, run, show, weatherService } from "./cells.mjs";

const { dragoman } = await configuration();
const hello = { model: dragoman(MODEL), prompt: "Hello", maxRetries: 0 };
const whichWeather = { ...hello, prompt: "What is the weather in Bern and in Rome?" };
const who = { ...hello, output: Output.object({ schema: Person, name: "person" }) };

function weatherTools(weather) {
  const get_weather = tool({ description: WEATHER, inputSchema: City, execute: weather.answer });
  return { tools: { get_weather }, stopWhen: isStepCount(5) };
}

function seenSteps(steps) {
  return steps.map((step) => ({
    finishReason: step.finishReason,
    calls: step.toolCalls.map((call) => call.input),
    results: step.toolResults.map((result) => result.output),
  }));
}

// A result of `streamText` need not throw: an error is one of its parts.
function streamed(options) {
  return streamText({
    ...options,
    onError({ error }) {
      console.error(error);
      process.exitCode = 1;
    },
  });
}

await run({
  async text() {
    const { text, finishReason, usage, warnings } = await generateText(hello);
    return { text, finishReason, usage, warnings };
  },

  async stream() {
    const result = streamed(hello);
    for await (const piece of result.textStream) show(piece);
    return { finishReason: await result.finishReason, usage: await result.usage };
  },

  async reasoning() {
    const { text, reasoningText } = await generateText(hello);
    return { text, reasoningText };
  },

  async tools() {
    const weather = weatherService();
    const { text, steps } = await generateText({ ...whichWeather, ...weatherTools(weather) });
    return { text, asked: weather.asked, steps: seenSteps(steps) };
  },

  async toolsStreamed() {
    const weather = weatherService();
    const result = streamed({ ...whichWeather, ...weatherTools(weather) });
    await result.consumeStream();
    return {
      text: await result.text,
      asked: weather.asked,
      steps: seenSteps(await result.steps),
    };
  },

  async structured() {
    const { output, finishReason, warnings } = await generateText(who);
    return { output, finishReason, warnings };
  },

  async structuredStream() {
    const result = streamed(who);
    const partial = [];
    for await (const output of result.partialOutputStream) partial.push(output);
    return { partial, output: await result.output };
  },

  async structuredObject() {
    const { object, finishReason } = await generateObject({ ...hello, schema: Person });
    return { object, finishReason };
  },

  async structuredAfterTools() {
    const weather = weatherService();
    const { output, steps } = await generateText({ ...who, ...weatherTools(weather) });
    return { output, asked: weather.asked, steps: seenSteps(steps) };
  },

  async failure() {
    const seenError = ({ name, statusCode, message }) => ({ name, statusCode, message });
    return generateText(hello).then(() => "no error", seenError);
  },

  async brokenStream() {
    const errors = [];
    const result = streamText({ ...hello, onError: ({ error }) => errors.push(error) });
    for await (const piece of result.textStream) show(piece);
    return { errors, finishReason: await result.finishReason };
  },
});
