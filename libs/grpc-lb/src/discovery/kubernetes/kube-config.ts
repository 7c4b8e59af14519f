import { delimiter, resolve } from 'node:path';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';

/**
 * A kubeconfig whose users may have a `tokenFile`, as in kubectl: `@kubernetes/client-node` supports that only in
 * another form, as an `auth-provider`, which reads the file again after a minute.
 */
export class KubeConfigWithTokenFiles extends KubeConfig {
  override loadFromString(...[text, options]: Parameters<KubeConfig['loadFromString']>): void {
    super.loadFromString(text, options);
    const files = tokenFilesOf(loadYaml(text));
    this.users = this.users.map((user) => {
      const tokenFile = files.get(user.name);
      if (tokenFile === undefined || user.authProvider || user.exec) return user;
      // As client-go: "the last successfully read value takes precedence over BearerToken".
      return { ...user, token: undefined, authProvider: { name: 'tokenFile', config: { tokenFile } } };
    });
  }

  /** Paths are relative to the file that contains them. */
  override makePathsAbsolute(folder: string): void {
    super.makePathsAbsolute(folder);
    for (const { authProvider } of this.users) {
      const { config } = Object(authProvider) as { config?: { tokenFile?: unknown } };
      if (typeof config?.tokenFile === 'string') config.tokenFile = resolve(folder, config.tokenFile);
    }
  }

  /** Like that of the client, which creates a plain `KubeConfig` for each further file in KUBECONFIG. */
  override loadFromDefault(...[options, ...more]: Parameters<KubeConfig['loadFromDefault']>): void {
    const [first, ...others] = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
    if (first === undefined) return super.loadFromDefault(options, ...more);
    this.loadFromFile(first, options);
    for (const file of others) {
      const other = new KubeConfigWithTokenFiles();
      other.loadFromFile(file, options);
      this.mergeConfig(other, more[0]);
    }
  }
}

/** By the name of the user. */
function tokenFilesOf(config: unknown): Map<string, string> {
  const { users } = Object(config) as { users?: unknown };
  const files = new Map<string, string>();
  for (const entry of Array.isArray(users) ? (users as unknown[]) : []) {
    const { name, user } = Object(entry) as { name?: unknown; user?: unknown };
    const { tokenFile } = Object(user) as { tokenFile?: unknown };
    if (typeof name === 'string' && typeof tokenFile === 'string' && tokenFile !== '') files.set(name, tokenFile);
  }
  return files;
}
