// What went out, newest first, with live counts.

import { call } from "./api.js";
import { changeButtons, kindOf } from "./changes.js";
import { el, plural, when } from "./dom.js";
import { recipientsOf } from "./recipients.js";

export const PAUSE = 1500; // milliseconds between two looks at what is under way
const LIST = 4; // of these, between two looks at the list
const WATCHED = 10; // notifications at a time

const shown = new Map();
let list, looks;

export async function start(element) {
  list = element;
  looks = 0;
  await refresh();
}

export async function look() {
  looks += 1;
  if (looks % LIST === 0) {
    return refresh();
  }
  const moving = [...shown.values()].filter((each) => each.isMoving());
  await Promise.all(moving.slice(0, WATCHED).map((each) => each.reload()));
}

// What stays where it is is left alone, so that nobody loses the focus.
async function refresh() {
  const { notifications } = await call("GET", "notifications");
  for (const each of notifications) {
    if (!shown.has(each.id)) {
      shown.set(each.id, item(each));
    }
    shown.get(each.id).update(each);
  }
  const wanted = notifications.map(({ id }) => shown.get(id).element);
  if (!wanted.length) {
    list.replaceChildren(el("p", { className: "empty" }, "Nothing has been sent yet."));
  } else if (wanted.some((each, place) => list.children[place] !== each)) {
    list.replaceChildren(...wanted);
  }
}

function item(first) {
  let now = first;
  const title = titleOf(first);
  const badge = el("span");
  const facts = el("p", { className: "muted" });
  const bar = el("progress", { max: 1, "aria-label": `Progress: ${title}` });
  const counts = el("ul", { className: "counts" });
  const changes = changeButtons(first.id, async () => {
    await reload();
    await refresh();
  });
  const recipients = recipientsOf(first.id, () => Object.keys(now.counts));

  async function reload() {
    update(await call("GET", `notifications/${first.id}`));
  }

  function update(document) {
    now = document;
    badge.textContent = document.state;
    badge.className = `badge ${document.state}`;
    facts.textContent = factsOf(document);
    bar.hidden = document.state !== "sending";
    bar.value = shareOf(document);
    counts.replaceChildren(...Object.entries(document.counts).map(count));
    changes.update(document);
  }

  const head = el("div", { className: "head" }, el("h3", {}, title), badge);
  const said = el("p", { className: "said" }, first.text ?? "");
  const parts = [head, said, facts, bar, counts, changes.element, recipients.element];
  return { element: el("article", {}, ...parts), update, reload, isMoving: () => isMoving(now) };
}

function isMoving({ at, state }) {
  return state === "sending" || (state === "scheduled" && new Date(at) <= Date.now());
}

function shareOf({ counts, planned, recipients }) {
  return planned && recipients ? (recipients - (counts.open ?? 0)) / recipients : 0;
}

function count([name, number]) {
  return el("li", { className: kindOf(name) }, el("strong", {}, number.toLocaleString()), ` ${name}`);
}

function factsOf({ acknowledged, at, created, of, planned, reason, recalled, recipients, state }) {
  const facts = [
    of && `of ${of}`,
    planned && plural(recipients, "recipient"),
    `asked for ${when(created)}`,
    state === "scheduled" && `due ${when(at)}`,
    recalled && `recalled ${when(recalled)}`,
    acknowledged && `${acknowledged.toLocaleString()} acknowledged`,
    reason,
  ];
  return facts.filter(Boolean).join(" · ");
}

function titleOf({ to, verb }) {
  const kind = { edit: "Edit: ", recall: "Recall: " }[verb] ?? "";
  return kind + audienceOf(to);
}

function audienceOf(to) {
  if (Array.isArray(to)) {
    return `A list of ${to.length}`;
  }
  const { all, channel, conversation, topic, user } = to ?? {};
  if (all) {
    return "Everyone";
  }
  const named = { Person: user, Conversation: conversation, Topic: topic, Channel: channel };
  const [kind, name] = Object.entries(named).find(([, value]) => value) ?? ["Those", "who got it"];
  return `${kind} ${name}`;
}
