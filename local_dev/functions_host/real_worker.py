"""Loads and invokes through the worker that runs Python 3.13 and later in Azure."""

import uuid
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

from azure.functions.meta import Datum
from azure_functions_runtime import handle_event, native_invocation, start_threadpool_executor

from .app_loader import Function, InvocationError


class _BindingInfo(SimpleNamespace):
    undefined, out, inout = 0, 1, 2


# The worker answers the host in gRPC messages; in one process, plain objects will do. What is not
# named here must stay missing: the worker probes for it with AttributeError.
MESSAGES = SimpleNamespace(BindingInfo=_BindingInfo, RpcFunctionMetadata=SimpleNamespace)


def load(app_dir: Path) -> "RealWorker":
    """Index the app. Once per process: the worker keeps what it indexed in globals."""
    start_threadpool_executor()  # for functions that are not async
    handle_event.protos = MESSAGES
    handle_event.load_binding_registry()
    indexed = handle_event.index_functions(str(app_dir / "function_app.py"), str(app_dir))
    return RealWorker([Function(f.name, f.function_id, f.raw_bindings) for f in indexed or ()])


class RealWorker:
    """An app loaded by azure-functions-runtime."""

    def __init__(self, functions: Sequence[Function]) -> None:
        self.loader = f"real Azure Functions Python worker {version('azure-functions-runtime')}"
        self.functions = functions

    async def invoke(
        self, function: Function, value: Datum, metadata: Mapping[str, Datum]
    ) -> Datum | None:
        """Call the function as the worker does for each message of the real host."""
        inputs = [(function.trigger["name"], value)]
        succeeded, answer, _, _, trace = await native_invocation.invocation_request_native(
            str(uuid.uuid4()), function.id, inputs, metadata
        )
        if not succeeded:
            raise InvocationError(trace)
        return answer  # type: ignore[no-any-return]
