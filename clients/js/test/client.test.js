import assert from "node:assert/strict";
import { test } from "node:test";

import { CodeSignIn } from "../index.js";

/** A site that gives these answers in order and notes what it is asked. */
function site(...answers) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, ...init });
    const answer = answers.shift();
    if (!answer) throw new TypeError("offline");
    const { retryAfter, ...body } = answer;
    return { json: async () => body, headers: new Headers(retryAfter ? { "Retry-After": `${retryAfter}` } : {}) };
  };
  return { asked, fetch };
}

const pending = (id, token) => ({
  status: 401,
  data: { flows: [{ id: "login" }, { id, is_pending: true }] },
  meta: { is_authenticated: false, ...(token && { session_token: token }) },
});
const status = (seconds) => ({
  status: 200,
  data: { state: "sent", seconds_to_resend: seconds, seconds_left: 600, can_resend: true },
});
const user = { id: 1, display: "ann", has_usable_password: false };

test("an app signs in by its session token, without a cookie", async () => {
  const tokens = [];
  const { asked, fetch } = site(
    pending("login_by_code", "code.abc"),
    status(30),
    { status: 200, data: { user, methods: [] }, meta: { is_authenticated: true, session_token: "s1" } },
  );
  const app = new CodeSignIn({ client: "app", baseUrl: "https://x.example", fetch, onToken: (token) => tokens.push(token) });
  assert.deepEqual(await app.request({ email: "ann@example.com" }), { kind: "code" });
  assert.equal(app.secondsToResend, 30);
  assert.deepEqual(await app.confirm("123456"), { kind: "signed_in", user });
  assert.deepEqual(tokens, ["code.abc", "s1"]);
  assert.equal(asked[0].url, "https://x.example/_allauth/app/v1/auth/code/request");
  assert.equal(asked[2].headers["X-Session-Token"], "code.abc");
  assert.deepEqual(new Set(asked.map((one) => one.credentials)), new Set(["omit"]));
});

test("a browser sends its cookies and the CSRF token", async () => {
  globalThis.document = { cookie: "a=b; csrftoken=t0" };
  try {
    const { asked, fetch } = site(pending("login_by_code"), status(0));
    await new CodeSignIn({ fetch }).request({ phone: "+4915112345678", channel: "sms" });
    assert.equal(asked[0].headers["X-CSRFToken"], "t0");
    assert.equal(asked[0].credentials, "include");
    assert.equal(asked[0].headers["X-Session-Token"], undefined);
  } finally {
    delete globalThis.document;
  }
});

test("what is pending besides is told", async () => {
  const { fetch } = site(pending("mfa_authenticate", "s1"));
  const result = await new CodeSignIn({ client: "app", fetch }).confirm("123456");
  assert.deepEqual(result, { kind: "pending", flow: { id: "mfa_authenticate", is_pending: true } });
});

test("errors have a stable code and a message for the person", async () => {
  const wrong = { status: 400, errors: [{ code: "incorrect_code", param: "code", message: "Not right." }] };
  const { fetch } = site(wrong, { status: 409 }, { status: 410 });
  const app = new CodeSignIn({ client: "app", token: "s0", fetch });
  const { kind, code, message } = await app.confirm("000000");
  assert.deepEqual([kind, code, message], ["error", "incorrect_code", "Not right."]);
  assert.equal((await app.confirm("000000")).code, "start_again");
  assert.equal(app.token, "s0");
  assert.equal((await app.confirm("000000")).code, "gone");
  assert.equal(app.token, "");
  assert.equal((await app.confirm("000000")).code, "unreachable");
});

test("the cool-down is kept without asking the site", async () => {
  let now = 0;
  const { asked, fetch } = site({ status: 429, errors: [{ code: "too_soon", message: "Wait." }], retryAfter: 20 });
  const app = new CodeSignIn({ client: "app", fetch, now: () => now });
  assert.equal((await app.resend()).retryAfter, 20);
  now = 5000;
  assert.equal(app.secondsToResend, 15);
  assert.deepEqual(await app.resend(), { kind: "error", code: "too_soon", message: "", retryAfter: 15 });
  assert.equal(asked.length, 1);
});

test("a code of an SMS is read where the browser can, and asked for by the person where not", async () => {
  assert.equal(await new CodeSignIn().codeFromSms(), null);
});
