# Builds the package here and lays it out where azd takes it from; docs/package.md says why not in
# Azure. prepackage.sh is the same for Linux and macOS.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
Set-Location (Join-Path $PSScriptRoot '../..')

function Stop-Hook([string]$reason) {
    [Console]::Error.WriteLine("prepackage: $reason")
    exit 1
}

# What `make package` does; there is no make on Windows.
$python = '.venv/Scripts/python.exe'
if (-not (Test-Path $python)) { python -m venv .venv }
& $python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
if ($LASTEXITCODE -ne 0) { Stop-Hook 'pip says above why the Python packages could not be installed' }
& $python -m local_dev.package
if ($LASTEXITCODE -ne 0) { Stop-Hook 'it is said above why there is no package' }

if (Test-Path dist/app) { Remove-Item dist/app -Recurse -Force }
Expand-Archive dist/proactive-bot.zip dist/app
# Without such a file, which says what stays out, azd leaves out all compiled modules.
New-Item dist/app/.funcignore | Out-Null
