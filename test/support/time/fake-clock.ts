export { FakeClock } from '../../../libs/grpc-lb/src/testing/fake-clock.js';
