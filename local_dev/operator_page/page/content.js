// What is said: the fields in which it is written, and how it will look.

import { el, field } from "./dom.js";

const CARD = "application/vnd.microsoft.card.adaptive";

export function contentFields() {
  const text = el("textarea", { rows: 3, name: "text" });
  const card = el("textarea", { rows: 6, name: "card", spellcheck: false, className: "code" });
  const element = el(
    "div",
    {},
    field("Text", text),
    el(
      "details",
      {},
      el("summary", {}, "A card"),
      field("Adaptive Card", card, "JSON, as the designer at adaptivecards.io gives it"),
    ),
  );
  return { element, read: () => contentOf(text.value.trim(), card.value.trim()) };
}

function contentOf(text, card) {
  if (!text && !card) {
    throw new Error("Write a text, or a card.");
  }
  if (!card) {
    return { text };
  }
  const attachments = [{ contentType: CARD, content: parsed(card) }];
  return { activity: text ? { text, attachments } : { attachments } };
}

function parsed(card) {
  try {
    return JSON.parse(card);
  } catch (error) {
    throw new Error(`The card is not JSON: ${error.message}`);
  }
}

// Draw an activity as its readers get it. Its buttons do nothing here.
export function bubble(activity) {
  const shown = (activity.attachments ?? []).map((each) =>
    each.contentType === CARD ? drawn(each.content) : el("p", {}, `An attachment: ${each.contentType}`),
  );
  const text = activity.text ? [el("p", {}, activity.text)] : [];
  return el("div", { className: "bubble" }, ...text, ...shown);
}

function drawn(content) {
  try {
    AdaptiveCards.AdaptiveCard.onProcessMarkdown = () => {}; // it would become markup
    const card = new AdaptiveCards.AdaptiveCard();
    card.hostConfig = new AdaptiveCards.HostConfig({ fontFamily: "inherit" });
    card.onExecuteAction = () => {};
    card.parse(content);
    return card.render() ?? el("p", {}, "This card shows nothing.");
  } catch {
    return el("p", {}, "This card cannot be drawn.");
  }
}
