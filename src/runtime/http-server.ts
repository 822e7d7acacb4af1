import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from './clock.ts';
import { describeError } from './errors.ts';
import { type Check, type CheckResult, unhealthy } from './health.ts';
import type { Logger } from './logger.ts';
import type { Registry } from './metrics.ts';

/** Where a server listens. */
export interface HttpAddress {
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
}

/** Checks by the names that the probes show. */
export type NamedChecks = Readonly<Record<string, Check>>;

export interface HttpServerOptions {
  readonly address: HttpAddress;
  /**
   * `/livez` (and `/healthz`) fail when one of these does, and then the kubelet restarts the process: only what a restart cures
   * belongs here. A loop that is stuck needs no check: the probe gets no answer.
   */
  readonly live: NamedChecks;
  /** `/readyz` fails when one of these does. */
  readonly ready: NamedChecks;
  /** Served at `/metrics`. */
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Serves probes and metrics over plain HTTP. */
export interface HttpServer {
  /** Begins to listen and resolves with the address; rejects with the system's error where that can't be had. */
  start(): Promise<HttpAddress>;
  /** Stops listening, gives requests in flight a second, and resolves when all connections are closed. */
  stop(): Promise<void>;
}

const requestTimeout = 10_000;
const stopGrace = 1_000;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const server = createServer({ requestTimeout, headersTimeout: requestTimeout, keepAliveTimeout: 5_000 });
  server.on('request', (request, response) => {
    respond(options, request).then(
      (answer) => send(request, response, answer),
      (error: unknown) => {
        options.logger.error('a request to the HTTP server failed', { path: request.url, ...describeError(error) });
        send(request, response, text(500, 'internal error'));
      },
    );
  });
  server.on('error', (error) => options.logger.error('the HTTP server failed', describeError(error)));
  return { start: () => start(server, options.address), stop: () => stop(server, options.clock) };
}

async function start(server: Server, { host, port }: HttpAddress): Promise<HttpAddress> {
  server.listen({ host, port });
  await once(server, 'listening');
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : { host, port };
}

async function stop(server: Server, clock: Clock): Promise<void> {
  if (!server.listening) {
    return;
  }
  const closed = once(server, 'close');
  // Closes idle connections too.
  server.close();
  const timer = clock.after(stopGrace, () => server.closeAllConnections());
  await closed;
  timer.cancel();
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

async function respond({ live, ready, registry }: HttpServerOptions, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return text(405, 'only GET is allowed');
  }
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const verbose = new URLSearchParams(query).has('verbose');
  switch (path) {
    case '/livez':
    case '/healthz':
      return probe('livez', live, verbose);
    case '/readyz':
      return probe('readyz', ready, verbose);
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    default:
      return text(404, 'not found: there are /livez, /readyz and /metrics');
  }
}

/** Answers as the probes of Kubernetes' own components do: `ok`, or each failing check; with `?verbose` all checks. */
function probe(name: string, checks: NamedChecks, verbose: boolean): Answer {
  const results = Object.entries(checks).map(([check, run]) => ({ check, result: runCheck(run) }));
  const ok = results.every(({ result }) => result.ok);
  if (ok && !verbose) {
    return text(200, 'ok');
  }
  const lines = results
    .filter(({ result }) => verbose || !result.ok)
    .map(({ check, result }) => (result.ok ? `[+] ${check} ok` : `[-] ${check} failed: ${result.message}`));
  return text(ok ? 200 : 503, [...lines, `${name} check ${ok ? 'passed' : 'failed'}`].join('\n'));
}

function runCheck(check: Check): CheckResult {
  try {
    return check();
  } catch {
    return unhealthy('the check itself failed');
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}
