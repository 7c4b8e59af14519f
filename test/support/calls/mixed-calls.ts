import { EventEmitter, getEventListeners } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { from, type Observable, type Subscription } from 'rxjs';
import { type Random, randomBelow, seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import type { GrpcLbCallOptions, ServiceClient } from '../../../libs/grpc-lb/src/index.js';
import type { BareStub, Line } from './service.js';

type Request = Partial<Line>;

/** The stub of a Nest client. */
export type NestStub = ServiceClient<{
  say(request: Request): Observable<Line>;
  repeat(request: Request): Observable<Line>;
  join(requests: Observable<Request>): Observable<Line>;
  talk(requests: Observable<Request>): Observable<Line>;
}>;

/** Calls that run at a time. */
const AT_ONCE = 64;
const KINDS = ['say', 'repeat', 'join', 'talk'] as const;
type Kind = (typeof KINDS)[number];

/** What one call does, as the seed and its number decide. */
interface Plan {
  readonly kind: Kind;
  readonly request: Request;
  readonly messages: readonly Request[];
  /** When its caller gives up. */
  readonly cancel: 'never' | 'at once' | 'next turn' | 'first response' | 'later';
  /** Milliseconds, for `later`. */
  readonly after: number;
  /** How. */
  readonly by: 'call' | 'signal' | 'parent';
  /** Milliseconds. */
  readonly timeout: number | undefined;
  readonly waitForReady: boolean;
  /** Whether it has a signal and a parent that never fire, and outlive it. */
  readonly bound: boolean;
}

function planOf(random: Random): Plan {
  const kind = KINDS[randomBelow(random, KINDS.length)]!;
  const cancelled = random() < 1 / 3;
  const moments = ['at once', 'next turn', 'first response', 'later', 'later', 'later'] as const;
  const text = 'x'.repeat(random() < 0.05 ? 20_000 : 20);
  // Without an end only if its caller gives up.
  const cancel = cancelled ? moments[randomBelow(random, moments.length)]! : 'never';
  return {
    kind,
    request: { text, times: cancel === 'later' ? randomBelow(random, 3) : 1 + randomBelow(random, 3) },
    messages: Array.from({ length: randomBelow(random, 4) }, () => ({ text })),
    cancel,
    after: random() * 30,
    by: (['call', 'signal', 'parent'] as const)[randomBelow(random, 3)]!,
    timeout: random() < 0.2 ? 1 + randomBelow(random, 60) : undefined,
    waitForReady: random() < 0.2,
    bound: random() < 0.3,
  };
}

/** The call that a server handles, as far as a client's call knows it. */
class Parent extends EventEmitter {
  getDeadline(): number {
    return Infinity;
  }
}

/** A call of grpc-js. */
interface Call {
  on(event: 'data' | 'metadata' | 'error', listener: () => void): unknown;
  on(event: 'status', listener: (status: grpc.StatusObject) => void): unknown;
  cancel(): void;
}

/** Makes calls of all kinds through all stubs, of which a third is given up at some moment. */
export class MixedCalls {
  /** `{ OK: 3 }` */
  readonly ends: Record<string, number> = {};
  /** Failures that nothing explains. */
  readonly unexplained: string[] = [];
  cancelled = 0;
  running = 0;
  /** They outlive the calls. */
  readonly #signal = new AbortController().signal;
  readonly #parent = new Parent().setMaxListeners(0);

  constructor(
    private readonly nest: readonly NestStub[],
    private readonly bare: readonly BareStub[],
    private readonly seed: number,
  ) {
    // Node warns of ten listeners, which is not a leak here.
    EventEmitter.setMaxListeners(0, this.#signal);
  }

  /** Listeners on signals and parents that outlive the calls. */
  get listeners(): number {
    return getEventListeners(this.#signal, 'abort').length + this.#parent.listenerCount('cancelled');
  }

  /** @param every Is told of each call that starts. */
  async run(first: number, count: number, every: (call: number) => void = () => {}): Promise<void> {
    let next = first;
    const worker = async (): Promise<void> => {
      while (next < first + count) {
        const call = next++;
        every(call);
        await this.#make(call);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #make(call: number): Promise<void> {
    const random = seededRandom(this.seed * 10_000_019 + call);
    const plan = planOf(random);
    const stub = randomBelow(random, this.nest.length + this.bare.length);
    this.running++;
    const { code, details } = await new Promise<End>((ended) => {
      const nest = this.nest[stub];
      if (nest) this.#throughNest(nest, plan, ended);
      else this.#throughGrpcJs(this.bare[stub - this.nest.length]!, plan, ended);
    });
    this.running--;
    if (plan.cancel !== 'never') this.cancelled++;
    const name = code === undefined ? 'unsubscribed' : grpc.status[code];
    this.ends[name] = (this.ends[name] ?? 0) + 1;
    if (!explains(plan, code) && this.unexplained.length < 20)
      this.unexplained.push(`call ${call} (${plan.kind}, cancelled ${plan.cancel}) ended with ${name}: ${details}`);
  }

  /** Gives up as planned. Returns what must be called at the first response. */
  #giveUp(plan: Plan, cancel: () => void): () => void {
    if (plan.cancel === 'at once') cancel();
    if (plan.cancel === 'next turn') setImmediate(cancel);
    if (plan.cancel === 'later') setTimeout(cancel, plan.after);
    return plan.cancel === 'first response' ? cancel : () => {};
  }

  /** What a call inherits, and how to give it up through that. */
  #lives(plan: Plan): { signal?: AbortSignal; parent?: grpc.CallOptions['parent']; cancel?: () => void } {
    if (plan.cancel !== 'never' && plan.by === 'signal') {
      const controller = new AbortController();
      return { signal: controller.signal, cancel: () => controller.abort() };
    }
    if (plan.cancel !== 'never' && plan.by === 'parent') {
      const parent = new Parent();
      return { parent: asParent(parent), cancel: () => void parent.emit('cancelled') };
    }
    return plan.bound ? { signal: this.#signal, parent: asParent(this.#parent) } : {};
  }

  #throughNest(stub: NestStub, plan: Plan, ended: (end: End) => void): void {
    const { signal, parent, cancel } = this.#lives(plan);
    const metadata = new grpc.Metadata({ waitForReady: plan.waitForReady });
    const options: GrpcLbCallOptions = {
      ...(signal && { signal }),
      ...(parent && { parent }),
      ...(plan.timeout !== undefined && { timeout: plan.timeout }),
    };
    const requests = from(plan.messages);
    const response =
      plan.kind === 'say' || plan.kind === 'repeat'
        ? stub[plan.kind](plan.request, metadata, options)
        : stub[plan.kind](requests, metadata, options);
    let first = (): void => {};
    let early = false;
    const subscription: Subscription = response.subscribe({
      next: () => {
        early = true;
        first();
      },
      error: ({ code, details }: grpc.ServiceError) => ended({ code, details }),
      complete: () => ended({ code: grpc.status.OK, details: '' }),
    });
    first = this.#giveUp(plan, () => {
      if (cancel) return cancel();
      subscription.unsubscribe();
      ended({ code: undefined, details: 'unsubscribed' });
    });
    if (early) first();
  }

  #throughGrpcJs(stub: BareStub, plan: Plan, ended: (end: End) => void): void {
    const { parent, cancel } = this.#lives(plan.by === 'signal' ? { ...plan, by: 'call' } : plan);
    const metadata = new grpc.Metadata({ waitForReady: plan.waitForReady });
    const options: grpc.CallOptions = {
      ...(parent && { parent }),
      ...(plan.timeout !== undefined && { deadline: Date.now() + plan.timeout }),
    };
    const call = this.#start(stub, plan, metadata, options);
    call.on('error', () => {});
    call.on('status', ({ code, details }: grpc.StatusObject) => ended({ code, details }));
    const first = this.#giveUp(plan, cancel ?? (() => call.cancel()));
    call.on(plan.kind === 'repeat' || plan.kind === 'talk' ? 'data' : 'metadata', first);
  }

  #start(stub: BareStub, { kind, request, messages }: Plan, metadata: grpc.Metadata, options: grpc.CallOptions): Call {
    const done: grpc.requestCallback<Line> = () => {};
    if (kind === 'say') return stub.Say(request, metadata, options, done);
    if (kind === 'repeat') return stub.Repeat(request, metadata, options);
    const call = kind === 'join' ? stub.Join(metadata, options, done) : stub.Talk(metadata, options);
    for (const message of messages) call.write(message);
    call.end();
    return call;
  }
}

/** How a call ended; without a code if its caller has left. */
interface End {
  readonly code: grpc.status | undefined;
  readonly details: string;
}

function asParent(parent: Parent): grpc.CallOptions['parent'] {
  return parent as unknown as grpc.CallOptions['parent'];
}

/**
 * Whether a call may end so: servers say UNAVAILABLE, die, and answer late; a grpc-js server that shuts down resets its
 * streams with CANCEL.
 */
function explains({ cancel }: Plan, code: grpc.status | undefined): boolean {
  const { OK, CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE } = grpc.status;
  if (code === undefined) return cancel !== 'never';
  return code === OK || code === UNAVAILABLE || code === DEADLINE_EXCEEDED || code === CANCELLED;
}
