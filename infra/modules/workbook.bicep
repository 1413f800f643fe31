// One page for the operator, in the portal under Application Insights, Workbooks.
param location string
param tags object
param workspaceId string
param componentId string

var day = 86400000 // milliseconds

var charts = [
  {
    title: 'What became of the messages'
    query: loadTextContent('../queries/messages-over-time.kql')
    visualization: 'timechart'
  }
  {
    title: 'The oldest message, in seconds'
    query: loadTextContent('../queries/queue-age.kql')
    visualization: 'timechart'
  }
  {
    title: 'How long a delivery takes, in seconds'
    query: loadTextContent('../queries/delivery-duration.kql')
    visualization: 'timechart'
  }
  {
    title: 'What became of the recipients of notifications'
    query: loadTextContent('../queries/recipients.kql')
    visualization: 'timechart'
  }
  { title: 'Turns', query: loadTextContent('../queries/turns.kql'), visualization: 'timechart' }
  {
    title: 'Invocations that failed'
    query: loadTextContent('../queries/failed-invocations.kql')
    visualization: 'table'
  }
]

var items = [
  for (chart, index) in charts: {
    type: 3
    name: 'query - ${index}'
    content: {
      version: 'KqlItem/1.0'
      title: chart.title
      query: chart.query
      visualization: chart.visualization
      size: 0
      timeContext: { durationMs: day }
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(componentId, 'proactive bot')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Proactive bot'
    category: 'workbook'
    sourceId: componentId
    serializedData: string({
      version: 'Notebook/1.0'
      items: items
    })
  }
}
