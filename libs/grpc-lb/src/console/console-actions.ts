import { Inject, Injectable, Logger } from '@nestjs/common';
import { GrpcLbArgumentError, GrpcLbError } from '../core/errors.js';
import { POLICY_NAMES, type PolicyName } from '../core/options/policy-config.js';
import { isObject, shown } from '../core/options/validation.js';
import type { GrpcLbRegistry } from '../nest/registry.js';
import { REQUIRED_REGISTRY } from '../nest/required-imports.js';

/** The policies that the page offers: those that need only their name. */
export const OFFERED_POLICIES = POLICY_NAMES.filter((name) => name !== 'ring_hash') as readonly PolicyName[];

/** What an action has done, or why it has not. */
export interface ActionResult {
  readonly done: boolean;
  /** A sentence for the page. */
  readonly message: string;
}

type Act = (client: string, body: Readonly<Record<string, unknown>>) => string;

/** Carries out the actions of the page, and logs each. */
@Injectable()
export class ConsoleActions {
  readonly #logger = new Logger('GrpcLbConsole');

  /** @internal Nest creates it. */
  constructor(@Inject(REQUIRED_REGISTRY) private readonly registry: GrpcLbRegistry) {}

  /** @param body The body of the request, from outside. */
  perform(body: unknown): ActionResult {
    const request = isObject(body) ? (body as Readonly<Record<string, unknown>>) : {};
    const { action, client } = request;
    const act = typeof action === 'string' && Object.hasOwn(this.#acts, action) ? this.#acts[action] : undefined;
    if (!act || typeof client !== 'string')
      return { done: false, message: `${shown(action)} of ${shown(client)} is not an action of this page` };
    try {
      const message = act(client, request);
      this.#logger.log(`${client}: ${message}`);
      return { done: true, message };
    } catch (error) {
      if (error instanceof GrpcLbError) return { done: false, message: error.message };
      throw error;
    }
  }

  readonly #acts: Readonly<Record<string, Act>> = {
    eject: (client, { address, durationMs }) => {
      this.registry.eject(client, text(address), Number(durationMs));
      return `${text(address)} is ejected for ${Number(durationMs) / 1000} s`;
    },
    drain: (client, { address }) => {
      this.registry.drain(client, text(address));
      return `${text(address)} is drained until it is restored`;
    },
    restore: (client, { address }) => {
      this.registry.restore(client, text(address));
      return `${text(address)} is restored`;
    },
    recycle: (client, { address }) => {
      this.registry.recycle(client, text(address));
      return `the connections to ${text(address)} are being replaced`;
    },
    policy: (client, { policy }) => {
      const wanted = OFFERED_POLICIES.find((each) => each === policy);
      if (!wanted) throw new GrpcLbArgumentError(`${shown(policy)} is not one of ${OFFERED_POLICIES.join(', ')}`);
      this.registry.adjust(client, { policy: wanted });
      const inForce = this.registry.snapshot(client).loadBalancing?.policy.name;
      if (inForce !== wanted)
        throw new GrpcLbArgumentError(`the overrides of the environment set the policy: it stays ${inForce}`);
      return `the policy is ${wanted} from now on`;
    },
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : shown(value);
}
