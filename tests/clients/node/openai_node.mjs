// The official package `openai`.

import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { City, MODEL, Person, WEATHER, configuration, run, show, weatherService } from "./cells.mjs";

const { client } = await configuration();
const chat = client.chat.completions;
const hello = { model: MODEL, messages: [{ role: "user", content: "Hello" }] };
const whichWeather = {
  model: MODEL,
  messages: [{ role: "user", content: "What is the weather in Bern and in Rome?" }],
};
const who = { ...hello, response_format: zodResponseFormat(Person, "person") };

function weatherTool(callback) {
  return zodFunction({
    name: "get_weather",
    description: WEATHER,
    parameters: City,
    ...(callback && { function: callback }),
  });
}

function seenError({ constructor, status, code, message }) {
  return { kind: constructor.name, status, code, message };
}

// A run of `runTools`, seen from its end.
async function toolRun(options) {
  const weather = weatherService();
  const tools = [weatherTool(weather.answer)];
  const runner = chat.runTools({ ...whichWeather, tools, ...options });
  return {
    content: await runner.finalContent(),
    asked: weather.asked,
    roles: runner.messages.map((message) => message.role),
    lastResult: await runner.finalFunctionToolCallResult(),
    completions: runner.allChatCompletions().length,
    usage: await runner.totalUsage(),
  };
}

await run({
  async text() {
    const { data, response } = await chat.create(hello).withResponse();
    return { completion: data, requestId: response.headers.get("x-request-id") };
  },

  async stream() {
    const stream = await chat.create({
      ...hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    const end = {};
    for await (const chunk of stream) {
      const choice = chunk.choices[0];
      if (choice?.delta.content) show(choice.delta.content);
      end.finishReason = choice?.finish_reason ?? end.finishReason;
      end.usage = chunk.usage ?? end.usage;
    }
    return end;
  },

  async streamHelper() {
    const stream = chat.stream({ ...hello, stream_options: { include_usage: true } });
    const deltas = [];
    stream.on("content", (delta) => deltas.push(delta));
    return {
      deltas,
      content: await stream.finalContent(),
      message: await stream.finalMessage(),
      completion: await stream.finalChatCompletion(),
      usage: await stream.totalUsage(),
    };
  },

  tools: () => toolRun({}),

  toolsStreamed: () => toolRun({ stream: true, stream_options: { include_usage: true } }),

  async toolsParsed() {
    const completion = await chat.parse({ ...whichWeather, tools: [weatherTool()] });
    return completion.choices[0].message.tool_calls.map((call) => call.function.parsed_arguments);
  },

  async toolsStreamHelper() {
    const stream = chat.stream({ ...whichWeather, tools: [weatherTool()] });
    const pieces = [];
    stream.on("tool_calls.function.arguments.delta", ({ index, arguments_delta }) => {
      pieces[index] = (pieces[index] ?? "") + arguments_delta;
    });
    const message = await stream.finalMessage();
    return {
      pieces,
      last: await stream.finalFunctionToolCall(),
      parsed: message.tool_calls.map((call) => call.function.parsed_arguments),
    };
  },

  async structured() {
    const { message, finish_reason: finishReason } = (await chat.parse(who)).choices[0];
    return { parsed: message.parsed, content: message.content, finishReason };
  },

  async structuredStream() {
    const stream = chat.stream(who);
    const { parsed, content } = await stream.finalMessage();
    return { parsed, content };
  },

  failure: () => chat.create(hello, { maxRetries: 0 }).then(() => "no error", seenError),

  async brokenStream() {
    const stream = await chat.create({ ...hello, stream: true });
    try {
      for await (const { choices } of stream) {
        if (choices[0]?.delta.content) show(choices[0].delta.content);
      }
    } catch (error) {
      return seenError(error);
    }
    return "no error";
  },
});
