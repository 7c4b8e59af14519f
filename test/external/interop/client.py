"""A client of the C core, which every gRPC language but Go, Java and Node.js is built on.

It calls Echo/Say at a steady rate over round_robin with client-side health checking (gRFC A17), watches the health of
the first server by itself, and tells what it sees, one JSON object a line. It ends when its standard input does.
"""

import json
import sys
import threading
import time

import grpc

addresses = sys.argv[1:]
output = threading.Lock()


def tell(**what):
    with output:
        print(json.dumps(what), flush=True)


def raw(data):
    return data


def watch(address):
    """HealthCheckResponse { ServingStatus status = 1; }, and field 1 of a request is the name of the service."""
    service = b"echo.v1.Echo"
    request = b"\x0a" + bytes([len(service)]) + service
    channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
    method = channel.unary_stream("/grpc.health.v1.Health/Watch", raw, raw)
    try:
        for answer in method(request):
            tell(health=answer[1] if answer else 0)
    except grpc.RpcError as error:
        tell(watch_ended=error.code().name, details=error.details())
    channel.close()


def report(address):
    """Load, out of band; that of a call stays within the C core, for its policies."""
    channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
    method = channel.unary_stream("/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics", raw, raw)
    stream = method(b"")
    tell(report=next(stream).hex())
    stream.cancel()
    channel.close()


service_config = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": "echo.v1.Echo"},
}
channel = grpc.insecure_channel(
    "ipv4:" + ",".join(addresses),
    [("grpc.service_config", json.dumps(service_config)), ("grpc.use_local_subchannel_pool", 1)],
)
say = channel.unary_unary("/echo.v1.Echo/Say", raw, raw)
counts = {"ok": 0, "failed": []}
stop = threading.Event()


def load():
    while not stop.is_set():
        try:
            say(b"\x0a\x01x", timeout=5)
            counts["ok"] += 1
            if counts["ok"] % 50 == 0:
                tell(ok=counts["ok"])
        except grpc.RpcError as error:
            counts["failed"].append(f"{error.code().name}: {error.details()}")
            tell(failed=counts["failed"][-1])
        time.sleep(0.005)


watcher = threading.Thread(target=watch, args=(addresses[0],))
callers = [threading.Thread(target=load) for _ in range(4)]
for thread in [watcher, *callers]:
    thread.start()
report(addresses[0])
sys.stdin.read()
stop.set()
for thread in callers:
    thread.join()
tell(end=counts)
channel.close()
watcher.join(5)
