import type { Cancel } from '../../core/clock.js';
import type { Address } from '../../core/endpoint.js';
import type { Link } from '../../core/balancing/members/link.js';
import type { Member } from '../../core/balancing/members/member.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import type { ConnectionSnapshot } from '../../core/snapshot.js';
import { askReport } from './asked-report.js';
import type { Connection } from './connection.js';
import type { ConnectionEnvironment } from './connection-site.js';
import { ConnectionGroup, type ConnectionGroupListener } from './connection-group.js';

/** The connections of one endpoint, as the link that core's balancing uses. */
export class PooledEndpoint implements Link<Connection>, ConnectionGroupListener {
  readonly #connections: ConnectionGroup;
  /** Why its last connection was lost; null once there is one again. */
  #lostFor: string | null = null;

  constructor(
    address: Address,
    private readonly environment: ConnectionEnvironment,
    private readonly member: Member<Connection>,
  ) {
    const site = { address, environment, onLoadReport: member.reported.bind(member) };
    this.#connections = new ConnectionGroup(site, this);
  }

  get usable(): boolean {
    return this.#connections.usable.length > 0;
  }

  get serving(): boolean {
    return this.#connections.usable.some(({ health }) => health !== 'not_serving');
  }

  get notServing(): string | null {
    return this.#connections.usable.find(({ healthReason }) => healthReason !== null)?.healthReason ?? null;
  }

  get suspicion(): string | undefined {
    const { usable } = this.#connections;
    return usable.every(({ suspicion }) => suspicion !== undefined) ? usable[0]?.suspicion : undefined;
  }

  get failing(): boolean {
    const { all, failing } = this.#connections;
    return failing !== undefined || all.some(({ state }) => state === 'transient_failure');
  }

  get failure(): string | null {
    const { all, failing } = this.#connections;
    return all.find(({ lastError }) => lastError !== undefined)?.lastError ?? failing ?? this.#lostFor;
  }

  get empty(): boolean {
    return this.size === 0;
  }

  get size(): number {
    return this.#connections.all.length;
  }

  get hasRoom(): boolean {
    return this.#connections.usable.some(({ hasRoom }) => hasRoom);
  }

  get roomToCome(): number {
    let room = 0;
    for (const { coming, limit } of this.#connections.all) if (coming) room += limit;
    return room;
  }

  get canGrow(): boolean {
    return this.#connections.canGrow;
  }

  withRoom(youngerThan?: number): Connection | undefined {
    return this.#connections.withRoom(youngerThan);
  }

  open(): void {
    this.#connections.open();
  }

  configure(): void {
    this.#connections.configure();
  }

  grow(): void {
    this.#connections.grow();
  }

  dialNow(): void {
    this.#connections.dialNow();
  }

  recycle(): void {
    this.#connections.recycle();
  }

  askReport(told: (report: LoadReport | undefined) => void): Cancel {
    const connection = this.#connections.usable[0];
    if (connection) return askReport(connection.peer, told);
    return this.environment.context.clock.after(0, () => told(undefined));
  }

  released(connection: Connection): void {
    this.#connections.released(connection);
  }

  drain(): void {
    this.#connections.drain();
  }

  close(): void {
    this.#connections.close();
  }

  snapshot(): ConnectionSnapshot[] {
    return this.#connections.all.map((connection) => connection.snapshot());
  }

  connectionsChanged(): void {
    this.member.update();
  }

  connectionOpened({ id }: Connection): void {
    if (!this.usable) this.member.reachable();
    this.#lostFor = null;
    this.environment.context.emit({ type: 'connection_opened', address: this.member.key, connection: id });
  }

  connectionClosed({ id, state }: Connection, reason: string | null): void {
    this.environment.context.emit({ type: 'connection_closed', address: this.member.key, connection: id, reason });
    if (state !== 'lost') return;
    this.#lostFor = reason;
    this.environment.askDiscovery();
  }

  connectionRetired({ streams }: Connection): void {
    // After a GOAWAY they continue, but the server waits for their end.
    if (streams !== undefined && streams.size > 0) this.member.placement.leave(streams, 'connection_retired');
  }

  connectionFailed(): void {
    // Discovery may have a newer list.
    this.environment.askDiscovery();
  }
}
