// All that the bot needs in Azure. `azd up` deploys it; docs/deploy.md says how, and without azd.
targetScope = 'subscription'

@description('The name of the azd environment; names and tags are made of it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Where all of it runs, but for the Azure Bot, which has a place of its own.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Where the Azure Bot keeps its data; Direct Line\'s address follows from it.')
@allowed(['global', 'westeurope', 'centralindia'])
param botRegion string = 'global'

@description('F0 is free and stops at 10,000 Direct Line messages a month, and with it the worker.')
@allowed(['F0', 'S1'])
param botSku string = 'S1'

@description('The app id of an app registration that exists. Empty: the identity made here is the bot\'s.')
param botAppId string = ''

@description('The tenant of that app registration. Empty: the one that is deployed to.')
param botAppTenantId string = ''

@description('To how many instances each function may grow.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 100

@description('The memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemory int = 2048

@description('How many instances of each half are kept ready, and paid for, when nobody writes.')
@minValue(0)
param alwaysReadyInstances int = 0

@description('Who gets the alerts by mail. Empty: they are shown in the portal only.')
param alertEmail string = ''

@description('How long telemetry is kept, in days.')
@minValue(30)
@maxValue(730)
param telemetryRetention int = 30

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }
var directLineEndpoints = {
  global: 'https://directline.botframework.com'
  westeurope: 'https://europe.directline.botframework.com'
  centralindia: 'https://india.directline.botframework.com'
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: 'id-${token}', location: location, tags: tags }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    readerId: identity.outputs.principalId
    writerId: deployer().objectId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    suffix: token
    location: location
    tags: tags
    retention: telemetryRetention
    principalId: identity.outputs.principalId
  }
}

// The bot is the identity made here, or an app registration that exists and has a password.
var registered = !empty(botAppId)
var bot = {
  appId: registered ? botAppId : identity.outputs.clientId
  appType: registered ? 'SingleTenant' : 'UserAssignedMSI'
  tenantId: registered && !empty(botAppTenantId) ? botAppTenantId : tenant().tenantId
}

module app 'modules/app.bicep' = {
  scope: group
  params: {
    name: 'func-${token}'
    location: location
    tags: tags
    identityName: identity.outputs.name
    storageName: storage.outputs.name
    packageContainer: storage.outputs.packageContainer
    componentName: monitoring.outputs.componentName
    vaultUrl: vault.outputs.vaultUrl
    botAppId: bot.appId
    botAppType: bot.appType
    botTenantId: bot.tenantId
    directLineEndpoint: directLineEndpoints[botRegion]
    maximumInstances: maximumInstances
    instanceMemory: instanceMemory
    alwaysReadyInstances: alwaysReadyInstances
  }
}

module azureBot 'modules/bot.bicep' = {
  scope: group
  params: {
    name: 'bot-${token}'
    location: botRegion
    tags: tags
    sku: botSku
    endpoint: 'https://${app.outputs.host}/api/messages'
    appId: bot.appId
    appType: bot.appType
    tenantId: bot.tenantId
    identityId: registered ? '' : identity.outputs.id
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    suffix: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    componentId: monitoring.outputs.componentId
  }
}

// What the hooks and the person who deploys need. None of it is a secret.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output FUNCTION_APP_NAME string = app.outputs.name
output BOT_NAME string = azureBot.outputs.name
output BOT_APP_ID string = bot.appId
output BOT_APP_TYPE string = bot.appType
output DIRECT_LINE_SITE string = azureBot.outputs.directLineSite
output HEALTH_URL string = 'https://${app.outputs.host}/api/health'
output CHAT_TEST_URL string = azureBot.outputs.portalUrl
output TEAMS_CHAT_URL string = 'https://teams.microsoft.com/l/chat/0/0?users=28:${bot.appId}'
output TEAMS_PACKAGE_COMMAND string = 'make teams-package BOT_ID=${bot.appId}'
output FUNCTION_KEY_COMMAND string = 'az functionapp keys list --name ${app.outputs.name} --resource-group ${group.name} --query functionKeys.default --output tsv'
