import { answer, begin, claims, configure, confirm, register, resend } from "./flow.js";

const element = (id) => document.getElementById(id);
const SENTENCES = {
  code_sent: "We have sent a code to",
  code_resent: "We have sent a code again to",
  wrong_code: "That was not the code we sent to",
  resend_wait: "Please wait a moment before asking again. The last code went to",
  resend_limit: "No more codes can be sent to",
  send_failed: "We could not send a code to",
};
let signingUp = false;

configure(await (await fetch("/config.json")).json());

function say(text) {
  element("status").textContent = text;
}

function show(entry) {
  element("start").hidden = entry;
  element("entry").hidden = !entry;
  element("resend").hidden = signingUp;
  element("code").value = "";
}

async function show_challenge(shown) {
  if (shown.signedIn) {
    const { email } = await claims();
    element("entry").hidden = true;
    return say(`Signed in as ${email}.`);
  }
  show(true);
  const left = shown.message === "wrong_code" ? ` ${shown.attemptsLeft} tries left.` : "";
  say(`${SENTENCES[shown.message] ?? "Enter the code for"} ${shown.destination}.${left}`);
}

// Whatever fails, the person gets one sentence and the beginning.
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    show(signingUp && error.name === "CodeMismatchException");
    say(error.message);
  }
}

element("start").addEventListener("submit", (event) => {
  event.preventDefault();
  signingUp = false;
  attempt(async () => show_challenge(await begin(element("email").value)));
});
element("sign-up").addEventListener("click", () => {
  signingUp = true;
  attempt(async () => {
    await register(element("email").value);
    show(true);
    say("We have sent a code to prove your address.");
  });
});
element("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const code = element("code").value;
    if (!signingUp) return show_challenge(await answer(code));
    await confirm(element("email").value, code);
    signingUp = false;
    show(false);
    say("Your address is proven. Now sign in.");
  });
});
element("resend").addEventListener("click", () => attempt(async () => show_challenge(await resend())));
say("");
