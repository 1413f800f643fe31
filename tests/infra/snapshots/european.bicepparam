// Everything stays in Europe; instances are kept ready; somebody gets the alerts.
using '../../../infra/main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param botRegion = 'westeurope'
param maximumInstances = 10
param instanceMemory = 512
param alwaysReadyInstances = 2
param alertEmail = 'operator@example.org'
param telemetryRetention = 90
