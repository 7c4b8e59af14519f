/**
 * One echo server that is a thousand endpoints: it listens on every loopback address. Tells its port. It has one method,
 * and answers the text "unknown" with NOT_FOUND.
 */
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const root = grpc.loadPackageDefinition(loadSync(process.argv[2]!, { defaults: true })) as unknown as {
  echo: { v1: { Echo: grpc.ServiceClientConstructor } };
};
const server = new grpc.Server();
server.addService(root.echo.v1.Echo.service, {
  Say: ({ request }: grpc.ServerUnaryCall<{ text: string }, object>, done: grpc.sendUnaryData<object>) =>
    request.text === 'unknown' ? done({ code: grpc.status.NOT_FOUND }) : done(null, request),
});
server.bindAsync('0.0.0.0:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send!({ type: 'listening', port });
});
process.on('disconnect', () => process.exit());
