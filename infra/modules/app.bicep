// The Function App: both halves of the bot, on Flex Consumption, which scales each by itself.
param name string
param location string
param tags object
param identityName string
param storageName string
param packageContainer string
param componentName string
param vaultUrl string
param botAppId string
param botAppType string
param botTenantId string
param directLineEndpoint string
param maximumInstances int
param instanceMemory int
param alwaysReadyInstances int

var ready = alwaysReadyInstances == 0 ? [] : ['http', 'function:hand_to_bot']

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    siteConfig: { minTlsVersion: '1.2', ftpsState: 'Disabled', http20Enabled: true }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemory
        alwaysReady: [for half in ready: { name: half, instanceCount: alwaysReadyInstances }]
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${account.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
    }
  }

  // Whoever deploys shows who they are; there is no publishing password.
  resource publishing 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(
      {
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identity.properties.clientId
        AzureWebJobsStorage__blobServiceUri: account.properties.primaryEndpoints.blob
        AzureWebJobsStorage__queueServiceUri: account.properties.primaryEndpoints.queue
        AzureWebJobsStorage__tableServiceUri: account.properties.primaryEndpoints.table
        APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
        PYTHON_ENABLE_OPENTELEMETRY: 'true' // the app sends there, too, and the host not its log again
        // What the app's exporter would tell Microsoft of itself, and be told by it.
        APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
        APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
        MicrosoftAppType: botAppType
        MicrosoftAppId: botAppId
        MicrosoftAppTenantId: botTenantId
        DirectLineEndpoint: directLineEndpoint
        DirectLineSecret: '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/DirectLineSecret)'
        TriggerSigningKey: '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/TriggerSigningKey)'
      },
      botAppType == 'UserAssignedMSI'
        ? {}
        : { MicrosoftAppPassword: '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/MicrosoftAppPassword)' }
    )
  }
}

output name string = app.name
output host string = app.properties.defaultHostName
