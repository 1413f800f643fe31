// What a plain `azd up` makes.
using '../../../infra/main.bicep'

param environmentName = 'test'
param location = 'westeurope'
