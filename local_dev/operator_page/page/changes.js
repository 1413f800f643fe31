// What can still be done about a notification, each as a button.

import { call } from "./api.js";
import { contentFields } from "./content.js";
import { ask } from "./dialog.js";
import { button, el } from "./dom.js";

const ENDED_WELL = ["sent", "recalled", "edited", "acknowledged"];
const ALL_IS_SENT = ["done", "cancelled", "expired"]; // before, the app refuses an edit
const NOBODYS_FAULT = ["open", "optedOut", "cancelled"];

// `changed` is called after each.
export function changeButtons(id, changed) {
  const path = `notifications/${id}`;
  const cancel = button("Cancel", () => confirmed(CANCEL, "DELETE", path));
  const retry = button("Retry", () => change("POST", `${path}/retry`));
  const edit = button("Edit", async () => {
    const { element, read } = contentFields();
    const body = await ask({ ...EDIT, body: [element], read });
    body && (await change("PATCH", path, body));
  });
  const recall = button("Recall", () => confirmed(RECALL, "POST", `${path}/recall`));

  async function change(...asked) {
    await call(...asked);
    await changed();
  }

  async function confirmed(question, ...asked) {
    (await ask(question)) && (await change(...asked));
  }

  function update({ counts, recalled, state, verb = "send" }) {
    const canBeChanged = verb === "send" && counts.sent > 0 && !recalled;
    const failed = Object.keys(counts).some((name) => kindOf(name) === "bad");
    cancel.hidden = !["scheduled", "sending"].includes(state);
    retry.hidden = !failed || Boolean(recalled) || !["sending", "done"].includes(state);
    recall.hidden = !canBeChanged;
    edit.hidden = !canBeChanged || !ALL_IS_SENT.includes(state);
  }

  return { element: el("div", { className: "actions" }, cancel, retry, edit, recall), update };
}

export function kindOf(outcome) {
  return ENDED_WELL.includes(outcome) ? "good" : NOBODYS_FAULT.includes(outcome) ? "" : "bad";
}

const CANCEL = {
  title: "Cancel this?",
  text: "Who has not got it yet does not get it. What was sent stays sent.",
  action: "Cancel it",
  danger: true,
};

const EDIT = {
  title: "Edit this?",
  text: "Replaces the message for everyone who got it, where the channel can.",
  action: "Replace it",
};

const RECALL = {
  title: "Recall this?",
  text: "Deletes the message for everyone who got it, where the channel can.",
  action: "Recall it",
  danger: true,
};
