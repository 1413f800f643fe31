"""What all measured programs are told by their environment, and our parts by `Settings`."""

SIGNING_KEY = "a-trigger-signing-key-of-the-benchmarks"
SETTINGS = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",  # for programs that store nothing
    "DirectLineSecret": "a-direct-line-secret-of-the-benchmarks",
    "TriggerSigningKey": SIGNING_KEY,
    "MicrosoftAppId": "",
}
