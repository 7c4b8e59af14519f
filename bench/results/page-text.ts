import type { RunSpec } from '../tail/model/run-spec.js';
import { BACKENDS, SLOTS } from '../tail/model/scenario.js';

export function top(): string {
  return `# Benchmarks

What balancing does to latency, and what it costs, with real processes and real sockets. [The laboratory](laboratory.md) does the same in virtual time, with more backends, more clients and no noise; here you see that it holds on a machine.

\`\`\`sh
npm run bench -- --write             # all of this page; about an hour and a half
npm run bench -- --proxies --write   # with haproxy and nginx as well; Debian: apt-get install haproxy nginx-light
npm run bench tail -- --quick        # what matters most, in under a minute
npm run bench tail -- --help         # scenarios, clients, load, rounds
npm run bench cpu                    # client CPU for a call
npm run bench metrics                # what metrics cost a call and a scrape
npm run bench traces                 # what traces cost a call
npm run bench tail -- --hedging      # what hedging gains and costs
npm run bench micro                  # nanoseconds of the parts
\`\`\`

Take ratios from here, not milliseconds: those are the machine's. Each section ends with its command and the day of its run.`;
}

export function tailIntroduction({ load, work, warmUp, seconds, deadline }: RunSpec): string {
  return `## The tail of latency

${BACKENDS} backends, two to a process, each with ${SLOTS} slots and a line in front of them. The work of a call is drawn at random, ${work} ms in the mean at full speed, and one in a hundred takes six times that (lognormal, σ 1). Calls come at random times at ${Math.round(load * 100)} % of what all backends together can do, and give up after ${deadline / 1000} s. ${seconds} s count, after ${warmUp} s that do not.

- **The same calls for all.** Times and work of all calls are drawn before the run from the number of the round, and sent with the request. Every subject has the same calls, on the same backends, one subject after the other in each round.
- **No omission.** Calls are made at their times whatever became of those before, and latencies count from the time that was intended, so that a client that is held up pays for it.
- **The bound** is those same calls, replayed in arithmetic: one line for all slots, first come, first served, the fastest free slot first, with no network and no CPU. It decides when a slot is free; a client has to decide when a call is made. Ratios are to the bound of the same round, and are given as the median over the rounds with the lowest and the highest. A call that times out is in the quantiles with the time it took; one that fails is not, so quantiles look better where many calls fail.
- **Central queue, over sockets** is the bound for real: a bare grpc-js client that, alone, knows all slots and lets a call go when one is free. Its excess over 1.00 comes from the machine, its timers and network stack, not from a policy.
- **The work is a timer**, so that the backends need little CPU and do not get into each other's way. When a slot is free is exact; a late timer makes its own answer late and nothing else, and is part of the latency.
- **Backends report** their load in trailers with the server side of this package; utilization is that of the slots. They serve health checks, too.

**Nest, pick_first** is \`ClientsModule\` as it comes, on one connection; **Nest, round_robin** and **weighted_round_robin** are the same with the policy of grpc-js in the service config. The latter gets its reports out of band once a second: with those in trailers, grpc-js 1.14 parses a .proto file for each answer, 16 ms of CPU, and cannot carry this load at all. Both weighted_round_robin use weights after 2 s, not 10, as runs are short. The others are this package with its defaults: least_request by count, ejection and health checks on, no retries. ring_hash is given a session for each call, with bounded load. Left out are its pick_first and round_robin, which choose as those of grpc-js do, and random, which does worse in every situation of the laboratory.

Where a caller gives up many calls, more than its own calls fail: an HTTP/2 server in Node cuts a connection on which more than 1,000 calls, and then more than 33 a second, are reset (nghttp2's guard against rapid resets), with all calls on it.`;
}

export function hedgingIntroduction(): string {
  return `A call without an answer after a while is sent to a second backend as well, and the first answer counts. Ratios are of p99.9 to that of the same policy without, on the same calls. A backend goes on with work whose caller has its answer already.`;
}

export function cpuIntroduction(): string {
  return `## What a call costs the client

CPU of the client's process for a unary call that is answered at once, with a fixed number of calls under way, and for a message of a stream. The ratio is to Nest's own client with the round_robin of grpc-js in the same round, in which all clients take turns. \`node:http2\` and the subchannels of grpc-js, without any client on them, are what cannot be saved without replacing those. **Messages by generated code** are compared with those by proto-loader, both in this package's client, with a message of some twenty values each way.

\`npm run bench profile\` says where it goes. Of a unary call through this package about 7 % is its own code, picks included; a quarter to a third is garbage collection, a twelfth grpc-js, and most of the rest Node's HTTP/2. What it saves is grpc-js's channel, and what a closed stream keeps alive until the next full garbage collection ([why, and how](../decisions/069-what-a-stream-keeps.md); \`npm run bench retained\` measures it). Channel options save next to nothing: neither channelz nor retries are worth turning off. A larger young generation saves a little, for any client and for some memory: \`NODE_OPTIONS=--max-semi-space-size=64\`.`;
}

export function tracesIntroduction(): string {
  return `## What traces cost

CPU of the client's process for a unary call with [traces](../operations/traces.md), over the same without, in turns of some hundred milliseconds. Both have OpenTelemetry's SDK for Node with its context manager, so that what that costs is not counted twice; \`without an SDK\` shows it.`;
}

export function metricsIntroduction(): string {
  return `## What metrics cost

CPU of the client's process for a unary call that is answered at once, with all [metrics](../operations/metrics.md) on, over the same without, in turns of some hundred milliseconds; \`again\` is the same client once more. **Instruments** are those of OpenTelemetry's SDK, which hashes the labels at each value; **a producer** adds the values up itself.

A scrape renders the text of prom-client's registry. Its CPU counts; the time depends on what else the machine does. Static targets are cut to 255 characters, so the labels are long here.`;
}

export function microIntroduction(): string {
  return `## What the parts cost

The code of the core by itself, with mitata. \`choose\` is the policy; \`attempt\` is one attempt of the package's own calls, from its pick to its end, without the wire; \`whole unary call\` is all that its calls add to that; \`pick, start and end\` is what the channel of grpc-js calls for an attempt, with \`register()\`.`;
}

export function bottom(): string {
  return `## How to read it, and how not to

One machine carries clients, backends and proxies. What a proxy's own machine and one more trip over a network would add is not in these figures; what its CPU takes from the others is. Open-loop figures are those of a service with many callers, none of whom waits for another. With real work on the event loop, rather than timers, a policy sees less of what a backend has before it: see \`node\` in [the laboratory](laboratory.md).`;
}
