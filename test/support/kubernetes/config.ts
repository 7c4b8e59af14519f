import { stringify } from 'yaml';

export interface KubeConfigParts {
  readonly server: string;
  readonly cluster?: object;
  readonly user?: object;
  readonly namespace?: string;
}

export function kubeConfigText({ server, cluster, user = {}, namespace }: KubeConfigParts): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, ...cluster } }],
    users: [{ name: 'me', user }],
    contexts: [{ name: 'here', context: { cluster: 'test', user: 'me', ...(namespace && { namespace }) } }],
    'current-context': 'here',
  });
}
