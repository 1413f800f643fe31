// To whom: the fields in which it is said.

import { el, field } from "./dom.js";

const KINDS = {
  all: "Everyone",
  channel: "Everyone on a channel",
  topic: "Who subscribed to a topic",
  user: "One person",
  conversation: "One conversation",
};
const MANY = ["all", "channel", "topic"];

export function audienceFields() {
  const kind = el("select", { onchange: () => show() });
  kind.append(...Object.entries(KINDS).map(([value, name]) => el("option", { value }, name)));
  const name = el("input", { autocomplete: "off", spellcheck: false });
  const most = el("input", { type: "number", min: 1, inputMode: "numeric" });
  const named = field("Id or name", name);
  const limited = field("At most", most, "nobody gets it if more would");

  function show() {
    named.hidden = kind.value === "all";
    limited.hidden = !MANY.includes(kind.value);
  }

  function read() {
    const to = { [kind.value]: kind.value === "all" ? true : name.value.trim() };
    return MANY.includes(kind.value) && most.value ? { ...to, at_most: Number(most.value) } : to;
  }

  show();
  return { element: el("div", { className: "row" }, field("To", kind), named, limited), read };
}
