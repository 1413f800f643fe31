// Shows Web Chat on the local Direct Line. The page holds a token, never the secret.
"use strict";

const RETRY_DELAY = 2000; // milliseconds
const CHECK_INTERVAL = 5000; // milliseconds
const DOMAIN = `${location.origin}/v3/directline`;
const POLLING = new URLSearchParams(location.search).get("transport") === "polling";

const DOTS = [0, 1, 2].map(
  (place) => `<circle cx="${20 + 12 * place}" cy="16" r="4" fill="#98a2b3">
    <animate attributeName="opacity" values="1;.25;1" dur="1.2s" begin="${place / 5}s"
      repeatCount="indefinite"/></circle>`,
);
const TYPING = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32">
  <rect x=".5" y=".5" width="63" height="31" rx="12" fill="#fff" stroke="#dfe4ef"/>${DOTS.join("")}</svg>`;

const STYLE = {
  accent: "#3b5bdb",
  backgroundColor: "#f4f6fb",
  botAvatarBackgroundColor: "#3b5bdb",
  bubbleBackground: "#ffffff",
  bubbleBorderColor: "#dfe4ef",
  bubbleBorderRadius: 12,
  bubbleFromUserBackground: "#3b5bdb",
  bubbleFromUserBorderColor: "#3b5bdb",
  bubbleFromUserBorderRadius: 12,
  bubbleFromUserTextColor: "#ffffff",
  bubbleMaxWidth: 560,
  bubbleTextColor: "#1c2333",
  primaryFont: "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
  rootHeight: "100%",
  sendBoxBackground: "#ffffff",
  sendBoxBorderTop: "1px solid #dfe4ef",
  sendBoxHeight: 52,
  subtle: "#667085",
  typingAnimationBackgroundImage: `url("data:image/svg+xml,${encodeURIComponent(TYPING)}")`,
  typingAnimationHeight: 32,
  typingAnimationWidth: 64,
};

const user = { id: userId() };
let leave = () => {};

// Of the first two words with a letter or a digit, whatever the script.
function initials(name) {
  const words = name.match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu) || [];
  return words.slice(0, 2).map(([letter]) => letter.toUpperCase()).join("");
}

function userId() {
  const key = "proactive-bot-user";
  try {
    const known = localStorage.getItem(key) || `dl_${randomText()}`;
    localStorage.setItem(key, known);
    return known;
  } catch {
    return `dl_${randomText()}`; // no storage here: a reload will be somebody else
  }
}

function randomText() {
  if (crypto.randomUUID) {
    return crypto.randomUUID();
  }
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("");
}

function say(notice) {
  const element = document.getElementById("notice");
  element.textContent = notice;
  element.hidden = !notice;
}

async function fetchToken(startNew) {
  const response = await fetch("/chat/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user, startNew }),
  });
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  return response.json();
}

async function enter(startNew = false) {
  leave();
  try {
    const { token, userId: userID } = await fetchToken(startNew);
    leave();
    say("");
    show(token, userID);
  } catch (error) {
    say(`The local Direct Line does not answer (${error.message}). Trying again.`);
    const timer = setTimeout(enter, RETRY_DELAY, startNew);
    leave = () => clearTimeout(timer);
  }
}

function show(token, userID) {
  const directLine = refusing(WebChat.createDirectLine({ domain: DOMAIN, token, webSocket: !POLLING }));
  const element = document.createElement("div");
  document.getElementById("chat").replaceChildren(element);
  const styleOptions = { ...STYLE, botAvatarInitials: initials(document.title) };
  WebChat.renderWebChat({ directLine, userID, styleOptions, store: deleting() }, element);
  const timer = setInterval(async () => {
    if (!(await isAlive(directLine)) && leave === end) {
      enter();
    }
  }, CHECK_INTERVAL);
  const end = () => {
    clearInterval(timer);
    directLine.end();
  };
  leave = end;
}

// Web Chat replaces an activity that comes again by its id, but shows nothing of one that is deleted.
function deleting() {
  return WebChat.createStore({}, () => (next) => (action) => {
    const activity = action.type === "DIRECT_LINE/INCOMING_ACTIVITY" && action.payload.activity;
    if (activity && activity.type === "messageDelete") {
      return next({ type: "DIRECT_LINE/DELETE_ACTIVITY", payload: { activityID: activity.id } });
    }
    return next(action);
  });
}

// When the service did not take what was posted, as the bot failed or is not there, DirectLineJS
// gives "retry" in place of its id. Web Chat takes that for an id and shows the message as sent.
function refusing(directLine) {
  const post = directLine.postActivity.bind(directLine);
  directLine.postActivity = (activity) =>
    post(activity).map((id) => {
      if (id === "retry") {
        throw new Error("The bot did not take it.");
      }
      return id;
    });
  return directLine;
}

// DirectLineJS gives up silently when its server was restarted, so the page looks for itself.
async function isAlive({ conversationId, token }) {
  try {
    const url = `${DOMAIN}/conversations/${conversationId}/activities?watermark=999999999`;
    return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).ok;
  } catch {
    return false;
  }
}

document.getElementById("new-conversation").addEventListener("click", () => enter(true));
if (window.WebChat) {
  enter();
} else {
  say("webchat.js is missing. Run “make run”, which fetches it, and reload this page.");
}
