import 'reflect-metadata';
import { Metadata } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom, NEVER } from 'rxjs';
import { GrpcLbModule, GrpcLbRegistry } from '../../../libs/grpc-lb/src/index.js';
import type { EchoStub } from './app.js';

// An application that starts, runs one command, and closes. Nothing here ends the process.

const [todo, protoPath, ...targets] = process.argv.slice(2);

const clients = targets.map((target, i) => ({
  name: `CLIENT_${i}`,
  options: { target, package: 'echo.v1', protoPath: protoPath! },
}));

@Module({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature(clients)] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const stubs = clients.map(({ name }) => app.get(GrpcLbRegistry).get(name).getService<EchoStub>('Echo'));
const ignore = { error: (): void => {} };

if (todo !== 'close at once') await firstValueFrom(stubs[0]!.say({ text: 'x' }));
if (todo === 'close with open calls') {
  for (const stub of stubs) {
    stub.say({ text: 'wait' }, new Metadata({ waitForReady: true })).subscribe(ignore);
    stub.talk(NEVER).subscribe(ignore);
  }
  await firstValueFrom(stubs[0]!.repeat({ text: 'for ever', times: 0 }));
  stubs[0]!.repeat({ text: 'for ever', times: 0 }).subscribe(ignore);
}
await app.close();
// Beats that hold nothing; one that comes late, since the machine is busy, is still one.
let beats = 0;
setInterval(() => beats++, 100).unref();
process.on('exit', () => process.stdout.write(`closed, and ended ${beats} later\n`));
