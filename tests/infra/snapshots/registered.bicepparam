// The bot is an app registration that exists, in another tenant; free of charge.
using '../../../infra/main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param botAppId = '00000000-0000-0000-0000-00000000b071'
param botAppTenantId = '00000000-0000-0000-0000-00000000b072'
param botSku = 'F0'
