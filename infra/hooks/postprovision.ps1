# Puts the secrets into the key vault, after Azure has made what infra/ describes.
# Run again, it changes nothing that is right. postprovision.sh is the same for Linux and macOS.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$roleAttempts = 20
$rolePause = 15 # seconds
if ($env:ROLE_ATTEMPTS) { $roleAttempts = [int]$env:ROLE_ATTEMPTS }
if ($env:ROLE_PAUSE) { $rolePause = [int]$env:ROLE_PAUSE }
$management = 'https://management.azure.com/subscriptions'
$vault = $env:AZURE_KEY_VAULT_NAME

function Stop-Hook([string]$reason) {
    [Console]::Error.WriteLine("postprovision: $reason")
    exit 1
}

function Invoke-Azure {
    az @args --subscription $env:AZURE_SUBSCRIPTION_ID --only-show-errors
}

# The role of whoever deploys is minutes old at most, and a new role takes minutes to come into force.
function Wait-ForVault {
    for ($attempt = 1; ; $attempt++) {
        $names = Invoke-Azure keyvault secret list --vault-name $vault --query '[].name' --output tsv
        if ($LASTEXITCODE -eq 0) { return @($names) }
        if ($attempt -ge $roleAttempts) {
            Stop-Hook "the key vault $vault cannot be read: is az logged in as azd is?"
        }
        Write-Host "The key vault does not let us in yet; trying again in $rolePause seconds."
        Start-Sleep -Seconds $rolePause
    }
}

function Get-Secret([string]$name) {
    $value = Invoke-Azure keyvault secret show --vault-name $vault --name $name --query value --output tsv
    if ($LASTEXITCODE -ne 0) { Stop-Hook "$name cannot be read from the key vault" }
    $value
}

# By a file that only we can read: a command line is there for everyone on the machine to see.
function Set-Secret([string]$name, [string]$value) {
    [IO.File]::WriteAllText($draft, $value)
    Invoke-Azure keyvault secret set --vault-name $vault --name $name --file $draft --output none
    if ($LASTEXITCODE -ne 0) { Stop-Hook "$name could not be put into the key vault" }
    Write-Host "Put $name into the key vault."
}

# A rolled key, or a channel that was made again, is noticed here.
function Update-DirectLineSecret {
    $query = "[properties.properties.sites, setting.sites][] | " +
        "[?siteName=='$env:DIRECT_LINE_SITE'].[key, key2] | [0]"
    $keys = @(Invoke-Azure bot directline show --name $env:BOT_NAME `
            --resource-group $env:AZURE_RESOURCE_GROUP --with-secrets --output tsv --query $query)
    if ($LASTEXITCODE -ne 0) { Stop-Hook "the Direct Line secret of $env:BOT_NAME cannot be read" }
    if (-not $keys) {
        Stop-Hook "$env:BOT_NAME has no Direct Line site $env:DIRECT_LINE_SITE`: run azd provision"
    }
    $ours = ''
    if ($there -contains 'DirectLineSecret') { $ours = Get-Secret DirectLineSecret }
    if ($keys -cnotcontains $ours) { Set-Secret DirectLineSecret $keys[0] }
}

function New-TriggerSigningKey {
    if ($there -contains 'TriggerSigningKey') { return }
    $random = [Security.Cryptography.RandomNumberGenerator]::GetBytes(32)
    Set-Secret TriggerSigningKey ([Convert]::ToHexString($random).ToLowerInvariant())
}

function Save-AppPassword {
    if ($env:BOT_APP_TYPE -eq 'UserAssignedMSI' -or $there -contains 'MicrosoftAppPassword') { return }
    if (-not $env:EXISTING_APP_PASSWORD) {
        Stop-Hook ("the app registration $env:BOT_APP_ID needs its password once: put it into the " +
            'environment variable EXISTING_APP_PASSWORD and run azd provision again')
    }
    Set-Secret MicrosoftAppPassword $env:EXISTING_APP_PASSWORD
}

# Else the app may hold on for a day to what it found before the secrets were there.
# https://learn.microsoft.com/azure/app-service/app-service-key-vault-references#rotation
function Update-References {
    $site = "$env:AZURE_SUBSCRIPTION_ID/resourceGroups/$env:AZURE_RESOURCE_GROUP" +
        "/providers/Microsoft.Web/sites/$env:FUNCTION_APP_NAME"
    az rest --only-show-errors --output none --method post --url `
        "$management/$site/config/configreferences/appsettings/refresh?api-version=2024-11-01"
    if ($LASTEXITCODE -ne 0) { Stop-Hook "$env:FUNCTION_APP_NAME could not be told to read its secrets anew" }
}

Invoke-Azure account show --output none
if ($LASTEXITCODE -ne 0) {
    Stop-Hook "az cannot use the subscription $env:AZURE_SUBSCRIPTION_ID`: run az login, as the same person as azd"
}
$draft = [IO.Path]::GetTempFileName()
try {
    $there = Wait-ForVault
    Update-DirectLineSecret
    New-TriggerSigningKey
    Save-AppPassword
    Update-References
}
finally { Remove-Item $draft }

Write-Host @"

When azd has deployed the app:
  is it well?    $env:HEALTH_URL
  talk to it     $env:CHAT_TEST_URL, "Test in Web Chat"
  in Teams       $env:TEAMS_CHAT_URL; for others: $env:TEAMS_PACKAGE_COMMAND
  function key   $env:FUNCTION_KEY_COMMAND
"@
