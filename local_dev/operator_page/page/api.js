// Calls of the app's API, which the local process passes on with the key.

const TOKEN = "operator-token";

// The printed address has the token behind its #, where no server and no log sees it.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem(TOKEN, given);
  history.replaceState(null, "", location.pathname);
}

export async function call(method, path, body, headers = {}) {
  const response = await fetch(`/operator/api/${path}`, {
    method,
    headers: {
      "Content-Type": "application/json",
      "X-Operator-Token": sessionStorage.getItem(TOKEN) || "",
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new Error("The operator page's own server does not answer. Is it still running?");
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(reason(response.status, text));
  }
  return text ? JSON.parse(text) : null;
}

export async function about() {
  return (await fetch("/operator/about")).json();
}

function reason(status, text) {
  try {
    const { code, field, message } = JSON.parse(text).error;
    return `${status} ${code}: ${field ? `${field} ` : ""}${message}`;
  } catch {
    return status === 401 ? "401: the app does not know this function key." : `The app answered ${status}.`;
  }
}
