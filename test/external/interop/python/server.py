"""A C-core server: echo.v1.Echo and grpc.health.v1.Health.

    python3 server.py [channel-argument=number ...]

Writes {"port": n} and then obeys lines on its standard input: `health NAME` and `stop SECONDS` (GOAWAY, and so long for
what runs). Ends when its input ends.
"""

import json
import queue
import sys
import threading
from concurrent import futures

import grpc
import wire


class Health:
    """One status for the whole server, which those who watch are told of."""

    def __init__(self):
        self.status = wire.SERVING
        self.watchers = set()
        self.lock = threading.Lock()

    def set(self, status):
        with self.lock:
            self.status = status
            for watcher in self.watchers:
                watcher.put(status)

    def check(self, request, context):
        return wire.health_response(self.status)

    def watch(self, request, context):
        changes = queue.Queue()
        with self.lock:
            changes.put(self.status)
            self.watchers.add(changes)
        context.add_callback(lambda: changes.put(None))
        try:
            while (status := changes.get()) is not None:
                yield wire.health_response(status)
        finally:
            self.watchers.discard(changes)


class Echo:
    def __init__(self):
        self.address = ''
        self.calls = 0

    def say(self, request, context):
        self.calls += 1
        return wire.line(wire.parse_line(request)['text'], self.address, self.calls)

    def repeat(self, request, context):
        """`times` lines, then the end; for 0 times one line, and it stays open until it is cancelled."""
        line = wire.parse_line(request)
        for _ in range(line['times'] or 1):
            yield wire.line(line['text'], self.address)
        if line['times'] == 0:
            cancelled = threading.Event()
            context.add_callback(cancelled.set)
            cancelled.wait()

    def talk(self, requests, context):
        for request in requests:
            yield wire.line(wire.parse_line(request)['text'], self.address)


def main():
    options = [(key, int(value)) for key, value in (argument.split('=') for argument in sys.argv[1:])]
    # Each open stream takes a thread.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32), options=options)
    health, echo = Health(), Echo()
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler(
                'grpc.health.v1.Health',
                {
                    'Check': grpc.unary_unary_rpc_method_handler(health.check),
                    'Watch': grpc.unary_stream_rpc_method_handler(health.watch),
                },
            ),
            grpc.method_handlers_generic_handler(
                'echo.v1.Echo',
                {
                    'Say': grpc.unary_unary_rpc_method_handler(echo.say),
                    'Repeat': grpc.unary_stream_rpc_method_handler(echo.repeat),
                    'Talk': grpc.stream_stream_rpc_method_handler(echo.talk),
                },
            ),
        ]
    )
    port = server.add_insecure_port('127.0.0.1:0')
    echo.address = f'127.0.0.1:{port}'
    server.start()
    print(json.dumps({'port': port}), flush=True)
    for command in sys.stdin:
        name, value = command.split()
        if name == 'health':
            health.set(wire.STATUS_NAMES.index(value))
        elif name == 'stop':
            server.stop(float(value)).wait()
            break
    server.stop(0)


main()
