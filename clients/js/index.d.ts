export type Channel = "email" | "sms";

/** What the person reads is `message`; `code` is stable. */
export type ErrorCode =
  | "required" | "invalid" | "invalid_choice" | "max_length" | "null_characters_not_allowed" | "invalid_json"
  | "not_served" | "captcha" | "incorrect_code" | "refused" | "too_many" | "too_soon" | "cannot_send"
  | "start_again" | "gone" | "unreachable" | "unknown";

export interface Flow {
  id: string;
  is_pending?: boolean;
  providers?: string[];
  types?: string[];
}

export interface User {
  id: number | string;
  display: string;
  has_usable_password: boolean;
  email?: string;
  username?: string;
  [name: string]: unknown;
}

export type Result =
  | { kind: "code" }
  | { kind: "ok" }
  | { kind: "signed_in"; user: User }
  | { kind: "signed_out" }
  | { kind: "pending"; flow: Flow }
  | { kind: "error"; code: ErrorCode; message: string; param?: string; retryAfter?: number };

export interface Status {
  state: "sending" | "sent" | "trouble";
  secondsToResend: number;
  secondsLeft: number;
  canResend: boolean;
}

export interface Options {
  /** "app" sends a session token and no cookie. */
  client?: "browser" | "app";
  /** The site, such as "https://www.example.com"; empty for the page's own. */
  baseUrl?: string;
  csrfCookie?: string;
  /** What is sent as Accept-Language. */
  language?: string;
  /** The session token that an app kept. */
  token?: string;
  /** Called with each new session token; keep it where only the app can read it, and drop it when it is empty. */
  onToken?: (token: string) => void;
  fetch?: typeof fetch;
  now?: () => number;
}

export declare class CodeSignIn {
  constructor(options?: Options);
  token: string;
  readonly secondsToResend: number;
  request(who: ({ email: string } | { phone: string }) & { channel?: Channel; by?: "code" }): Promise<Result>;
  confirm(code: string): Promise<Result>;
  resend(channel?: Channel): Promise<Result>;
  status(): Promise<Status | null>;
  session(): Promise<Result>;
  signOut(): Promise<Result>;
  secondFactor(code: string): Promise<Result>;
  codeFromSms(signal?: AbortSignal): Promise<string | null>;
}
