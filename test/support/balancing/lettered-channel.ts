import type { Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import { FakeChannel } from '../peers/fake-channel.js';

/** Endpoints named by letters: `a` is of priority 0, `b1` of priority 1. */
export const endpoints = (...names: string[]): Endpoint[] =>
  names.map((name) => ({ address: { path: name }, priority: Number(name.slice(1) || 0) }));

/** Their addresses in snapshots. */
export const keys = (...names: string[]): string[] => names.map((name) => `unix:${name}`);

/** A channel that has been given a list. */
export async function started(...names: string[]): Promise<FakeChannel> {
  const channel = new FakeChannel();
  await channel.name(endpoints(...names));
  return channel;
}

export const stateOf = ({ view }: FakeChannel, key: string): string | undefined =>
  view.endpoints().find(({ address }) => address === key)?.state;
