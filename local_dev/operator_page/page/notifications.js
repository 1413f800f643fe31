// What went out: live counts, and what can be done about each.

import { call } from "./api.js";
import { contentFields } from "./content.js";
import { ask } from "./dialog.js";
import { button, el, plural, when } from "./dom.js";
import { recipientsOf } from "./recipients.js";

const GOING_ON = ["scheduled", "sending"];
const GOOD = ["sent", "recalled", "edited", "acknowledged"];
const NEUTRAL = ["open", "optedOut", "cancelled"];
const LOOK = 1500; // milliseconds between two looks at what is under way
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

export const PAUSE = LOOK;

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
  const path = `notifications/${first.id}`;
  const title = el("h3", {}, titleOf(first));
  const badge = el("span", { className: "badge" });
  const bar = el("progress", { max: 1, "aria-label": `Progress: ${titleOf(first)}` });
  const counts = el("ul", { className: "counts" });
  const said = el("p", { className: "said" }, first.text ?? "");
  const times = el("p", { className: "muted" });
  const actions = el("div", { className: "actions" });
  const recipients = recipientsOf(first.id, () => Object.keys(now.counts));
  const details = el("details", { ontoggle: () => details.open && recipients.load() });
  details.append(el("summary", {}, "Recipients and reasons"), recipients.element);

  async function reload() {
    update(await call("GET", path));
  }

  async function change(method, way, body) {
    await call(method, `${path}${way}`, body);
    await reload();
    await refresh();
  }

  const buttons = {
    cancel: button("Cancel", async () => {
      const text = "Who has not got it yet does not get it. What was sent stays sent.";
      const sure = { title: "Cancel this?", text, action: "Cancel it", danger: true };
      (await ask(sure)) && (await change("DELETE", ""));
    }),
    retry: button("Retry", () => change("POST", "/retry")),
    edit: button("Edit", async () => {
      const { element, read } = contentFields();
      const text = "Replaces the message for everyone who got it, where the channel can.";
      const body = await ask({ title: "Edit this?", text, action: "Replace it", body: [element], read });
      body && (await change("PATCH", "", body));
    }),
    recall: button("Recall", async () => {
      const text = "Deletes the message for everyone who got it, where the channel can.";
      const sure = { title: "Recall this?", text, action: "Recall it", danger: true };
      (await ask(sure)) && (await change("POST", "/recall"));
    }),
  };
  actions.append(...Object.values(buttons));

  function update(document) {
    now = document;
    const open = document.counts.open ?? 0;
    badge.textContent = document.state;
    badge.className = `badge ${document.state}`;
    const ended = document.recipients ? (document.recipients - open) / document.recipients : 1;
    bar.value = document.planned ? ended : 0;
    bar.hidden = document.state !== "sending";
    counts.replaceChildren(...Object.entries(document.counts).map(count));
    times.textContent = [verb(document), document.planned ? plural(document.recipients, "recipient") : "",
      `asked for ${when(document.created)}`, due(document), taken(document), heeded(document), document.reason ?? ""].filter(Boolean).join(" · ");
    show(document);
  }

  function show({ state, counts: of, recalled, verb: kind = "send" }) {
    const failed = Object.keys(of).some((name) => !GOOD.includes(name) && !NEUTRAL.includes(name));
    const sent = kind === "send" && of.sent > 0 && !recalled;
    buttons.cancel.hidden = !GOING_ON.includes(state);
    buttons.retry.hidden = !failed || recalled || !["sending", "done"].includes(state);
    buttons.edit.hidden = buttons.recall.hidden = !sent;
  }

  function isMoving() {
    return now.state === "sending" || (now.state === "scheduled" && new Date(now.at) <= Date.now());
  }

  const head = el("div", { className: "head" }, title, badge);
  const element = el("article", {}, head, said, times, bar, counts, actions, details);
  return { element, update, reload, isMoving };
}

function count([name, number]) {
  const kind = GOOD.includes(name) ? "good" : NEUTRAL.includes(name) ? "" : "bad";
  return el("li", { className: kind }, el("strong", {}, number.toLocaleString()), ` ${name}`);
}

function due({ at, state }) {
  return state === "scheduled" ? `due ${when(at)}` : "";
}

function taken({ recalled }) {
  return recalled ? `recalled ${when(recalled)}` : "";
}

function heeded({ acknowledged }) {
  return acknowledged ? `${acknowledged.toLocaleString()} acknowledged` : "";
}

function verb({ verb: kind = "send", of }) {
  return kind === "send" ? "" : `${kind} of ${of}`;
}

function titleOf(document) {
  const { verb: kind = "send" } = document;
  return kind === "send" ? audience(document) : `${kind === "edit" ? "Edit" : "Recall"}: ${audience(document)}`;
}

function audience({ to }) {
  if (Array.isArray(to)) {
    return `A list of ${to.length}`;
  }
  if (!to) {
    return "Those who got it";
  }
  const { user, conversation, topic, channel, all } = to;
  if (all) {
    return "Everyone";
  }
  const named = { Person: user, Conversation: conversation, Topic: topic, Channel: channel };
  const [kind, name] = Object.entries(named).find(([, value]) => value) ?? ["To", JSON.stringify(to)];
  return `${kind} ${name}`;
}
