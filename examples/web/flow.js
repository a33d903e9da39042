// The sign-up and the sign-in, on aws-amplify and nothing else: what a page of yours needs.
import { Amplify } from "aws-amplify";
import { confirmSignIn, confirmSignUp, fetchAuthSession, signIn, signOut, signUp } from "aws-amplify/auth";

export function configure({ url, user_pool_id, client_id }) {
  Amplify.configure({
    Auth: {
      Cognito: { userPoolId: user_pool_id, userPoolClientId: client_id, userPoolEndpoint: url },
    },
  });
}

// Nobody ever types this password: Cognito wants one, and people sign in by code.
function unusedPassword() {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return `Aa1!${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export async function register(email) {
  const { nextStep } = await signUp({
    username: email,
    password: unusedPassword(),
    options: { userAttributes: { email } },
  });
  return nextStep.signUpStep;
}

export async function confirm(email, code) {
  const { nextStep } = await confirmSignUp({ username: email, confirmationCode: code });
  return nextStep.signUpStep;
}

// What the challenge shows: medium, destination, message, attemptsLeft, secondsLeft.
function shown({ isSignedIn, nextStep }) {
  return { signedIn: isSignedIn, ...(nextStep.additionalInfo ?? {}) };
}

// Where the triggers have OTP_FIRST_FACTOR=password, give the password: it is proven by SRP before a code is sent.
export async function begin(email, password) {
  await signOut().catch(() => {});
  const options = { authFlowType: password ? "CUSTOM_WITH_SRP" : "CUSTOM_WITHOUT_SRP" };
  return shown(await signIn({ username: email, password, options }));
}

export async function answer(code) {
  return shown(await confirmSignIn({ challengeResponse: code }));
}

export async function resend() {
  const clientMetadata = { action: "resend" };
  return shown(await confirmSignIn({ challengeResponse: "resend", options: { clientMetadata } }));
}

export async function claims() {
  const { tokens } = await fetchAuthSession();
  return tokens?.idToken?.payload ?? null;
}
