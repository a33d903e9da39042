// aws-amplify's own functions by their names: a JSON array a line on stdin, a line of JSON as the answer.
import readline from "node:readline";
import { Amplify } from "aws-amplify";
import * as auth from "aws-amplify/auth";

const commands = {
  configure({ url, user_pool_id, client_id }) {
    const pool = { userPoolId: user_pool_id, userPoolClientId: client_id, userPoolEndpoint: url };
    Amplify.configure({ Auth: { Cognito: pool } });
  },
  async tokens(forceRefresh) {
    const { tokens } = await auth.fetchAuthSession({ forceRefresh });
    return tokens && { access: tokens.accessToken.toString(), id: tokens.idToken.payload };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify({ value: (await (commands[name] ?? auth[name])(...args)) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error.name, message: error.message })}\n`);
  }
}
process.exit(); // the library's timers would keep it
