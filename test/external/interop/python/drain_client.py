"""A C-core client with round_robin, unary calls at a steady rate, and streams that it opens again when they end.

    python3 drain_client.py CALLERS STREAMS SERVICE ADDRESS...

With a SERVICE it checks the health of the servers (gRFC A17); with '-' it does not, as is the default. Tells each end of a
stream, one JSON object a line, and how its calls went when its standard input ends.
"""

import json
import sys
import threading
import time

import grpc
import wire

callers, streams = int(sys.argv[1]), int(sys.argv[2])
service, addresses = sys.argv[3], sys.argv[4:]
output = threading.Lock()
stop = threading.Event()
ok, failed = [0] * callers, []

config = {'loadBalancingConfig': [{'round_robin': {}}]}
if service != '-':
    config['healthCheckConfig'] = {'serviceName': service}
channel = grpc.insecure_channel(
    'ipv4:' + ','.join(addresses),
    options=[('grpc.service_config', json.dumps(config)), ('grpc.initial_reconnect_backoff_ms', 200)],
)
say = channel.unary_unary('/echo.v1.Echo/Say', request_serializer=wire.line, response_deserializer=wire.parse_line)
repeat = channel.unary_stream('/echo.v1.Echo/Repeat', request_serializer=wire.line, response_deserializer=wire.parse_line)


def tell(**what):
    with output:
        print(json.dumps(what), flush=True)


def call(i):
    while not stop.is_set():
        try:
            say('x', timeout=5)
            ok[i] += 1
        except grpc.RpcError as error:
            failed.append(f'{error.code().name}: {error.details()}')
        time.sleep(0.005)


def watch():
    while not stop.is_set():
        stream = repeat('x')
        try:
            for message in stream:
                headers = dict(stream.initial_metadata())
                tell(message=message['text'], age=headers.get('grpc-lb-stream-max-age-ms'))
            tell(ended='OK')
        except grpc.RpcError as error:
            if stop.is_set():
                return
            trailers = dict(error.trailing_metadata() or ())
            tell(ended=error.code().name, reason=trailers.get('grpc-lb-stream-end'), details=error.details())


threads = [threading.Thread(target=call, args=(i,)) for i in range(callers)]
watchers = [threading.Thread(target=watch, daemon=True) for _ in range(streams)]
for thread in [*threads, *watchers]:
    thread.start()
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
tell(ok=sum(ok), failed=failed)
channel.close()
