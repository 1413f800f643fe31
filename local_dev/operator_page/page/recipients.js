// Who is to get a notification, and what has become of each.

import { call } from "./api.js";
import { button, el, field } from "./dom.js";

const STATES = ["", "failed", "open", "sent", "blocked", "removed", "gone", "refused", "unknown"];
const NAMES = { "": "everyone", failed: "who did not get it" };

export function recipientsOf(id) {
  const rows = el("tbody");
  const head = ["Who", "Channel", "Outcome", "Why"].map((name) => el("th", { scope: "col" }, name));
  const state = el("select", { onchange: () => load() });
  state.append(...STATES.map((each) => el("option", { value: each }, NAMES[each] ?? each)));
  const more = button("More", () => load(more.dataset.after), { hidden: true });
  const empty = el("p", { className: "muted", hidden: true }, "Nobody.");

  async function load(after = "") {
    const query = new URLSearchParams(state.value ? { state: state.value } : {});
    if (after) {
      query.set("after", after);
    }
    const page = await call("GET", `notifications/${id}/recipients?${query}`);
    const added = page.recipients.map(row);
    after ? rows.append(...added) : rows.replaceChildren(...added);
    more.dataset.after = page.after ?? "";
    more.hidden = !page.after;
    empty.hidden = rows.children.length > 0;
  }

  const table = el("table", {}, el("thead", {}, el("tr", {}, ...head)), rows);
  const scroll = { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Recipients" };
  const element = el("div", {}, field("Recipients", state), el("div", scroll, table), empty, more);
  return { element, load };
}

function row({ user, conversation, recipient, channel, state, reason, acknowledged }) {
  const why = acknowledged ? `acknowledged ${acknowledged}` : (reason ?? "");
  const cells = [user ?? conversation ?? recipient, channel ?? "", state, why];
  return el("tr", {}, ...cells.map((each) => el("td", {}, each)));
}
