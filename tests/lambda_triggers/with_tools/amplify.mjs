// One conversation by aws-amplify: reads commands from stdin, a JSON array each, and answers with a line of JSON.
import readline from "node:readline";
import * as flow from "./flow.js";

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify({ value: (await flow[name](...args)) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error.name, message: error.message })}\n`);
  }
}
