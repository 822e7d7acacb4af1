import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { type Dispatcher, request as send } from 'undici';
import { z } from 'zod';
import type { FaultBook } from '../fault-book.ts';
import type { ApiRequest, Party } from '../history.ts';
import type { Fault } from '../plan.ts';
import { type Refusal, refusal } from './answers.ts';
import { type ApiCall, describeApiCall, labelOf } from './api-call.ts';
import { WatchTap } from './watch-tap.ts';

/** The process behind the proxy. */
export interface Controlled {
  /** Resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops it; resolves when it runs again, after somebody else led. */
  oversleep(): Promise<void>;
}

export interface ApiProxyOptions {
  readonly server: {
    readonly url: string;
    /** PEM of the API server's own certificate and key: the operator trusts no other. */
    readonly cert: string;
    readonly key: string;
    /** Trusts it. */
    readonly dispatcher: Dispatcher;
  };
  readonly slot: Party;
  /** Of the run. Of cluster-scoped managers the operator sees the one with this name, so that runs do not meet. */
  readonly id: string;
  readonly book: FaultBook;
  readonly process: Controlled;
  /** Milliseconds of the history. */
  readonly now: () => number;
  readonly record: (request: ApiRequest) => void;
}

export interface ApiProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** Stands between one operator and the API server, understands what passes and lets it go wrong as the plan says. */
export async function startApiProxy(options: ApiProxyOptions): Promise<ApiProxy> {
  const { cert, key } = options.server;
  const broken = new AbortController();
  const server = createServer({ cert, key, keepAlive: true }, (request, response) => {
    // What breaks here is the connection of one of the two ends, which the other one hears of.
    serve({ options, request, response, closed: broken.signal }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.int() }).parse(server.address());
  return {
    url: `https://127.0.0.1:${port}`,
    close: async () => {
      broken.abort();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Passage {
  readonly options: ApiProxyOptions;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly closed: AbortSignal;
}

async function serve(passage: Passage): Promise<void> {
  const { options, request } = passage;
  const text = await readAll(request);
  const call = describeApiCall(request.method ?? '', request.url ?? '', headerOf(request, 'content-type'), text);
  const at = options.now();
  const fault = options.book.take('request', `${options.slot}: ${labelOf(call)}`)?.do;
  const record = (status: number | undefined): void => {
    const { verb, resource, subresource, namespace, name, body, fieldManager, dryRun } = call;
    const what = { verb, resource, subresource, namespace, name, body, fieldManager, dryRun };
    options.record({ slot: options.slot, ...what, at, status });
  };
  if (await happens(passage, before, fault)) {
    record(undefined);
    return;
  }
  const answer = await forward(passage, call, text);
  record(answer.statusCode);
  if (call.verb === 'watch' && answer.statusCode === 200) {
    await pass(passage, call, answer);
    return;
  }
  const body = await answer.body.text();
  if (await happens(passage, after, fault)) return;
  reply(passage.response, { status: answer.statusCode, headers: plainHeaders(answer.headers), body });
}

type RequestFault = Extract<Fault, { on: 'request' }>['do'];

/** Whether the request, or its answer, ends here. */
type Happening = (passage: Passage) => Promise<'ends' | 'goes on'>;

const kill: Happening = async ({ options, response }) => {
  await options.process.kill();
  response.destroy();
  return 'ends';
};
const oversleep: Happening = async ({ options }) => {
  await options.process.oversleep();
  return 'goes on';
};
const hang: Happening = async () => 'ends';
const reset: Happening = async ({ response }) => {
  response.destroy();
  return 'ends';
};

function refuse(status: Parameters<typeof refusal>[0]): Happening {
  return async ({ response }) => {
    reply(response, refusal(status));
    return 'ends';
  };
}

const before: Readonly<Partial<Record<RequestFault, Happening>>> = {
  'kill-before': kill,
  conflict: refuse(409),
  throttle: refuse(429),
  'error-500': refuse(500),
  'error-503': refuse(503),
  'timeout-before': refuse(504),
  'hang-before': hang,
  'reset-before': reset,
  'stop-before': oversleep,
};

const after: Readonly<Partial<Record<RequestFault, Happening>>> = {
  'kill-after': kill,
  'timeout-after': refuse(504),
  'hang-after': hang,
  'reset-after': reset,
  'stop-after': oversleep,
};

async function happens(
  passage: Passage,
  when: Readonly<Partial<Record<RequestFault, Happening>>>,
  fault: RequestFault | undefined,
): Promise<boolean> {
  const happening = fault === undefined ? undefined : when[fault];
  return happening !== undefined && (await happening(passage)) === 'ends';
}

function forward(passage: Passage, call: ApiCall, body: string): Promise<Dispatcher.ResponseData> {
  const { options, request, response, closed } = passage;
  const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
  const gone = new AbortController();
  // A write that has arrived is carried out, whatever becomes of its sender.
  if (call.verb === 'watch') response.once('close', () => gone.abort());
  return send(`${options.server.url}${pathOf(call, request.url ?? '', options.id)}`, {
    dispatcher: options.server.dispatcher,
    method: z.enum(['GET', 'POST', 'PATCH', 'DELETE', 'PUT']).parse(request.method),
    headers,
    body: body === '' ? null : body,
    signal: AbortSignal.any([gone.signal, closed]),
  });
}

function pathOf({ verb, resource }: ApiCall, path: string, id: string): string {
  const isCollection = verb === 'list' || verb === 'watch';
  if (resource !== 'clustersecretmanagers' || !isCollection) return path;
  const separator = path.includes('?') ? '&' : '?';
  return `${path}${separator}fieldSelector=${encodeURIComponent(`metadata.name=${id}`)}`;
}

async function pass(passage: Passage, call: ApiCall, answer: Dispatcher.ResponseData): Promise<void> {
  const { options, response } = passage;
  response.writeHead(answer.statusCode, plainHeaders(answer.headers));
  response.flushHeaders();
  const tap = new WatchTap({
    book: options.book,
    slot: options.slot,
    resource: call.resource,
    output: {
      write: (line) => {
        response.write(line);
      },
      end: () => {
        response.end();
      },
      destroy: () => {
        response.destroy();
      },
      kill: () => {
        void options.process.kill();
      },
    },
  });
  try {
    for await (const line of createInterface({ input: answer.body, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') tap.take(line);
    }
    response.end();
  } finally {
    tap.close();
    response.destroy();
  }
}

function reply(response: ServerResponse, { status, headers, body }: Refusal): void {
  response.writeHead(status, headers);
  response.end(body);
}

/** What a proxy may not pass on is set anew. */
function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const hop = new Set(['connection', 'content-length', 'transfer-encoding', 'keep-alive', 'date']);
  const kept = Object.entries(headers).filter(([name]) => !hop.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

function headerOf(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? '');
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(z.instanceof(Buffer).parse(part));
  return Buffer.concat(parts).toString();
}
