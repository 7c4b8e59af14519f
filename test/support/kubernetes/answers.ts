import type { ServerResponse } from 'node:http';

export const GROUP = 'discovery.k8s.io';

/** What kubectl asks before it asks for anything: which resources there are. */
export function discoveryAnswer(path: string, version: string): object | undefined {
  const groupVersion = { groupVersion: `${GROUP}/${version}`, version };
  const resource = {
    name: 'endpointslices',
    singularName: 'endpointslice',
    namespaced: true,
    kind: 'EndpointSlice',
    verbs: ['delete', 'get', 'list', 'watch'],
  };
  const answers: Record<string, object> = {
    '/version': { major: '1', minor: '32', gitVersion: 'v1.32.0' },
    '/api': { kind: 'APIVersions', versions: [] },
    '/apis': {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [{ name: GROUP, versions: [groupVersion], preferredVersion: groupVersion }],
    },
    [`/apis/${GROUP}/${version}`]: {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: groupVersion.groupVersion,
      resources: [resource],
    },
  };
  return answers[path];
}

export function status(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

export function json(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
