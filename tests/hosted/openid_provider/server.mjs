// A certified OpenID provider for tests: everybody is ann, and nobody is asked anything.
// Its setup comes as JSON in the environment variable SETUP; it says its address on one line and runs until its
// standard input is closed.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const setup = JSON.parse(process.env.SETUP);
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: setup.client_id,
    client_secret: setup.client_secret,
    redirect_uris: setup.redirect_uris,
    response_types: ["code"],
    grant_types: ["authorization_code"],
    token_endpoint_auth_method: setup.auth_method,
    require_auth_time: true,
  }],
  jwks: { keys: [{ ...setup.key, use: "sig", alg: "RS256", kid: "only" }] },
  cookies: { keys: ["a key for tests"] },
  pkce: { required: () => true },
  acrValues: ["bronze", "silver"],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name"], acr: null, auth_time: null },
  features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...setup.person }) }),
});

async function interact(request, response) {
  const { prompt, params, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    const login = { accountId: "ann-1", acr: "silver", amr: ["otp"] };
    return provider.interactionFinished(request, response, { login });
  }
  const grant = grantId ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: "ann-1", clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addOIDCClaims(["given_name", "auth_time", "acr", "email", "email_verified"]);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } },
    { mergeWithLastSubmission: true });
}

const answer = provider.callback();
server.on("request", (request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  return interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
});
console.log(issuer);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
