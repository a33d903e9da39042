// A form marked data-cpw-once is sent once: a double click would spend a second attempt, or send a second message.
(() => {
  "use strict";

  // Longer than an answer takes; after it, somebody who stopped the loading may press again.
  const FORGET = 8000; // milliseconds
  const pending = new Set();

  for (const form of document.querySelectorAll("form[data-cpw-once]")) {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      if (pending.size) {
        event.preventDefault();
        return;
      }
      pending.add(form);
      form.dataset.cpwPending = "";
      setTimeout(forget, FORGET);
    });
  }

  // The browser may bring the page back as it was left.
  addEventListener("pageshow", forget);

  function forget() {
    for (const form of pending) delete form.dataset.cpwPending;
    pending.clear();
  }
})();
