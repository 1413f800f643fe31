// Print what Microsoft's own parser has to say of queries; nothing if they are right.
// node kql_diagnostics.cjs FOLDER_OF_THE_PARSER QUERY...
"use strict";

const { readFileSync } = require("node:fs");
const { runInThisContext } = require("node:vm");

const [parser, ...queries] = process.argv.slice(2);
for (const script of ["bridge.min.js", "Kusto.Language.Bridge.min.js"])
  runInThisContext(readFileSync(`${parser}/${script}`, "utf8"));
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

// The columns that are asked for: https://learn.microsoft.com/azure/azure-monitor/reference/tables/appmetrics
const TABLES = {
  AppMetrics:
    "TimeGenerated:datetime, Name:string, ItemCount:int, Sum:real, Min:real, Max:real, Properties:dynamic",
  AppRequests: "TimeGenerated:datetime, Name:string, ItemCount:int, Success:bool, ResultCode:string",
  AppTraces: "TimeGenerated:datetime, Message:string, ItemCount:int, SeverityLevel:int",
};
const tables = Object.entries(TABLES).map(([name, columns]) =>
  Symbols.TableSymbol.From(`(${columns})`).WithName(name),
);
const workspace = new Symbols.DatabaseSymbol.$ctor2("workspace", null, tables);
const globals = GlobalState.Default.WithDatabase(workspace);

for (const query of queries) {
  const found = KustoCode.ParseAndAnalyze(readFileSync(query, "utf8"), globals).GetDiagnostics();
  for (let i = 0; i < found.Count; i++) console.log(`${query}: ${found.getItem(i).Message}`);
}
