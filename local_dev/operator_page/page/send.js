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
    const body = order();
    const found = await call("POST", "notifications/preview", body);
    const refused = refusalOf(found, body.to);
    result.replaceChildren(...previewOf(found, refused));
    return { body, found, refused };
  }

  async function send() {
    const { body, found, refused } = await preview();
    if (refused) {
      throw new Error(refused);
    }
    const text = `${told(found)}, ${at.value ? "later" : "now"}. ${leftOut(found)}`;
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

// Who is left out counts, too, as it does for the app, which refuses it with a 409.
function refusalOf({ recipients }, { at_most: most }) {
  const said = `Nobody would get this: it is for ${plural(recipients, "recipient")}, and at most`;
  return recipients > most ? `${said} ${most.toLocaleString()} may get it.` : "";
}

function previewOf(found, refused) {
  const names = found.first.map((each) => el("li", {}, each.user ?? each.conversation));
  return [
    el("h3", {}, refused || `${told(found)} would get this`),
    el("p", { className: "muted" }, leftOut(found)),
    bubble(found.activity),
    el("ul", { className: "names" }, ...names),
  ];
}

function told({ blocked = 0, optedOut = 0, recipients }) {
  return plural(recipients - optedOut - blocked, "recipient");
}

function leftOut({ blocked, optedOut }) {
  const said = optedOut && `${optedOut.toLocaleString()} said stop`;
  const refused = blocked && `${blocked.toLocaleString()} lately blocked the bot`;
  const all = [said, refused].filter(Boolean).join(", ");
  return all && `Left out: ${all}.`;
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
