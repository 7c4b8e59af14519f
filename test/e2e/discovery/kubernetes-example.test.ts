import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as client from '@kubernetes/client-node';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Role, RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { Namespace, Service, ServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, it, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { effectiveServerOptions } from '../../../libs/grpc-lb/src/server/options.js';
import { unknownFields } from '../../support/kubernetes/fields.js';

/** The manifests of examples/kubernetes, by the schemas of Kubernetes, and by what they have to do together. */

const FOLDER = join(import.meta.dirname, '../../../examples/kubernetes/k8s');
const MODELS = { Deployment, Namespace, Role, RoleBinding, Service, ServiceAccount };

interface Manifest {
  readonly kind: keyof typeof MODELS;
  readonly metadata: { readonly name: string };
}

const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml');
const manifests = files.flatMap((file) => parseAllDocuments(read(file)).map((each) => each.toJS() as Manifest));
const find = <T>(kind: string, name: string): T =>
  manifests.find((each) => each.kind === kind && each.metadata.name === name) as T;

describe('the schema of Kubernetes', () => {
  it.each(manifests.map((each) => [`${each.kind} ${each.metadata.name}`, each] as const))('%s', (_, manifest) => {
    expect(() => new MODELS[manifest.kind](manifest as never).validate()).not.toThrow();
    expect(unknownFields(manifest, `V1${manifest.kind}`)).toEqual([]);
  });
});

test('all of them are in the kustomization', () => {
  const { resources } = parse(read('kustomization.yaml')) as { resources: string[] };
  expect(resources.toSorted()).toEqual(files.toSorted());
});

test('the Service is headless, and has the pods and the port that the client looks for', () => {
  const { clusterIP, ports, selector } = find<client.V1Service>('Service', 'orders').spec!;
  const { template } = find<client.V1Deployment>('Deployment', 'orders').spec!;
  expect(clusterIP).toBe('None');
  expect(template.metadata!.labels).toMatchObject(selector!);
  expect(ports!.map(({ name, targetPort }) => [name, targetPort])).toEqual([['grpc', 'grpc']]);
  expect(template.spec!.containers[0]!.ports).toEqual([{ name: 'grpc', containerPort: 50051 }]);
  const source = readFileSync(join(FOLDER, '../src/client.ts'), 'utf8');
  expect(source).toContain("'kubernetes:///orders:grpc'");
});

test('the client may watch EndpointSlices, and nothing else', () => {
  expect(find<client.V1Role>('Role', 'watch-endpointslices').rules).toEqual([
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ]);
  const { serviceAccountName } = find<client.V1Deployment>('Deployment', 'client').spec!.template.spec!;
  const { roleRef, subjects } = find<client.V1RoleBinding>('RoleBinding', 'client-watches-endpointslices');
  expect(roleRef.name).toBe('watch-endpointslices');
  expect(subjects).toEqual([{ kind: 'ServiceAccount', name: serviceAccountName, namespace: 'shop' }]);
});

test('the termination grace period covers preStop and the drain', () => {
  const { spec } = find<client.V1Deployment>('Deployment', 'orders').spec!.template;
  const { drain } = effectiveServerOptions('the example', {});
  const needed = spec!.containers[0]!.lifecycle!.preStop!.sleep!.seconds * 1000 + drain.delay + drain.timeout;
  expect(spec!.terminationGracePeriodSeconds! * 1000).toBeGreaterThan(needed + 5000);
});
