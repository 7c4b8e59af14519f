import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../libs/grpc-lb/src/core/clock.js';
import type {
  EndpointAnswer,
  EndpointListener,
  EndpointSource,
} from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import { addressToString, type Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import { parseTarget } from '../../../libs/grpc-lb/src/discovery/index.js';
import {
  kubernetesSourceFactory,
  type KubernetesSourceOptions,
} from '../../../libs/grpc-lb/src/discovery/kubernetes/index.js';
import { systemClock } from '../../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { kubeConfigText, type KubeConfigParts } from './config.js';

/** Real time, twenty times faster, so that a test may wait for a pause of seconds. */
export const fastClock: Clock = {
  now: () => systemClock.now() * 20,
  after: (delayMs, callback) => systemClock.after(delayMs / 20, callback),
};

/** A folder of this test's own. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A kubeconfig for an API server that speaks plain HTTP, unless the parts say more. */
export function kubeConfigFile(parts: KubeConfigParts): string {
  const file = join(temporaryFolder(), 'config');
  writeFileSync(file, kubeConfigText({ cluster: { 'insecure-skip-tls-verify': true }, ...parts }));
  return file;
}

/** A source over real sockets, and all that it says. */
export class HeardSource implements EndpointListener {
  readonly lists: string[][] = [];
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly #source: EndpointSource;
  #check: (() => void) | undefined;

  constructor(options: KubernetesSourceOptions, target = 'kubernetes:///orders.shop:grpc', clock = fastClock) {
    // What takes longer than this is not slow, but stuck.
    const factory = kubernetesSourceFactory({ timeout: 200_000, ...options });
    this.#source = factory(parseTarget(target), { clock, random: Math.random });
    this.#source.start(this);
    onTestFinished(() => this.#source.stop());
  }

  get last(): string[] | undefined {
    return this.lists.at(-1);
  }

  refresh(): void {
    this.#source.refresh();
  }

  stop(): void {
    this.#source.stop();
  }

  /** Resolves as soon as the condition holds; it is looked at whenever the source has spoken. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#check = resolve));
  }

  async untilLast(...expected: string[]): Promise<void> {
    await this.until(() => JSON.stringify(this.last) === JSON.stringify(expected));
  }

  onEndpoints(endpoints: readonly Endpoint[], _answer?: EndpointAnswer): void {
    this.lists.push(endpoints.map(({ address }) => addressToString(address).replace(':50051', '')));
    this.#check?.();
  }

  onError(error: Error): void {
    this.errors.push(error.message);
    this.#check?.();
  }

  onWarning(warning: string): void {
    this.warnings.push(warning);
    this.#check?.();
  }
}
