// What was given up: why, once more, or away with it.

import { call } from "./api.js";
import { ask } from "./dialog.js";
import { button, el, facts, say, when } from "./dom.js";

let list;

export async function start(element) {
  list = element;
  list.replaceChildren();
  await load();
}

async function load(after = "") {
  const page = await call("GET", `dead-letters${after && `?after=${after}`}`);
  list.append(...page.deadLetters.map(item));
  if (page.after) {
    const more = button("More", async () => {
      more.remove();
      await load(page.after);
    });
    list.append(more);
  }
  emptied();
}

function emptied() {
  if (!list.children.length) {
    list.append(el("p", { className: "empty" }, "Nothing was given up."));
  }
}

function item(letter) {
  const path = `dead-letters/${letter.id}`;
  const message = el("pre", { tabIndex: 0 });
  const details = el("details", { ontoggle: () => details.open && !message.textContent && open() });
  details.append(el("summary", {}, "The message"), message);

  async function open() {
    try {
      message.textContent = JSON.stringify((await call("GET", path)).message, null, 2);
    } catch (error) {
      say(error.message);
    }
  }

  function gone() {
    element.remove();
    emptied();
  }

  const replay = button("Replay", async () => {
    await call("POST", `${path}/replay`);
    gone();
  });
  const purge = button("Purge", async () => {
    const text = "Deletes the message for good. Nobody will get it.";
    if (await ask({ title: "Purge this?", text, action: "Purge it", danger: true })) {
      await call("DELETE", path);
      gone();
    }
  });
  const { error, reason, firstReason, missed, attempts, messageId, deadLetteredAt } = letter;
  const element = el(
    "article",
    {},
    el("div", { className: "head" }, el("h3", {}, reason), el("span", { className: "badge refused" }, error)),
    facts([
      ["Who missed it", missed],
      ["Given up", when(deadLetteredAt)],
      ["Attempts", attempts],
      ["First reason", firstReason],
      ["Message", messageId],
    ]),
    el("div", { className: "actions" }, replay, purge),
    details,
  );
  return element;
}
