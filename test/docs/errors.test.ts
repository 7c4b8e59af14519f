import { expect, test } from 'vitest';
import * as core from '../../libs/grpc-lb/src/core/errors.js';
import { readPage, tableOf } from './pages.js';

const { GrpcLbArgumentError, GrpcLbClosedError, GrpcLbConflictError, GrpcLbDiscoveryError } = core;
const { GrpcLbOptionsError, GrpcLbPeerError, missingPeer } = core;

const errors: readonly core.GrpcLbError[] = [
  new GrpcLbOptionsError('client ORDERS', [{ path: 'target', message: 'is missing' }]),
  new GrpcLbArgumentError('x'),
  missingPeer('reflection: true', '@grpc/reflection', new Error('not found')),
  new GrpcLbPeerError('GRPC_LB_PEER_UNSUPPORTED', 'x'),
  new GrpcLbConflictError('x'),
  new GrpcLbClosedError('x'),
  new GrpcLbDiscoveryError('x'),
];

test('the page of errors has exactly the existing classes and codes', () => {
  const rows = tableOf(readPage('docs/reference/errors.md'), 'Class').rows.map(([name, code]) => `${name} ${code}`);
  expect(rows.toSorted()).toEqual(errors.map(({ name, code }) => `\`${name}\` \`${code}\``).toSorted());
});

test('every error class has its name and a common base class', () => {
  for (const error of errors) {
    expect(error).toBeInstanceOf(core.GrpcLbError);
    expect(error.name).toBe(error.constructor.name);
  }
  const classes = Object.values(core).filter((each) => (each as object) !== missingPeer && each !== core.GrpcLbError);
  expect(new Set(errors.map((error) => error.constructor))).toEqual(new Set(classes));
});

test('the error for a missing package has the command that installs it', () => {
  const { message, cause } = errors[2]!;
  expect(message).toBe('reflection: true needs the package @grpc/reflection: npm install @grpc/reflection');
  expect(cause).toEqual(new Error('not found'));
});
