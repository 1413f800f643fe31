#!/bin/sh
# First contact: who is new in the company is welcomed on Teams, though they never wrote to the bot.
#
#     sh docs/recipes/first_contact.sh USER TENANT
#
# USER is their Entra object id, TENANT the company's. BOT_URL names the app, by default the one that
# `make run` starts; BOT_KEY is a function key of it. jq and curl are needed.
set -eu
: "${1:?USER is missing}" "${2:?TENANT is missing}"
: "${BOT_URL:=http://localhost:7071}" "${BOT_KEY:=}"
: "${SERVICE_URL:=https://smba.trafficmanager.net/teams/}"

# recipe
jq -n --arg user "$1" --arg tenant "$2" --arg serviceUrl "$SERVICE_URL" \
  '{to: {$user, $tenant, $serviceUrl}, text: "Welcome! Ask me where things are."}' |
curl -sS --fail-with-body --retry 5 --retry-connrefused --max-time 30 "$BOT_URL/api/notifications" \
  -H "Content-Type: application/json" -H "x-functions-key: $BOT_KEY" \
  -H "Idempotency-Key: welcome-$1" --data-binary @-
# end
