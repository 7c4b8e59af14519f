import * as grpc from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { HealthImplementation } from 'grpc-health-check';
import { Admission } from '../../../libs/grpc-lb/src/server/admission.js';
import { CallTracker } from '../../../libs/grpc-lb/src/server/call-tracker.js';
import { LoadProbe } from '../../../libs/grpc-lb/src/server/load-probe.js';
import {
  encodeReport,
  OpenRcaService,
  type OrcaLoadReport,
  orcaReport,
  REPORT_KEY,
} from '../../../libs/grpc-lb/src/server/orca-proto.js';
import { orcaService } from '../../../libs/grpc-lb/src/server/orca-service.js';
import type { RunSpec } from '../model/run-spec.js';
import { scenarioNamed, SLOTS } from '../model/scenario.js';
import { Slots } from '../model/slots.js';
import type { Lateness } from './lateness.js';
import { sharedNow } from './shared-clock.js';
import { SlotMeter } from './slot-meter.js';

interface Job {
  readonly index: number;
  readonly work: number;
}

interface Done {
  readonly backend: number;
}

/**
 * One backend: four slots, a line before them, and the load reports of the package's server side, of which the
 * utilization is that of the slots. The event loop is what usually bounds a Node server; here it is the slots.
 */
export class Backend {
  readonly #server: grpc.Server;
  readonly #tracker = new CallTracker(
    new Admission({ deadlines: { propagate: false, refuseHopeless: false }, shedding: undefined }),
    (metadata) => this.#withReport(metadata),
    () => this.#probe.callArrived(),
  );
  #slots = new Slots(SLOTS, () => 1);
  #meter = new SlotMeter(this.#slots);
  #probe = new LoadProbe(this.#tracker, REPORT_WINDOW_MS);
  #failsFrom = Infinity;
  #firstMeasured = 0;
  count = 0;

  constructor(
    private readonly index: number,
    proto: PackageDefinition,
    private readonly lateness: Lateness,
  ) {
    this.#server = new grpc.Server({ interceptors: [this.#tracker.interceptor] });
    const { bench } = grpc.loadPackageDefinition(proto) as unknown as {
      bench: { v1: { Worker: grpc.ServiceClientConstructor } };
    };
    this.#server.addService(bench.v1.Worker.service, {
      Work: (call: grpc.ServerUnaryCall<Job, Done>, done: grpc.sendUnaryData<Done>) => this.#work(call, done),
      Ping: (_call: grpc.ServerUnaryCall<Job, Done>, done: grpc.sendUnaryData<Done>) => done(null, { backend: index }),
    });
    this.#server.addService(
      OpenRcaService,
      orcaService(() => this.#report(), REPORT_INTERVAL_MS),
    );
    new HealthImplementation({ '': 'SERVING', 'bench.v1.Worker': 'SERVING' }).addToServer(this.#server);
  }

  async listen(): Promise<string> {
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return `127.0.0.1:${port}`;
  }

  /** A new run: nothing of the one before is left. */
  begin(spec: RunSpec, startsAt: number, firstMeasured: number): void {
    const scenario = scenarioNamed(spec.scenario);
    const slowness = scenario.slowness(spec.seed);
    this.#slots = new Slots(SLOTS, (time) => slowness(this.index, Math.max(0, Math.floor((time - startsAt) / 1000))));
    this.#failsFrom = scenario.fails(this.index) ? startsAt + spec.warmUp * 1000 : Infinity;
    this.#firstMeasured = firstMeasured;
    this.count = 0;
    this.stop();
    this.#probe = new LoadProbe(this.#tracker, REPORT_WINDOW_MS);
    this.#probe.start();
    this.#meter = new SlotMeter(this.#slots);
    this.#meter.start();
  }

  stop(): void {
    this.#probe.stop();
    this.#meter.stop();
  }

  #work(call: grpc.ServerUnaryCall<Job, Done>, done: grpc.sendUnaryData<Done>): void {
    const { index, work } = call.request;
    if (index >= this.#firstMeasured) this.count++;
    const now = sharedNow();
    if (now >= this.#failsFrom) {
      done({ code: grpc.status.UNAVAILABLE, details: 'the database is gone' });
      return;
    }
    const due = this.#slots.take(now, work);
    let timer: NodeJS.Timeout;
    const answer = (): void => {
      const late = sharedNow() - due;
      // A timer counts from the turn of the event loop in which it was set, and may be early.
      if (late < 0) {
        timer = setTimeout(answer, Math.ceil(-late));
        return;
      }
      this.lateness.add(late);
      done(null, { backend: this.index });
    };
    timer = setTimeout(answer, Math.ceil(due - sharedNow()));
    call.on('cancelled', () => clearTimeout(timer));
  }

  #withReport(metadata: grpc.Metadata | null | undefined): grpc.Metadata {
    const trailer = metadata?.clone() ?? new grpc.Metadata();
    trailer.set(REPORT_KEY, encodeReport(this.#report()));
    return trailer;
  }

  #report(): OrcaLoadReport {
    return orcaReport({ ...this.#probe.load(), eventLoopUtilization: this.#meter.utilization() });
  }
}

/** The defaults of the server side. */
const REPORT_WINDOW_MS = 5000;
const REPORT_INTERVAL_MS = 1000;
