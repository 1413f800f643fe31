// Whom the bot can tell something, and which topics concern them.

import { call } from "./api.js";
import { button, el, facts, field, when } from "./dom.js";

export async function start(element) {
  if (!element.children.length) {
    element.append(...parts());
  }
  await element.load();
}

function parts() {
  const section = document.querySelector("#conversations .list");
  const kind = el("select", {}, ...["channel", "topic", "user"].map((each) => el("option", {}, each)));
  const name = el("input", { autocomplete: "off", spellcheck: false });
  const rows = el("div", { className: "list" });
  const more = button("More", () => load(more.dataset.after), { hidden: true });

  async function load(after = "") {
    const query = new URLSearchParams(name.value.trim() ? { [kind.value]: name.value.trim() } : {});
    if (after) {
      query.set("after", after);
    }
    const page = await call("GET", `conversations?${query}`);
    const added = page.conversations.map(item);
    after ? rows.append(...added) : rows.replaceChildren(...added);
    if (!rows.children.length) {
      rows.append(el("p", { className: "empty" }, "Nobody."));
    }
    more.dataset.after = page.after ?? "";
    more.hidden = !page.after;
  }

  section.load = load;
  const find = el(
    "form",
    { className: "row", onsubmit: (event) => event.preventDefault() },
    field("Only of this", kind),
    field("Id or name", name, "empty: everybody"),
    button("Find", () => load()),
  );
  return [find, rows, more];
}

function item(known) {
  const path = `conversations/${encodeURIComponent(known.conversation)}/topics`;
  const topics = el("ul", { className: "topics" });
  const name = el("input", { autocomplete: "off", placeholder: "a topic",
    "aria-label": `A topic for ${known.conversation}` });

  function show(names) {
    topics.replaceChildren(
      ...names.map((each) =>
        el("li", {}, each, button("×", () => change("DELETE", each, names.filter((other) => other !== each)), {
          "aria-label": `Unsubscribe from ${each}`,
        })),
      ),
    );
    known.topics = names;
  }

  async function change(method, topic, names) {
    await call(method, `${path}/${encodeURIComponent(topic)}`);
    show(names);
  }

  const add = button("Subscribe", async () => {
    const topic = name.value.trim();
    if (topic) {
      await change("PUT", topic, [...new Set([...known.topics, topic])].sort());
      name.value = "";
    }
  });
  show(known.topics);
  const { blocked, channel, conversation, group, tenant, user } = known;
  return el(
    "article",
    {},
    el(
      "div",
      { className: "head" },
      el("h3", {}, user ?? conversation),
      el("span", { className: "badge" }, group ? `${channel}, group` : channel),
    ),
    facts([
      ["Conversation", conversation],
      ["Tenant", tenant],
      ["Blocked", blocked && `${blocked.reason}, since ${when(blocked.since)}`],
    ]),
    topics,
    el("div", { className: "inline" }, name, add),
    broadcasts(known),
  );
}

// Whether broadcasts leave somebody out, and a button that changes it.
function broadcasts({ conversation, optedOut }) {
  const path = `conversations/${encodeURIComponent(conversation)}/opt-out`;
  const words = el("span", { className: "muted" });
  const change = button("", async () => {
    await call(optedOut ? "DELETE" : "PUT", path);
    show(optedOut ? "" : new Date());
  });

  function show(since) {
    optedOut = since;
    words.textContent = since ? `Left out of broadcasts since ${when(since)}` : "";
    change.textContent = since ? "Start broadcasts" : "Stop broadcasts";
  }

  show(optedOut);
  return el("div", { className: "inline" }, change, words);
}
