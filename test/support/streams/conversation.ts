import { once } from 'node:events';
import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Echo, type Line } from '../echo/cluster.js';
import { closeWithTest } from '../run/close-with-test.js';

type Call = grpc.ServerDuplexStream<Line, Partial<Line>>;

/** What all servers of a conversation know: the requests in the order in which the service first saw them. */
export class Conversation {
  readonly log: string[] = [];
  readonly servers: ConversationServer[] = [];
  readonly #seen = new Set<string>();
  /** Requests that came once more. */
  repeated = 0;
  /** Whether requests are acknowledged. */
  acknowledges = true;

  process(text: string): void {
    if (this.#seen.has(text)) this.repeated++;
    else this.log.push(text);
    this.#seen.add(text);
    for (const server of this.servers) for (const talk of server.talks) talk.send();
  }
}

/** One call: after the request that opens it, it sends the log from there on. */
class Talk {
  /** Undefined until the call is opened. */
  #next: number | undefined;
  #halfClosed = false;

  constructor(
    private readonly server: ConversationServer,
    readonly call: Call,
  ) {
    call.on('data', ({ text, times }: Line) => {
      if (text === 'hello') {
        this.#next = times;
        this.server.openings.push(times);
        return this.send();
      }
      this.server.conversation.process(text);
    });
    call.on('end', () => {
      this.#halfClosed = true;
      this.send();
    });
  }

  send(): void {
    const { log, acknowledges } = this.server.conversation;
    if (!acknowledges || this.#next === undefined || this.call.cancelled) return;
    while (this.#next < log.length) {
      const text = log[this.#next++]!;
      this.call.write({ text, times: this.#next, server: this.server.address });
    }
    if (this.#halfClosed) this.call.end();
  }
}

/** A real gRPC server of a conversation, in this process: `Talk` of echo.proto. It ends with the test. */
export class ConversationServer {
  address = '';
  /** The places from which calls have been opened. */
  readonly openings: number[] = [];
  readonly talks = new Set<Talk>();
  readonly #server = new grpc.Server();
  #front: net.Server | undefined;
  readonly #sockets = new Set<net.Socket>();

  constructor(readonly conversation: Conversation) {
    conversation.servers.push(this);
    closeWithTest(() => this.kill());
  }

  async start(): Promise<this> {
    this.#server.addService(Echo.service, {
      Talk: (call: Call) => this.#serve(call),
    } as grpc.UntypedServiceImplementation);
    const injector = this.#server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    this.#front = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    });
    const port = await freePort();
    await once(this.#front.listen(port, '127.0.0.1'), 'listening');
    this.address = `127.0.0.1:${port}`;
    return this;
  }

  /** As a process that dies. */
  kill(): void {
    this.#front?.close();
    this.cut();
    this.#server.forceShutdown();
  }

  /** Its connections are lost. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends GOAWAY on all connections; streams go on. */
  goAway(): void {
    this.#server.tryShutdown(() => {});
  }

  /** Ends the streams as a server of this package that drains. */
  endStreams(): void {
    const metadata = new grpc.Metadata();
    metadata.set('grpc-lb-stream-end', 'drain');
    for (const { call } of this.talks) {
      call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'ended by the test', metadata });
    }
  }

  #serve(call: Call): void {
    const talk = new Talk(this, call);
    this.talks.add(talk);
    const gone = (): void => void this.talks.delete(talk);
    call.on('cancelled', gone).on('close', gone).on('error', gone);
  }
}

/** Starts `count` servers of one conversation. */
export async function startConversation(
  count: number,
): Promise<{ conversation: Conversation; servers: ConversationServer[] }> {
  const conversation = new Conversation();
  const servers = await Promise.all(Array.from({ length: count }, () => new ConversationServer(conversation).start()));
  return { conversation, servers };
}
