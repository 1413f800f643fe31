// Loaded into Azurite before its own code, by `node --require`: who may call is decided here.
//
// Azurite's account key is public, it takes requests under any name, and one whose address holds a
// signature needs no preflight. So any site in the developer's browser could put messages on the
// queue, or, by DNS rebinding, read all that is stored. The rules are those of callers.py.
"use strict";

const { Server } = require("node:http");

const MORE = (process.env.AllowedLocalHosts ?? "").toLowerCase().split(/[\s,]+/);
const NAMES = new Set(["localhost", "127.0.0.1", "[::1]", ...MORE.filter(Boolean)]);
const AUTHORITY = /^(?:https?:\/\/)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const REFUSAL = JSON.stringify({
  error: {
    code: "Forbidden",
    message:
      "Azurite answers to localhost, 127.0.0.1 or [::1], and to pages of this machine. " +
      "If you need another name, put it into the setting AllowedLocalHosts.",
  },
});

function isKnown(address) {
  return NAMES.has(AUTHORITY.exec(address.toLowerCase())?.[1]);
}

function mayCall({ host = "", origin = host, "x-forwarded-host": called = host }) {
  return isKnown(host) && isKnown(origin) && called.split(",").every((name) => isKnown(name.trim()));
}

const emit = Server.prototype.emit;
Server.prototype.emit = function (event, request, response, ...more) {
  if (event === "request" && !mayCall(request.headers)) {
    response.writeHead(403, { "Content-Type": "application/json", Connection: "close" });
    response.end(REFUSAL);
    return true;
  }
  return emit.call(this, event, request, response, ...more);
};
