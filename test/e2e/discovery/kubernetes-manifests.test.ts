import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as client from '@kubernetes/client-node';
import { Deployment } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Role, RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { Namespace, Service, ServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, it, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseTarget } from '../../../libs/grpc-lb/src/discovery/index.js';
import { parseServiceName } from '../../../libs/grpc-lb/src/discovery/kubernetes/kubernetes-target.js';
import { effectiveServerOptions } from '../../../libs/grpc-lb/src/server/options.js';
import { unknownFields } from '../../support/kubernetes/fields.js';

/** The manifests of the demo, by the schemas of Kubernetes, and by what they have to do together. */

const FOLDER = join(import.meta.dirname, '../../../deploy/kubernetes');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const read = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });

const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml');
const manifests = files.flatMap((file) => read(file));

/** Made from the OpenAPI description of Kubernetes. It lets unknown fields pass, so those are looked for apart. */
const MODELS = {
  Deployment,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Role,
  RoleBinding,
  Service,
  ServiceAccount,
};

const titled = manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const);

describe('the schema of Kubernetes', () => {
  it.each(titled)('%s', (_, manifest) => {
    const Model = MODELS[manifest.kind as keyof typeof MODELS];
    const model = new Model(manifest as never);
    expect({ apiVersion: model.apiVersion, kind: model.kind }).toEqual({
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
    });
    expect(() => model.validate()).not.toThrow();
    expect(unknownFields(manifest, `V1${manifest.kind}`)).toEqual([]);
  });

  test('detects a wrong type and a wrong name', () => {
    const wrong = structuredClone(deployment('orders')) as unknown as {
      spec: { template: { spec: { containers: { readinessProbe: { grpc: { port: unknown } }; imag?: string }[] } } };
    };
    const [container] = wrong.spec.template.spec.containers;
    container!.readinessProbe.grpc.port = 'grpc';
    container!.imag = 'x';
    expect(() => new Deployment(wrong as never).validate()).toThrow(/readinessProbe\/grpc\/port must be integer/);
    expect(unknownFields(wrong, 'V1Deployment')).toEqual(['spec.template.spec.containers[0].imag']);
  });
});

const find = <T>(kind: string, name: string): T =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name) as T;
const deployment = (name: string): client.V1Deployment => find('Deployment', name);
const container = (name: string): client.V1Container => deployment(name).spec!.template.spec!.containers[0]!;
const environment = (name: string): Record<string, client.V1EnvVar> =>
  Object.fromEntries((container(name).env ?? []).map((variable) => [variable.name, variable]));

test('all of them are in the kustomization, and in its namespace', () => {
  const { resources } = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
  expect(resources.toSorted()).toEqual(files.toSorted());
  for (const { kind, metadata } of manifests)
    expect(metadata.namespace).toBe(kind === 'Namespace' ? undefined : 'shop');
});

test('the target of the client has the Service, and a port that the Service has and the pods listen on', () => {
  const target = parseServiceName(parseTarget(environment('orders-client')['GRPC_LB_ORDERS_CLIENT_TARGET']!.value!));
  expect(target.namespace ?? 'shop').toBe('shop');
  const service = find<client.V1Service>('Service', target.service);
  const port = service.spec!.ports!.find(({ name }) => name === target.port);
  expect(service.spec!.clusterIP).toBe('None');
  const { ports } = container('orders');
  expect(ports!.find(({ name }) => name === port!.targetPort)?.containerPort).toBe(
    Number(environment('orders')['PORT']!.value),
  );
  expect(deployment('orders').spec!.template.metadata!.labels).toMatchObject(service.spec!.selector!);
});

test('the client has exactly the permissions that its target needs', () => {
  const role = find<client.V1Role>('Role', 'watch-endpointslices');
  expect(role.rules).toEqual([
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ]);
  const binding = find<client.V1RoleBinding>('RoleBinding', 'orders-client-watches-endpointslices');
  expect(binding.roleRef).toMatchObject({ kind: 'Role', name: role.metadata!.name });
  const account = deployment('orders-client').spec!.template.spec!.serviceAccountName;
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: account, namespace: 'shop' }]);
  expect(find('ServiceAccount', account!)).toBeDefined();
  // The backends need no rights.
  expect(deployment('orders').spec!.template.spec!.automountServiceAccountToken).toBe(false);
});

