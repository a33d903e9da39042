// openid-client and aws-jwt-verify with their defaults: a JSON array a line on stdin, a line of JSON as the answer.
import readline from "node:readline";
import * as client from "openid-client";
import { CognitoJwtVerifier } from "aws-jwt-verify";

let config, verifier, state;

const commands = {
  async configure({ issuer, client_id, client_secret }) {
    const plain = { execute: [client.allowInsecureRequests] };
    config = await client.discovery(new URL(issuer), client_id, client_secret, undefined, plain);
  },
  async begin(redirect_uri, pkce) {
    state = { expectedState: client.randomState(), expectedNonce: client.randomNonce() };
    const asked = { redirect_uri, scope: "openid email", state: state.expectedState, nonce: state.expectedNonce };
    if (pkce) {
      state.pkceCodeVerifier = client.randomPKCECodeVerifier();
      asked.code_challenge = await client.calculatePKCECodeChallenge(state.pkceCodeVerifier);
      asked.code_challenge_method = "S256";
    }
    return client.buildAuthorizationUrl(config, asked).href;
  },
  async finish(url) {
    const tokens = await client.authorizationCodeGrant(config, new URL(url), state);
    return { ...tokens, claims: tokens.claims() };
  },
  refresh: (token) => client.refreshTokenGrant(config, token),
  userInfo: (token, sub) => client.fetchUserInfo(config, token, sub),
  trust(userPoolId, clientId, jwks) {
    verifier = CognitoJwtVerifier.create({ userPoolId, clientId });
    verifier.cacheJwks(jwks);
  },
  verify: (token, tokenUse) => verifier.verify(token, { tokenUse }),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify({ value: (await commands[name](...args)) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error.name, message: error.message })}\n`);
  }
}
process.exit();
