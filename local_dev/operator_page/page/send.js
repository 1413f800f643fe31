// Ask for a notification: to whom, what and when; first how many would get it.

import { call } from "./api.js";
import { audienceFields } from "./audience.js";
import { bubble, contentFields } from "./content.js";
import { ask } from "./dialog.js";
import { button, el, field, plural } from "./dom.js";

export function start(element) {
  if (!element.children.length) {
    element.append(form());
  }
}

function form() {
  const audience = audienceFields();
  const content = contentFields();
  const at = el("input", { type: "datetime-local" });
  const result = el("div", { className: "preview", role: "region", "aria-label": "Preview" });
  const keys = keptKeys();

  function order() {
    const later = at.value ? { at: new Date(at.value).toISOString() } : {};
    return { to: audience.read(), ...content.read(), ...later };
  }

  async function preview() {
    const found = await call("POST", "notifications/preview", order());
    result.replaceChildren(...previewOf(found));
    return found;
  }

  async function send() {
    const { recipients } = await preview();
    const body = order();
    const text = `${plural(recipients, "recipient")}, ${at.value ? "later" : "now"}.`;
    if (await ask({ title: "Send this?", text, action: "Send it" })) {
      await call("POST", "notifications", body, { "Idempotency-Key": keys.of(body) });
      keys.forget();
      result.replaceChildren();
      location.hash = "notifications";
    }
  }

  const buttons = [button("Preview", preview), button("Send …", send, { className: "primary" })];
  const actions = el("div", { className: "actions" }, ...buttons);
  const parts = [audience.element, content.element, field("When", at, "empty: now"), actions, result];
  return el("form", { onsubmit: (event) => event.preventDefault() }, ...parts);
}

function previewOf({ activity, first, recipients }) {
  const names = first.map((each) => el("li", {}, each.user ?? each.conversation));
  return [
    el("h3", {}, `${plural(recipients, "recipient")} would get this`),
    bubble(activity),
    el("ul", { className: "names" }, ...names),
  ];
}

// A press after a call that failed has the key of the one before, so nothing is sent twice; a press
// after one that went through is meant anew.
function keptKeys() {
  let last = { text: "", key: "" };
  return {
    of(body) {
      const text = JSON.stringify(body);
      last = text === last.text ? last : { text, key: crypto.randomUUID() };
      return last.key;
    },
    forget() {
      last = { text: "", key: "" };
    },
  };
}
