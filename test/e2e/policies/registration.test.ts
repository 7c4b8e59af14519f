import { experimental } from '@grpc/grpc-js';
import { register } from 'nestjs-grpc-lb/grpc';
import { expect, test } from 'vitest';

// A separate file: registrations with grpc-js last as long as the process.
test('a policy that another library registered is not overwritten', () => {
  class OtherLibrary {}
  experimental.registerLoadBalancerType('least_request_experimental', OtherLibrary as never, OtherLibrary as never);
  expect(() => register()).toThrow(
    /"least_request_experimental" is already registered with grpc-js, by another library/,
  );
});
