// Elements from data. Whatever comes from outside becomes text, never markup.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (name in element && !name.includes("-")) {
      element[name] = value;
    } else {
      element.setAttribute(name, value);
    }
  }
  element.append(...children);
  return element;
}

export function button(label, onclick, properties = {}) {
  return el("button", { type: "button", onclick: whileBusy(onclick), ...properties }, label);
}

// A second press while the first is under way does nothing.
function whileBusy(work) {
  return async ({ currentTarget }) => {
    if (currentTarget.getAttribute("aria-disabled") === "true") {
      return;
    }
    currentTarget.setAttribute("aria-disabled", "true");
    try {
      await work();
      say("");
    } catch (error) {
      say(error.message);
    } finally {
      currentTarget.removeAttribute("aria-disabled");
    }
  };
}

let counter = 0;

export function field(label, input, hint = "") {
  input.id ||= `field-${(counter += 1)}`;
  const parts = [el("label", { htmlFor: input.id }, label), input];
  if (hint) {
    input.setAttribute("aria-describedby", `${input.id}-hint`);
    parts.push(el("small", { id: `${input.id}-hint` }, hint));
  }
  return el("div", { className: "field" }, ...parts);
}

export function facts(rows) {
  const shown = rows.filter(([, value]) => value !== undefined && value !== "");
  return el(
    "dl",
    {},
    ...shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))),
  );
}

export function say(notice) {
  document.getElementById("notice").textContent = notice;
}

export function when(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime())
    ? ""
    : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}
