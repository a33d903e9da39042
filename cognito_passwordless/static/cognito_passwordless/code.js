// The code page, live: whether the message has gone, the time left, the time to another message, and codes read from an
// SMS. Everything works without it; it only says sooner what the server would say. Texts come from the page, translated.
(() => {
  "use strict";

  const root = document.querySelector("[data-cpw-code]");
  if (!root) return;

  const texts = root.dataset;
  const status = root.querySelector("[data-cpw-status]");
  const left = root.querySelector("[data-cpw-left]");
  const said = root.querySelector("[data-cpw-said]");
  const wait = root.querySelector("[data-cpw-wait]");
  const answer = root.querySelector("[data-cpw-answer]");
  const sends = [...root.querySelectorAll("[data-cpw-send]")];

  const SECOND = 1000;
  // Sooner at first, for most messages go within a second or two.
  const WHILE_SENDING = [1, 1, 2, 3, 5]; // seconds
  const IN_TROUBLE = 15; // seconds
  const FEW = 5; // seconds: rather "10 minutes" at 9:56 than "9 minutes" as soon as the page is there

  let state = texts.state;
  let expires, ready, asked = 0, timer;

  function learn(secondsLeft, secondsToResend) {
    expires = Date.now() + secondsLeft * SECOND;
    ready = Date.now() + secondsToResend * SECOND;
  }

  function secondsUntil(moment) {
    return Math.max(0, Math.ceil((moment - Date.now()) / SECOND));
  }

  // "9 minutes", "45 seconds", with the plurals of the page's language.
  function inWords(seconds) {
    const minutes = Math.floor((seconds + FEW) / 60);
    const [amount, unit] = minutes ? [minutes, "minute"] : [seconds, "second"];
    const style = { style: "unit", unit, unitDisplay: "long" };
    try {
      return new Intl.NumberFormat(document.documentElement.lang, style).format(amount);
    } catch {
      return new Intl.NumberFormat(undefined, style).format(amount);
    }
  }

  function put(element, text) {
    // The same text again would be read aloud again.
    if (element.textContent !== text) element.textContent = text;
  }

  function within(text, moment) {
    return text.replace("{time}", inWords(secondsUntil(moment)));
  }

  function show() {
    const seconds = secondsUntil(expires);
    const over = state !== "ended" && seconds === 0;
    root.dataset.state = over ? "over" : state;
    put(status, { sending: texts.textSending, sent: texts.textSent, trouble: texts.textTrouble,
      over: texts.textOver, ended: texts.textEnded }[root.dataset.state] ?? "");
    put(left, seconds && state !== "ended" ? within(texts.textLeft, expires) : "");
    const waiting = secondsUntil(ready) > 0;
    put(wait, waiting ? within(texts.textWait, ready) : "");
    for (const form of sends) {
      // Not `disabled`: that would take the focus away from whoever waits on it.
      form.querySelector("button").setAttribute("aria-disabled", String(waiting));
    }
  }

  async function ask() {
    clearTimeout(timer);
    try {
      const response = await fetch(texts.statusUrl, { headers: { Accept: "application/json" }, cache: "no-store" });
      const news = await response.json();
      if (response.status === 404) {
        state = "ended";
      } else if (response.ok) {
        state = news.state;
        learn(news.seconds_left, news.seconds_to_resend);
      }
      show();
    } catch {
      // Offline, or going to another page: the countdowns go on without news.
    }
    askLater();
  }

  function askLater() {
    clearTimeout(timer);
    const pause = { sending: WHILE_SENDING[Math.min(asked, WHILE_SENDING.length - 1)], trouble: IN_TROUBLE }[state];
    if (!pause || secondsUntil(expires) === 0) return;
    asked += 1;
    timer = setTimeout(ask, pause * SECOND);
  }

  // WebOTP: the browser offers the code of an SMS whose last line names this site.
  function readSms() {
    if (texts.channel !== "sms" || !("OTPCredential" in window)) return;
    const abort = new AbortController();
    answer.addEventListener("submit", () => abort.abort());
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: abort.signal }).then((credential) => {
      if (!credential?.code) return;
      answer.querySelector("input[name=code]").value = credential.code;
      answer.requestSubmit();
    }).catch(() => {
      // Declined, timed out or not allowed here: people type it.
    });
  }

  for (const form of sends) {
    form.addEventListener("submit", (event) => {
      if (secondsUntil(ready) === 0) return;
      event.preventDefault();
      put(said, within(texts.textWait, ready));
    }, { capture: true });
  }
  // Another tab may have asked for a code or signed in meanwhile, and clocks stop while a machine sleeps.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });

  learn(Number(texts.secondsLeft), Number(texts.secondsToResend));
  show();
  texts.live = "";
  setInterval(show, SECOND);
  askLater();
  readSms();
})();