test('the termination grace period covers the drain', () => {
  const { preStop } = container('orders').lifecycle!;
  const { drain } = effectiveServerOptions('the demo', {});
  const needed = preStop!.sleep!.seconds * 1000 + drain.delay + drain.timeout;
  const given = deployment('orders').spec!.template.spec!.terminationGracePeriodSeconds! * 1000;
  expect(given).toBeGreaterThan(needed + 5000);
});

test('probes use ports that are served, and a liveness probe checks only what a restart would fix', () => {
  const { livenessProbe, readinessProbe, startupProbe } = container('orders');
  const served = Number(environment('orders')['PORT']!.value);
  for (const probe of [livenessProbe, readinessProbe, startupProbe]) expect(probe!.grpc!.port).toBe(served);
  expect(readinessProbe!.grpc!.service).toBe('orders.v1.Orders');
  expect(livenessProbe!.grpc!.service).toBeUndefined();
  const http = container('orders-client');
  expect(http.livenessProbe!.httpGet!.path).toBe('/health/live');
  expect(http.readinessProbe!.httpGet!.path).toBe('/health/ready');
  const settings = JSON.parse(environment('orders-client')['DEMO_CLIENT_SETTINGS']!.value!) as { httpPort: number };
  expect(http.ports![0]!.containerPort).toBe(settings.httpPort);
});

test('pods comply with the restricted profile that their namespace enforces', () => {
  const { labels } = find<client.V1Namespace>('Namespace', 'shop').metadata!;
  expect(labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  for (const name of ['orders', 'orders-client']) {
    expect(deployment(name).spec!.template.spec!.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container(name).securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  }
});

test('network policies deny by default, and allow the client to reach the backends and the API server', () => {
  const policy = (name: string) => find<client.V1NetworkPolicy>('NetworkPolicy', name).spec!;
  expect(policy('deny-all')).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  for (const name of ['orders', 'orders-client'])
    expect(deployment(name).spec!.template.metadata!.labels).toMatchObject(policy(name).podSelector!.matchLabels!);
  const [from] = policy('orders').ingress!;
  const [to, apiServer] = policy('orders-client').egress!;
  expect((from as { from?: unknown }).from).toEqual([{ podSelector: policy('orders-client').podSelector }]);
  expect(to!.to).toEqual([{ podSelector: policy('orders').podSelector }]);
  const names = container('orders').ports!.map(({ name }) => name);
  for (const rule of [from, to]) expect(names).toContain(rule!.ports![0]!.port);
  expect(apiServer!.ports!.map(({ port }) => port)).toEqual([443, 6443]);
});

test('the image has a base pinned by digest, and neither tools nor tests', () => {
  const lines = (file: string): string[] => readFileSync(join(FOLDER, '..', file), 'utf8').split('\n');
  const dockerfile = lines('Dockerfile');
  for (const line of dockerfile.filter((each) => each.startsWith('FROM')))
    expect(line).toMatch(/^FROM \$\{NODE_IMAGE\}/);
  expect(dockerfile.filter((line) => line.startsWith('ARG NODE_IMAGE='))).toEqual([]);
  expect(dockerfile.join('\n')).toContain('npm prune --omit=dev');
  const ignored = lines('Dockerfile.dockerignore').filter((line) => line !== '' && !line.startsWith('#'));
  expect(ignored[0]).toBe('*');
  expect(ignored).toEqual(expect.arrayContaining(['**/node_modules', '**/dist', '**/*.test.ts']));
});

test('the zone comes from the label that Kubernetes puts on pods', () => {
  const source = environment('orders-client')['GRPC_LB_ZONE']!.valueFrom!.fieldRef!.fieldPath;
  expect(source).toBe("metadata.labels['topology.kubernetes.io/zone']");
});
