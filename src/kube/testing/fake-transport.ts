import type { Transport, TransportRequest } from '../transport.ts';

/** A watch that a test drives. */
export interface FakeWatch {
  readonly request: TransportRequest;
  /** Sends events as lines. */
  send(...events: readonly unknown[]): void;
  /** Sends bytes as they are. */
  sendText(text: string): void;
  /** Ends it as a server does whose time is over. */
  end(): void;
  /** Breaks it. */
  fail(error: Error): void;
  readonly closed: boolean;
}

export interface FakeTransport extends Transport {
  readonly calls: TransportRequest[];
  /** What the next calls get, one each: an answer, or a promise of it, or an error to throw. Without one left a call waits until it is aborted. */
  script(...answers: readonly unknown[]): void;
  /** What the next streams are refused with. */
  refuse(...errors: readonly Error[]): void;
  /** Every watch ever opened. */
  readonly watches: FakeWatch[];
  readonly refused: TransportRequest[];
}

export function createFakeTransport(): FakeTransport {
  const answers: unknown[] = [];
  const refusals: Error[] = [];
  const calls: TransportRequest[] = [];
  const refused: TransportRequest[] = [];
  const watches: FakeWatch[] = [];
  return {
    calls,
    refused,
    watches,
    script: (...more) => void answers.push(...more),
    refuse: (...more) => void refusals.push(...more),
    call: async (request) => {
      calls.push(request);
      const answer = answers.length === 0 ? await untilAborted(request.signal) : await answers.shift();
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
    stream: (request) => {
      if (request.signal.aborted) {
        return untilAborted(request.signal);
      }
      const refusal = refusals.shift();
      if (refusal !== undefined) {
        refused.push(request);
        return Promise.reject(refusal);
      }
      const { watch, body } = openWatch(request);
      watches.push(watch);
      return Promise.resolve(body);
    },
    close: () => Promise.resolve(),
  };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal.addEventListener('abort', fail, { once: true });
    if (signal.aborted) {
      fail();
    }
  });
}

function openWatch(request: TransportRequest): { watch: FakeWatch; body: ReadableStream<Uint8Array> } {
  const channel: { controller?: ReadableStreamDefaultController<Uint8Array>; closed: boolean } = { closed: false };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      channel.controller = controller;
    },
    cancel: () => {
      channel.closed = true;
    },
  });
  const finish = (how: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void => {
    if (!channel.closed && channel.controller !== undefined) {
      channel.closed = true;
      how(channel.controller);
    }
  };
  const sendText = (text: string): void => channel.controller?.enqueue(Buffer.from(text, 'utf8'));
  request.signal.addEventListener('abort', () => finish((controller) => controller.error(request.signal.reason)));
  const watch: FakeWatch = {
    request,
    send: (...events) => events.forEach((event) => sendText(`${JSON.stringify(event)}\n`)),
    sendText,
    end: () => finish((controller) => controller.close()),
    fail: (error) => finish((controller) => controller.error(error)),
    get closed() {
      return channel.closed;
    },
  };
  return { watch, body };
}
