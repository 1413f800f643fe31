// Who is to get a notification, and what has become of each.

import { call } from "./api.js";
import { button, el, field, say } from "./dom.js";

const NAMES = { "": "everyone", failed: "who did not get it" };
const COLUMNS = ["Who", "Channel", "Outcome", "Why"];

// `outcomes` says which there are by now.
export function recipientsOf(id, outcomes) {
  const rows = el("tbody");
  const state = el("select", { onchange: () => told(load) });
  const more = button("More", () => load(more.dataset.after), { hidden: true });
  const empty = el("p", { className: "muted", hidden: true }, "Nobody.");

  function offer() {
    const chosen = state.value;
    const names = [...new Set(["", "failed", ...outcomes(), chosen])];
    state.replaceChildren(...names.map((each) => el("option", { value: each }, NAMES[each] ?? each)));
    state.value = chosen;
  }

  async function load(after = "") {
    offer();
    const query = new URLSearchParams({ ...(state.value && { state: state.value }), ...(after && { after }) });
    const page = await call("GET", `notifications/${id}/recipients?${query}`);
    const added = page.recipients.map(row);
    after ? rows.append(...added) : rows.replaceChildren(...added);
    more.dataset.after = page.after ?? "";
    more.hidden = !page.after;
    empty.hidden = rows.children.length > 0;
  }

  const parts = [field("Recipients", state), table(rows), empty, more];
  const details = el("details", { ontoggle: () => details.open && told(load) });
  details.append(el("summary", {}, "Recipients and reasons"), ...parts);
  return { element: details };
}

async function told(load) {
  try {
    await load();
  } catch (error) {
    say(error.message);
  }
}

function table(rows) {
  const head = COLUMNS.map((name) => el("th", { scope: "col" }, name));
  const scroll = { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Recipients" };
  return el("div", scroll, el("table", {}, el("thead", {}, el("tr", {}, ...head)), rows));
}

function row({ acknowledged, channel, conversation, reason, recipient, state, user }) {
  const why = acknowledged ? `acknowledged ${acknowledged}` : (reason ?? "");
  const cells = [user ?? conversation ?? recipient, channel ?? "", state, why];
  return el("tr", {}, ...cells.map((each) => el("td", {}, each)));
}
