// One conversation by amazon-cognito-identity-js, unmodified: a JSON array a line on stdin, a line of JSON as the answer.
import readline from "node:readline";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";

let pool, user;

// The library tells by callbacks; each of them settles the command that waits.
function told(act) {
  return new Promise((resolve, reject) => act({
    onSuccess: () => resolve({ signedIn: true }),
    onFailure: reject,
    customChallenge: (parameters) => resolve({ signedIn: false, ...parameters }),
  }));
}

const commands = {
  configure({ url, user_pool_id, client_id }) {
    pool = new CognitoUserPool({ UserPoolId: user_pool_id, ClientId: client_id, endpoint: url });
  },
  begin(username, password) {
    user = new CognitoUser({ Username: username, Pool: pool });
    user.setAuthenticationFlowType("CUSTOM_AUTH");
    const details = new AuthenticationDetails({ Username: username, Password: password });
    return told((callbacks) => password ? user.authenticateUser(details, callbacks) : user.initiateAuth(details, callbacks));
  },
  answer: (code) => told((callbacks) => user.sendCustomChallengeAnswer(code, callbacks)),
  resend: () => told((callbacks) => user.sendCustomChallengeAnswer("resend", callbacks, { action: "resend" })),
  claims: () => user.getSignInUserSession().getIdToken().decodePayload(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify({ value: (await commands[name](...args)) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error.name, message: error.message })}\n`);
  }
}
