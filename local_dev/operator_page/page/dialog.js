// A question before something that cannot be undone; resolves to what `read` gives, or to null.

import { el } from "./dom.js";

let counter = 0;

export function ask({ title, text, action, danger = false, body = [], read = () => true }) {
  const id = `dialog-${(counter += 1)}`;
  const answer = { value: null };
  const problem = el("p", { role: "alert", className: "problem" });
  const confirm = el("button", { type: "submit", className: danger ? "danger" : "primary" }, action);
  const dialog = el(
    "dialog",
    { "aria-labelledby": id },
    el("h3", { id }, title),
    el("p", {}, text),
    ...body,
    problem,
    el(
      "div",
      { className: "actions" },
      el("button", { type: "button", onclick: () => dialog.close() }, "Not now"),
      confirm,
    ),
  );
  confirm.addEventListener("click", () => {
    try {
      answer.value = read();
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer.value);
    });
  });
}
