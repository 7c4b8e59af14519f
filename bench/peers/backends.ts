/** Four echo backends in one process, away from the client whose CPU is measured. Tells their addresses. */
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

interface Line {
  text: string;
}

const proto = process.argv[2]!;
const root = grpc.loadPackageDefinition(loadSync(proto, { defaults: true })) as unknown as {
  echo: { v1: { Echo: grpc.ServiceClientConstructor } };
};

const addresses: string[] = [];
for (let i = 0; i < 4; i++) {
  const server = new grpc.Server();
  server.addService(root.echo.v1.Echo.service, {
    Say: ({ request }: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) => done(null, request),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  addresses.push(`127.0.0.1:${port}`);
}
process.send!({ type: 'listening', addresses });
process.on('disconnect', () => process.exit());
