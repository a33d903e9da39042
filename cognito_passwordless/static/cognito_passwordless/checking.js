// The page that waits for the verdict on a code. Without it, the page loads itself again each second, and a right code
// takes one more press of a button.
(() => {
  "use strict";

  const root = document.querySelector("[data-cpw-checking]");
  if (!root) return;

  // Often at first, for a right code is known within a fraction of a second.
  const PAUSES = [150, 150, 200, 250, 250, 500]; // milliseconds
  const LATER = 1000; // milliseconds

  let asked = 0;

  async function ask() {
    let answer = "checking";
    try {
      const response = await fetch(root.dataset.statusUrl, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (response.status === 404) answer = "ended";
      else if (response.ok) ({ answer } = await response.json());
    } catch {
      // Offline: asked again.
    }
    if (answer === "checking") askLater();
    else if (answer === "right") finish();
    else location.reload(); // which says it
  }

  function askLater() {
    setTimeout(ask, PAUSES[asked] ?? LATER);
    asked += 1;
  }

  function finish() {
    root.querySelector("form").submit();
  }

  if (root.dataset.state === "right") finish();
  else askLater();
})();
