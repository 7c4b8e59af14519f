"""A C-core client with round_robin and client-side health checking (gRFC A17), as its users configure it.

    python3 health_client.py SERVICE ADDRESS...

Obeys lines on its standard input: `calls N` makes N calls of echo.v1.Echo/Say, one after the other, and answers with how
many each server has answered and how many failed. Ends when its input ends.
"""

import json
import sys

import grpc
import wire

service, *addresses = sys.argv[1:]
config = {'loadBalancingConfig': [{'round_robin': {}}], 'healthCheckConfig': {'serviceName': service}}
channel = grpc.insecure_channel(
    'ipv4:' + ','.join(addresses), options=[('grpc.service_config', json.dumps(config)), ('grpc.enable_retries', 0)]
)
say = channel.unary_unary('/echo.v1.Echo/Say', request_serializer=wire.line, response_deserializer=wire.parse_line)

for command in sys.stdin:
    count = int(command.split()[1])
    servers, failed = {}, 0
    for _ in range(count):
        try:
            server = say('x', timeout=5)['server']
            servers[server] = servers.get(server, 0) + 1
        except grpc.RpcError:
            failed += 1
    print(json.dumps({'servers': servers, 'failed': failed}), flush=True)
channel.close()
