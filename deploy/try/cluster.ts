import { KubernetesApi } from '../../test/support/kubernetes/api.js';
import { GRPC_PORT, type PodEntry, slice } from '../../test/support/kubernetes/slices.js';
import { Pod, PORT } from './pods.js';

const TERMINATING_MS = 500;

/** A Service `orders` in the namespace `shop` of a cluster that is only its API server. */
export class Cluster {
  readonly api = new KubernetesApi();
  readonly #running: Pod[] = [];
  #leaving: Pod[] = [];
  #made = 1;

  get names(): string[] {
    return this.#running.map(({ host }) => host);
  }

  async up(count: number): Promise<void> {
    for (let i = 0; i < count; i++) this.#running.push(await new Pod(`127.0.0.${++this.#made}`).start());
    this.#write();
  }

  /** As Kubernetes does it: first it is told that they terminate, then they do. */
  async down(count: number): Promise<void> {
    const pods = this.#running.splice(0, count);
    this.#leaving.push(...pods);
    this.#write();
    await new Promise((resolve) => setTimeout(resolve, TERMINATING_MS));
    await Promise.all(pods.map((pod) => pod.stop()));
    this.#leaving = this.#leaving.filter((pod) => !pods.includes(pod));
    this.#write();
  }

  /** A rollout of all pods at once. */
  async replace(): Promise<void> {
    const count = this.#running.length;
    await this.up(count);
    await this.down(count);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running, ...this.#leaving].map((pod) => pod.stop()));
    await this.api.stop();
  }

  #write(): void {
    const leaving = this.#leaving.map(({ host }): PodEntry => ({
      ip: host,
      ready: false,
      serving: true,
      terminating: true,
    }));
    const pods = [...this.#running.map(({ host }) => host), ...leaving];
    this.api.store.apply(slice({ name: 'orders-x7k2p', ports: [{ ...GRPC_PORT, port: PORT }], pods }));
  }
}
