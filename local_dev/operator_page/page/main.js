// The sections by the address's #, and the looks at what is under way.

import { about } from "./api.js";
import * as conversations from "./conversations.js";
import * as deadLetters from "./dead_letters.js";
import { say } from "./dom.js";
import * as notifications from "./notifications.js";
import * as send from "./send.js";

const SECTIONS = { notifications, send, "dead-letters": deadLetters, conversations };

function current() {
  const name = location.hash.slice(1);
  return name in SECTIONS ? name : "notifications";
}

async function show() {
  const chosen = current();
  for (const name of Object.keys(SECTIONS)) {
    document.getElementById(name).hidden = name !== chosen;
    const link = document.querySelector(`nav a[href="#${name}"]`);
    name === chosen ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  await told(() => SECTIONS[chosen].start(document.querySelector(`#${chosen} .list`)));
}

async function told(work) {
  try {
    await work();
    say("");
  } catch (error) {
    say(error.message);
  }
}

let lost = false; // whether the notice is about a look, which the next one may take back

async function watch() {
  if (current() === "notifications" && !document.hidden) {
    try {
      await notifications.look();
      lost && say("");
      lost = false;
    } catch (error) {
      say(error.message);
      lost = true;
    }
  }
  setTimeout(watch, notifications.PAUSE);
}

addEventListener("hashchange", show);
about().then(({ url }) => {
  document.getElementById("app").textContent = url;
});
show().then(watch);
