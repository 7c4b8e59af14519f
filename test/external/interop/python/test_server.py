"""A C-core server with grpc.testing.TestService, as in the interoperability tests of gRPC.

    python3 test_server.py [--tls CERTIFICATE KEY] [channel-argument=number ...]

Writes {"port": n}. Ends when its input ends. It compresses a response if it is asked to; whether a request was compressed
is not visible in Python.
"""

import json
import sys
import time
from concurrent import futures

import grpc
import wire

INITIAL, TRAILING = 'x-grpc-test-echo-initial', 'x-grpc-test-echo-trailing-bin'
CODES = {code.value[0]: code for code in grpc.StatusCode}


def payload(size):
    return wire.bytes_field(1, wire.bytes_field(2, bytes(size)))


def echo_metadata(context):
    for key, value in context.invocation_metadata():
        if key == INITIAL:
            context.send_initial_metadata([(key, value)])
        if key == TRAILING:
            context.set_trailing_metadata([(key, value)])


def abort_if_asked(fields, context):
    """Field 7 of the requests is an EchoStatus."""
    if 7 in fields:
        status = wire.parse(fields[7])
        context.abort(CODES[status[1]], status.get(2, b'').decode())


def is_true(field):
    """A BoolValue."""
    return wire.parse(field).get(1) == 1


def empty_call(request, context):
    return b''


def unary_call(request, context):
    fields = wire.parse(request)
    # SimpleRequest.response_compressed.
    if 6 in fields:
        context.set_compression(grpc.Compression.Gzip if is_true(fields[6]) else grpc.Compression.NoCompression)
    echo_metadata(context)
    abort_if_asked(fields, context)
    return payload(fields.get(2, 0))


def responses(request, context):
    for parameters in wire.parse_all(request).get(2, []):
        fields = wire.parse(parameters)
        if 2 in fields:
            time.sleep(fields[2] / 1e6)
        if 3 in fields and not is_true(fields[3]):
            context.disable_next_message_compression()
        yield payload(fields.get(1, 0))


def streaming_output_call(request, context):
    parameters = [wire.parse(each) for each in wire.parse_all(request).get(2, [])]
    if any(3 in fields and is_true(fields[3]) for fields in parameters):
        context.set_compression(grpc.Compression.Gzip)
    yield from responses(request, context)


def streaming_input_call(requests, context):
    # Of each StreamingInputCallRequest the body of its payload.
    size = sum(len(wire.parse(wire.parse(request).get(1, b'')).get(2, b'')) for request in requests)
    return wire.number_field(1, size)


def full_duplex_call(requests, context):
    echo_metadata(context)
    for request in requests:
        abort_if_asked(wire.parse(request), context)
        yield from responses(request, context)


def main():
    arguments = sys.argv[1:]
    credentials = None
    if arguments[:1] == ['--tls']:
        certificate, key = (open(path, 'rb').read() for path in arguments[1:3])
        credentials = grpc.ssl_server_credentials([(key, certificate)])
        arguments = arguments[3:]
    options = [(key, int(value)) for key, value in (argument.split('=') for argument in arguments)]
    # Each open stream takes a thread.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32), options=options)
    methods = {
        'EmptyCall': grpc.unary_unary_rpc_method_handler(empty_call),
        'UnaryCall': grpc.unary_unary_rpc_method_handler(unary_call),
        'StreamingOutputCall': grpc.unary_stream_rpc_method_handler(streaming_output_call),
        'StreamingInputCall': grpc.stream_unary_rpc_method_handler(streaming_input_call),
        'FullDuplexCall': grpc.stream_stream_rpc_method_handler(full_duplex_call),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler('grpc.testing.TestService', methods)])
    address = '127.0.0.1:0'
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    print(json.dumps({'port': port}), flush=True)
    sys.stdin.read()
    server.stop(0)


main()
