#!/bin/sh
# Puts the secrets into the key vault, after Azure has made what infra/ describes.
# Run again, it changes nothing that is right. postprovision.ps1 is the same for Windows.
set -eu

role_attempts=${ROLE_ATTEMPTS:-20}
role_pause=${ROLE_PAUSE:-15} # seconds
management=https://management.azure.com/subscriptions
newline='
'

fail() {
  echo "postprovision: $*" >&2
  exit 1
}

azure() {
  az "$@" --subscription "$AZURE_SUBSCRIPTION_ID" --only-show-errors
}

# The role of whoever deploys is minutes old at most, and a new role takes minutes to come into force.
wait_for_vault() {
  attempt=1
  until there=$(azure keyvault secret list --vault-name "$AZURE_KEY_VAULT_NAME" \
    --query '[].name' --output tsv); do
    [ "$attempt" -lt "$role_attempts" ] ||
      fail "the key vault $AZURE_KEY_VAULT_NAME cannot be read: is az logged in as azd is?"
    echo "The key vault does not let us in yet; trying again in $role_pause seconds."
    attempt=$((attempt + 1))
    sleep "$role_pause"
  done
}

has() {
  case "$newline$there$newline" in *"$newline$1$newline"*) ;; *) return 1 ;; esac
}

value_of() {
  azure keyvault secret show --vault-name "$AZURE_KEY_VAULT_NAME" --name "$1" \
    --query value --output tsv || fail "$1 cannot be read from the key vault"
}

# By a file that only we can read: a command line is there for everyone on the machine to see.
put() {
  printf '%s' "$2" >"$draft"
  azure keyvault secret set --vault-name "$AZURE_KEY_VAULT_NAME" --name "$1" --file "$draft" \
    --output none || fail "$1 could not be put into the key vault"
  echo "Put $1 into the key vault."
}

# A rolled key, or a channel that was made again, is noticed here.
direct_line_secret() {
  keys=$(azure bot directline show --name "$BOT_NAME" --resource-group "$AZURE_RESOURCE_GROUP" \
    --with-secrets --output tsv --query "[properties.properties.sites, setting.sites][] \
      | [?siteName=='$DIRECT_LINE_SITE'].[key, key2] | [0]") ||
    fail "the Direct Line secret of $BOT_NAME cannot be read"
  [ -n "$keys" ] || fail "$BOT_NAME has no Direct Line site $DIRECT_LINE_SITE: run azd provision"
  ours=
  if has DirectLineSecret; then ours=$(value_of DirectLineSecret) || exit 1; fi
  case "$newline$keys$newline" in
    *"$newline$ours$newline"*) ;;
    *) put DirectLineSecret "${keys%%"$newline"*}" ;;
  esac
}

trigger_signing_key() {
  has TriggerSigningKey || put TriggerSigningKey "$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')"
}

app_password() {
  if [ "$BOT_APP_TYPE" = UserAssignedMSI ] || has MicrosoftAppPassword; then return; fi
  [ -n "${EXISTING_APP_PASSWORD:-}" ] ||
    fail "the app registration $BOT_APP_ID needs its password once: put it into the environment \
variable EXISTING_APP_PASSWORD and run azd provision again"
  put MicrosoftAppPassword "$EXISTING_APP_PASSWORD"
}

# Else the app may hold on for a day to what it found before the secrets were there.
# https://learn.microsoft.com/azure/app-service/app-service-key-vault-references#rotation
read_secrets_anew() {
  site=$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP/providers/Microsoft.Web/sites
  az rest --only-show-errors --output none --method post --url \
    "$management/$site/$FUNCTION_APP_NAME/config/configreferences/appsettings/refresh?api-version=2024-11-01" ||
    fail "$FUNCTION_APP_NAME could not be told to read its secrets anew"
}

azure account show --output none ||
  fail "az cannot use the subscription $AZURE_SUBSCRIPTION_ID: run az login, as the same person as azd"
umask 077
draft=$(mktemp)
trap 'rm -f "$draft"' EXIT
wait_for_vault
direct_line_secret
trigger_signing_key
app_password
read_secrets_anew

cat <<WHERE

When azd has deployed the app:
  is it well?    $HEALTH_URL
  talk to it     $CHAT_TEST_URL, "Test in Web Chat"
  in Teams       $TEAMS_CHAT_URL; for others: $TEAMS_PACKAGE_COMMAND
  function key   $FUNCTION_KEY_COMMAND
WHERE
