import {
  type BackendOptions,
  createFleet,
  type Fleet,
  type FleetBackend,
  type FleetOptions,
} from 'nestjs-grpc-lb/testing';
import { closeWithTest } from '../run/close-with-test.js';
import { Echo, type Line, Mirror } from './cluster.js';

type Answer = Promise<Partial<Line>> | Partial<Line>;
type Options = Omit<FleetOptions, 'backends' | 'client' | 'definition' | 'handlers'>;

/**
 * A fleet of the kit that serves echo.proto, without a health service unless `health` says so. It ends with the test.
 * Each backend answers with its address, and the number of calls that it has got.
 */
export async function echoFleet(backends: FleetOptions['backends'], options: Options = {}): Promise<Fleet> {
  const addressOf = (backend: number): string => fleet.backend(backend).address;
  const fleet: Fleet = await createFleet({
    definition: [Echo.service, Mirror.service],
    backends,
    health: false,
    ...options,
    handlers: {
      say: (line: Line, { backend }) => echoed(line, fleet.backend(backend)),
      look: (line: Line, { backend }) => echoed(line, fleet.backend(backend)),
      /** `times` lines, then the end; for 0 times it stays open until it is canceled. */
      async *repeat({ text, times }: Line, { backend, signal }) {
        for (let i = 0; i < (times || 1); i++) yield { text, server: addressOf(backend), times: i };
        if (times === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      join: async (lines: AsyncIterable<Line>, { backend }) => {
        const texts: string[] = [];
        for await (const { text } of lines) texts.push(text);
        return { text: texts.join(' '), server: addressOf(backend), times: texts.length };
      },
      async *talk(lines: AsyncIterable<Line>, { backend }) {
        for await (const line of lines) yield { ...line, server: addressOf(backend) };
      },
    },
  });
  closeWithTest(() => fleet.close());
  return fleet;
}

/** The backends of such a fleet. */
export async function startBackends(backends: FleetOptions['backends'], options?: Options): Promise<FleetBackend[]> {
  return [...(await echoFleet(backends, options))];
}

/** One of them. */
export async function startBackend(options?: Options, backend: BackendOptions = {}): Promise<FleetBackend> {
  return (await echoFleet([backend], options))[0];
}

/** Decides when and how unary calls end, where `slow`, `fail` and `hang` do not suffice; what it leaves out is as before. */
export function answerBy(backend: FleetBackend, say: (line: Line) => Answer): void {
  const handler = async (line: Line): Promise<Partial<Line>> => {
    const said = await say(line);
    return { ...echoed(line, backend), ...said };
  };
  backend.handle({ say: handler, look: handler });
}

function echoed({ text }: Line, { address, calls }: FleetBackend): Line {
  return { text, server: address, times: calls };
}
