import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { type GrpcLbClientOptions, GrpcLbModule } from 'nestjs-grpc-lb';
import { echoClient, type EchoStub, startApp } from './app.js';

/** Passes everything on. */
export const passing: Interceptor = (options, next) => new InterceptingCall(next(options));

/** How a stub makes its calls: straight on the channel, or through interceptors. */
export const WAYS = [
  ['without interceptors', {}],
  ['with an interceptor', { interceptors: [passing] }],
] as [string, Partial<GrpcLbClientOptions>][];

/** The stub of a client in an application of its own, which closes with the test. */
export async function connect(target: string, more: Partial<GrpcLbClientOptions>): Promise<EchoStub> {
  const Echo = echoClient(target, more);
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Echo])] });
  return app.get(Echo);
}
