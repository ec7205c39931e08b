"""The other side of bench/runtimes.ts: the same work through wasmtime's binding
for Python.

Takes one request in JSON a line, and answers each with a line of JSON: how long
the work took, in milliseconds, as measured here.
"""

import json
import sys
from base64 import b64decode
from importlib.metadata import version
from time import perf_counter_ns

import wasmtime
from wasmtime import _ffi as ffi


class Guest:
    """An instance that stays for many calls."""

    def __init__(self, module):
        self.store = new_store(module.engine)
        self.instance = new_instance(self.store, module)
        self.exports = self.instance.exports(self.store)


class Module:
    """A compiled module, and the engine that it was compiled for."""

    def __init__(self, engine, compiled):
        self.engine = engine
        self.compiled = compiled


def new_store(engine):
    store = wasmtime.Store(engine)
    # ignored where the engine has no epochs
    store.set_epoch_deadline(2**40)
    return store


def new_instance(store, module):
    imports = [
        wasmtime.Func(store, each.type, host_function(each.type))
        for each in module.compiled.imports
    ]
    return wasmtime.Instance(store, module.compiled, imports)


def host_function(signature):
    """Adds two numbers; a function of another shape gives 0, or nothing."""
    if not signature.results:
        return lambda *_: None
    if len(signature.params) == 2:
        return lambda a, b: a + b
    return lambda *_: 0


def timed(work):
    start = perf_counter_ns()
    result = work()
    return (perf_counter_ns() - start) / 1e6, result


class Peer:
    """What a conversation has made so far."""

    def __init__(self):
        self.engines = {}
        self.guests = {}
        self.modules = {}
        self.serialized = {}

    def engine(self, config):
        """The engine of a configuration: names as in wasmtime's C API."""
        key = json.dumps(config)
        if key not in self.engines:
            made = wasmtime.Config()
            for name, value in config.items():
                getattr(ffi, f"wasmtime_config_{name}_set")(made.ptr(), value)
            self.engines[key] = wasmtime.Engine(made)
        return self.engines[key]

    def version(self, _request):
        return {"version": version("wasmtime"), "library": str(ffi.filename)}

    def load(self, request):
        """Makes a guest that is called later, by the name it is given."""
        source = b64decode(request["module"])
        engine = self.engine(request["config"])
        module = Module(engine, wasmtime.Module(engine, source))
        name = request["guest"]
        self.modules[name] = module
        self.serialized[name] = (source, bytes(module.compiled.serialize()))
        self.guests[name] = Guest(module)
        return {}

    def drop(self, request):
        for kept in (self.guests, self.modules, self.serialized):
            kept.pop(request["guest"], None)
        return {}

    def call(self, request):
        guest = self.guests[request["guest"]]
        function, store = guest.exports[request["name"]], guest.store
        args, times = request["args"], request["times"]

        def work():
            for _ in range(times):
                result = function(store, *args)
            return result

        ms, result = timed(work)
        return {"ms": ms, "result": result}

    def cycle(self, request):
        """Makes instances of a module that is compiled, and lets them go."""
        module, times = self.modules[request["guest"]], request["times"]

        def work():
            for _ in range(times):
                store = new_store(module.engine)
                new_instance(store, module)
                store.close()

        return {"ms": timed(work)[0]}

    def compile(self, request):
        """From bytes to the first result."""
        source, _ = self.serialized[request["guest"]]
        engine = self.modules[request["guest"]].engine
        return self.first(
            request, engine, lambda: wasmtime.Module(engine, source)
        )

    def deserialize(self, request):
        """From a compiled module's bytes to the first result."""
        _, compiled = self.serialized[request["guest"]]
        engine = self.modules[request["guest"]].engine
        return self.first(
            request,
            engine,
            lambda: wasmtime.Module.deserialize(engine, compiled),
        )

    def first(self, request, engine, make):
        def work():
            guest = Guest(Module(engine, make()))
            guest.exports[request["name"]](guest.store, *request["args"])
            guest.store.close()

        return {"ms": timed(work)[0]}


def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(peer, request["do"])(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
