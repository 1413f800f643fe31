// When a person should look: a message was given up, messages wait too long, functions fail.
param suffix string
param location string
param tags object
param workspaceId string
param email string

var oldestMessage = 900 // seconds
var failedPercent = 10

// Severity 1 is an error, 2 a warning.
var rules = [
  {
    name: 'dead-letters'
    title: 'Messages were given up'
    advice: 'make dead-letters shows why; what is mended can be replayed.'
    severity: 1
    query: loadTextContent('../queries/dead-letters.kql')
    column: 'DeadLetters' // counted, or logged: who is killed loses a minute of counts, of logs only seconds
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'oldest-message'
    title: 'Messages wait for more than ${oldestMessage / 60} minutes'
    advice: 'Direct Line, the bot or a channel does not take them: the health URL says which.'
    severity: 2
    query: loadTextContent('../queries/oldest-message.kql')
    column: 'Max'
    aggregation: 'Maximum'
    threshold: oldestMessage
  }
  {
    name: 'failures'
    title: 'More than ${failedPercent} % of all invocations fail'
    advice: 'The workbook shows which function, and the exceptions beside it why.'
    severity: 2
    query: loadTextContent('../queries/failures.kql')
    column: 'FailedPercent'
    aggregation: 'Maximum'
    threshold: failedPercent
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'bot alerts'
    enabled: true
    emailReceivers: empty(email) ? [] : [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alert-${rule.name}-${suffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: rule.advice
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      skipQueryValidation: true // a new workspace does not know its tables yet; make check-infra looks
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: rule.column
            timeAggregation: rule.aggregation
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]
