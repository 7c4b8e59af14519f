/**
 * A kit for tests: backends in the process of the test that fail on demand, clients without a socket, a clock.
 *
 * @example
 * ```ts
 * const fleet = await createFleet({ client: OrdersClient, backends: 3, handlers: { find: ({ id }) => ({ id }) } });
 * fleet[1].slow(200);
 * ```
 *
 * @packageDocumentation
 */

export type { AttemptKind } from '../core/call/plan-owner.js';
export type { Cancel, Clock } from '../core/clock.js';
export type { BackendOptions, FailOptions } from './fleet/backend-options.js';
export type { FleetBackend } from './fleet/fleet-backend.js';
export {
  type BackendFleet,
  createFleet,
  type Fleet,
  type FleetClientFactory,
  type ReadyOptions,
} from './fleet/fleet.js';
export type { FleetOptions } from './fleet/fleet-options.js';
export type { FleetTlsOptions } from './fleet/fleet-tls.js';
export { type CertificateRequest, type IssuedCertificate, TestAuthority } from './certificates/test-authority.js';
export type { CertificateOptions, TlsOptions } from '../tls/options.js';
export type { TlsVersion } from '../tls/loaded-tls.js';
export type { CertificateProvider, ProvidedCertificates } from '../tls/provided-pem.js';
export type { ServingStatus } from '../grpc/endpoint/health-messages.js';
export type { AttemptBounds, AttemptedCall, SentAttempt } from './fleet/attempt-log.js';
export type { ReceivedCall } from './fleet/call-log.js';
export type { ShareBounds, ShareOptions } from './fleet/shares.js';
export { FakeClock } from './fake-clock.js';
export { freePort } from './free-port.js';
export type {
  Answer,
  AnswerStream,
  AnyCall,
  AnyClient,
  BackendCall,
  Handler,
  HandlerCall,
  HandlerRequest,
  HandlersOf,
  RequestIn,
  ResponseIn,
} from './handlers.js';
export type { WholeMessage } from '../nest/definition/partial-message.js';
export { type Leak, type LeakCheck, trackLeaks } from './leaks.js';
export { type MadeCall, type MockedClient, type MockedMethod, mockClient } from './mock-client.js';
export { type RepeatedCalls, type RepeatOptions, repeat } from './repeat.js';
export type { ProtoOptions } from './served-services.js';
export { seededRandom, type Random as RandomSource } from '../core/random.js';
export { type StatusName, statusError } from './status-error.js';
