/** The sign-in by code of django-cognito-passwordless, for browsers and React Native. No dependency; index.d.ts has the types. */

const UNREACHABLE = { kind: "error", code: "unreachable", message: "The site cannot be reached. Try again in a minute." };

/** allauth's cookie of Django's CSRF token; native apps have no cookies and need none. */
const csrfToken = (name) =>
  typeof document === "undefined" ? "" : (document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`)) ?? [])[1] ?? "";

export class CodeSignIn {
  #options;
  #readyAt = 0;

  constructor(options = {}) {
    this.#options = {
      client: "browser",
      baseUrl: "",
      csrfCookie: "csrftoken",
      fetch: (...args) => globalThis.fetch(...args),
      now: () => Date.now(),
      language: "",
      ...options,
    };
    this.token = this.#options.token ?? "";
  }

  /** Seconds until another message may be asked for. */
  get secondsToResend() {
    return Math.max(0, Math.ceil((this.#readyAt - this.#options.now()) / 1000));
  }

  /** Asks for a code: `{email}` or `{phone}`, and `channel`. */
  async request(who) {
    const result = await this.#send("POST", "auth/code/request", who);
    if (result.kind === "code") await this.status();
    return result;
  }

  /** Answers it. */
  confirm(code) {
    return this.#send("POST", "auth/code/confirm", { code });
  }

  /** Asks for another message; `channel` for another way. */
  async resend(channel) {
    if (this.secondsToResend && !channel) {
      return { kind: "error", code: "too_soon", message: "", retryAfter: this.secondsToResend };
    }
    const result = await this.#send("POST", "auth/code/resend", channel ? { channel } : {});
    if (result.kind === "ok") await this.status();
    return result;
  }

  /** Where the message stands; null where nothing is waited for, or the site cannot be reached. */
  async status() {
    const answer = await this.#call("GET", "auth/code/status");
    if (answer?.status !== 200) return null;
    this.#cool(answer.data.seconds_to_resend);
    const { state, seconds_to_resend, seconds_left, can_resend } = answer.data;
    return { state, secondsToResend: seconds_to_resend, secondsLeft: seconds_left, canResend: can_resend };
  }

  /** Who is signed in, or what is pending: where to go on after the app was closed. */
  session() {
    return this.#send("GET", "auth/session");
  }

  signOut() {
    return this.#send("DELETE", "auth/session");
  }

  /** The second factor of allauth.mfa. */
  secondFactor(code) {
    return this.#send("POST", "auth/2fa/authenticate", { code });
  }

  /** Waits for the code of an SMS, where the browser can read it (WebOTP); null where it cannot, or gave up. */
  async codeFromSms(signal) {
    if (typeof window === "undefined" || !("OTPCredential" in window)) return null;
    try {
      return (await navigator.credentials.get({ otp: { transport: ["sms"] }, signal }))?.code ?? null;
    } catch {
      return null;
    }
  }

  #cool(seconds) {
    this.#readyAt = this.#options.now() + 1000 * seconds;
  }

  async #send(method, path, body) {
    const answer = await this.#call(method, path, body);
    return answer ? this.#understand(answer) : UNREACHABLE;
  }

  async #call(method, path, body) {
    const { client, baseUrl, csrfCookie, fetch, language } = this.#options;
    const app = client === "app";
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (language) headers["Accept-Language"] = language;
    if (app && this.token) headers["X-Session-Token"] = this.token;
    if (!app && method !== "GET") {
      // Django sets the token's cookie at the first answer.
      if (!csrfToken(csrfCookie)) await this.#call("GET", "config");
      headers["X-CSRFToken"] = csrfToken(csrfCookie);
    }
    try {
      const response = await fetch(`${baseUrl}/_allauth/${client}/v1/${path}`, {
        method,
        headers,
        credentials: app ? "omit" : "include",
        cache: "no-store",
        body: body ? JSON.stringify(body) : undefined,
      });
      const answer = await response.json();
      answer.retryAfter = Number(response.headers.get("Retry-After")) || 0;
      if (app) this.#keep(answer.status === 410 ? "" : answer.meta?.session_token ?? this.token);
      return answer;
    } catch {
      return null;
    }
  }

  #keep(token) {
    if (token === this.token) return;
    this.token = token;
    this.#options.onToken?.(token);
  }

  #understand({ status, data, errors, retryAfter }) {
    if (status === 200) return data?.user ? { kind: "signed_in", user: data.user } : { kind: "ok" };
    if (status === 401) {
      const flow = data.flows.find((one) => one.is_pending);
      if (!flow) return { kind: "signed_out" };
      return flow.id === "login_by_code" ? { kind: "code" } : { kind: "pending", flow };
    }
    if (retryAfter) this.#cool(retryAfter);
    const code = status === 409 ? "start_again" : status === 410 ? "gone" : "unknown";
    const { message = "", param } = errors?.[0] ?? {};
    return { kind: "error", code: errors?.[0]?.code ?? code, message, param, retryAfter };
  }
}
