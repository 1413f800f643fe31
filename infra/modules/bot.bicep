// The Azure Bot and its channels. The worker has a Direct Line site of its own, so that its secret
// can be rolled without closing anybody's chat page.
param name string
param location string
param tags object
param sku string
param endpoint string
param appId string
param appType string
param tenantId string

@description('The identity that the bot is; empty with an app registration.')
param identityId string

var workersSite = 'worker'

resource bot 'Microsoft.BotService/botServices@2022-09-15' = {
  name: name
  location: location
  tags: tags
  kind: 'azurebot'
  sku: { name: sku }
  properties: {
    displayName: 'Proactive bot'
    endpoint: endpoint
    msaAppId: appId
    msaAppType: appType
    msaAppTenantId: tenantId
    msaAppMSIResourceId: empty(identityId) ? null : identityId
  }

  resource webChat 'channels' = {
    name: 'WebChatChannel'
    location: location
    properties: {
      channelName: 'WebChatChannel'
      properties: { sites: [{ siteName: 'Default Site', isEnabled: true, isWebchatPreviewEnabled: true }] }
    }
  }

  resource teams 'channels' = {
    name: 'MsTeamsChannel'
    location: location
    properties: { channelName: 'MsTeamsChannel', properties: { isEnabled: true, acceptedTerms: true } }
  }

  resource directLine 'channels' = {
    name: 'DirectLineChannel'
    location: location
    properties: {
      channelName: 'DirectLineChannel'
      properties: {
        sites: [{ siteName: workersSite, isEnabled: true, isV1Enabled: false, isV3Enabled: true }]
      }
    }
  }
}

output name string = bot.name
output directLineSite string = workersSite
output portalUrl string = 'https://portal.azure.com/#@${tenant().tenantId}/resource${bot.id}'
