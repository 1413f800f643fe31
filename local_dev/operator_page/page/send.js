// Ask for a notification: to whom, what and when; first how many would get it.

import { call } from "./api.js";
import { bubble, contentFields } from "./content.js";
import { ask } from "./dialog.js";
import { button, el, field, plural, say } from "./dom.js";

const KINDS = {
  all: "Everyone",
  channel: "Everyone on a channel",
  topic: "Who subscribed to a topic",
  user: "One person",
  conversation: "One conversation",
};
const MANY = ["all", "channel", "topic"];

export function start(element) {
  if (!element.children.length) {
    element.append(form());
  }
}

function form() {
  const kind = el("select", { onchange: () => show() });
  kind.append(...Object.entries(KINDS).map(([value, name]) => el("option", { value }, name)));
  const name = el("input", { autocomplete: "off", spellcheck: false });
  const most = el("input", { type: "number", min: 1, inputMode: "numeric" });
  const at = el("input", { type: "datetime-local" });
  const named = field("Id or name", name);
  const limited = field("At most", most, "nobody gets it if more would");
  const content = contentFields();
  const result = el("div", { className: "preview", role: "region", "aria-label": "Preview" });
  let asked = { body: "", key: "" };

  function show() {
    named.hidden = kind.value === "all";
    limited.hidden = !MANY.includes(kind.value);
  }

  function order() {
    const to = { [kind.value]: kind.value === "all" ? true : name.value.trim() };
    if (MANY.includes(kind.value) && most.value) {
      to.at_most = Number(most.value);
    }
    const later = at.value ? { at: new Date(at.value).toISOString() } : {};
    return { to, ...content.read(), ...later };
  }

  async function preview() {
    const found = await call("POST", "notifications/preview", order());
    const first = found.first.map((each) => el("li", {}, each.user ?? each.conversation));
    result.replaceChildren(
      el("h3", {}, `${plural(found.recipients, "recipient")} would get this`),
      bubble(found.activity),
      el("ul", { className: "names" }, ...first),
    );
    return found;
  }

  // The same content has the same key: pressed again after a timeout, it sends nothing twice.
  function keyOf(body) {
    const text = JSON.stringify(body);
    asked = text === asked.body ? asked : { body: text, key: crypto.randomUUID() };
    return asked.key;
  }

  async function send() {
    const { recipients } = await preview();
    const body = order();
    const text = `${plural(recipients, "recipient")} ${at.value ? "will get it later" : "get it now"}.`;
    if (await ask({ title: "Send this?", text, action: "Send it" })) {
      await call("POST", "notifications", body, { "Idempotency-Key": keyOf(body) });
      asked = { body: "", key: "" };
      result.replaceChildren();
      location.hash = "notifications";
    }
  }

  show();
  const element = el(
    "form",
    { onsubmit: (event) => event.preventDefault() },
    el("div", { className: "row" }, field("To", kind), named, limited),
    content.element,
    field("When", at, "empty: now"),
    el("div", { className: "actions" }, button("Preview", preview), button("Send …", send, { className: "primary" })),
    result,
  );
  return element;
}
