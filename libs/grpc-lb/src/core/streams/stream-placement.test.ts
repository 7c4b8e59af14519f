import { describe, expect, it } from 'vitest';
import { Client, type Host, hosts, type Stream } from '../../../../../test/support/streams/placed-streams.js';

describe('StreamPlacement', () => {
  it('counts streams by endpoint, through moves, until they close', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const [first, second] = client.open(a, 2) as [Stream, Stream];
    expect([client.placement.size, client.placement.count(a), client.placement.count(b)]).toEqual([2, 2, 0]);
    first.move('max_age', b);
    expect([client.placement.count(a), client.placement.count(b)]).toEqual([1, 1]);
    client.close(first, second);
    client.placement.closed(first);
    expect([client.placement.size, client.placement.count(a), client.placement.count(b)]).toEqual([0, 0, 0]);
    expect(client.told).toEqual([[a, b, 'max_age']]);
  });

  it('leaves no timer behind when it is closed', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([b]);
    const streams = client.open(a, 10);
    client.placement.vacate(a, 'removed');
    client.placement.leave(streams, 'connection_retired');
    expect(client.clock.pendingTimers).toBe(3);
    client.placement.close();
    expect(client.clock.pendingTimers).toBe(0);
    // The endpoints leave, and the streams end, when the client has closed.
    client.placement.vacate(a, 'removed');
    client.placement.leave(streams, 'connection_retired');
    client.close(...streams.slice(1));
    client.open(b);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('has no timer left if the last stream that is asked to go ends instead', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([b]);
    client.rebalance = undefined;
    const [stream] = client.open(a) as [Stream];
    stream.move = () => client.close(stream);
    client.placement.vacate(a, 'removed');
    while (client.placement.size > 0) client.clock.advance(1);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('looks at ten thousand streams as cheaply as at ten', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const streams = client.open(a, 5000);
    client.open(b, 5000);
    expect(client.clock.pendingTimers).toBe(1);
    client.close(...streams.slice(0, 100));
    expect(client.clock.pendingTimers).toBe(1);
  });
});
