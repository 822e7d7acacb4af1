import type { Dispatcher } from 'undici';
import { type Clock, type Random, sleep } from '../runtime/clock.ts';
import type { KubeCredentials, KubeServer } from './config.ts';
import { callPool, watchPool } from './connection.ts';
import { type CallSubject, KubeError, type LocalReason } from './errors.ts';
import { errorFromRefusal } from './status.ts';
import { TunnelError } from './tunnel.ts';

export interface TransportRequest {
  readonly subject: CallSubject;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, escaped. */
  readonly path: string;
  /** Default `application/json`. */
  readonly accept?: string | undefined;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Milliseconds. For a call: all of it, retries included (default 15 s). For a stream: until its first byte (30 s). */
  readonly deadline?: number | undefined;
}

/** Requests to one API server. Everything rejects with `KubeError` or, once `signal` aborts, with the signal's reason. */
export interface Transport {
  /** The JSON of a success. A 429, or a 503 that says when to come again, is tried again within the deadline. */
  call(request: TransportRequest): Promise<unknown>;
  /** The body of a success, as it comes. It has to be iterated: leaving the loop closes it, aborting `signal` breaks it. */
  stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>>;
  /** Breaks off everything that is under way. */
  close(): Promise<void>;
}

/** One answered (or failed) request, for metrics. */
export interface RequestRecord {
  /** The HTTP status, or `<error>` where there was no answer. */
  readonly code: string;
  readonly method: string;
  readonly host: string;
  /** Until the headers of the answer. */
  readonly seconds: number;
}

export interface TransportOptions {
  readonly server: KubeServer;
  readonly clock: Clock;
  readonly random: Random;
  /** Of Keyferry, for the user agent. */
  readonly version: string;
  readonly onRequest?: (record: RequestRecord) => void;
  /** Acts as somebody else; needs the permission to impersonate. */
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[] };
  /** Calls at once, watches apart. Default 32. */
  readonly connections?: number;
}

const defaultDeadline = 15_000;
const defaultOpening = 30_000;
/** Milliseconds: the least wait before a call that was turned away is tried again. */
const leastWait = 100;

export function createTransport(options: TransportOptions): Transport {
  const { server, clock } = options;
  const calls = callPool(server, options.connections ?? 32);
  const watches = watchPool(server);
  return {
    call: async (request) => {
      const limits = limitTime(clock, request, defaultDeadline);
      try {
        return await callUntilAccepted(options, calls, request, limits);
      } finally {
        limits.release();
      }
    },
    stream: async (request) => {
      const limits = limitTime(clock, request, defaultOpening);
      try {
        const answer = await send(options, watches, request, limits);
        return await takeStream(options, request, answer, limits);
      } catch (error) {
        limits.release();
        throw error;
      } finally {
        limits.stopClock();
      }
    },
    close: async () => {
      await Promise.all([calls.destroy(), watches.destroy()]);
    },
  };
}

/** The caller's signal and the deadline, as one signal. */
interface Limits {
  readonly signal: AbortSignal;
  /** Milliseconds left. */
  left(): number;
  /** Lifts the deadline; the caller's signal still counts. */
  stopClock(): void;
  release(): void;
}

function limitTime(clock: Clock, request: TransportRequest, defaultMs: number): Limits {
  const ms = request.deadline ?? defaultMs;
  const end = clock.monotonic() + ms;
  const controller = new AbortController();
  const abort = (): void => controller.abort(request.signal.reason);
  const timer = clock.after(ms, () => {
    const detail = `no answer within ${String(ms / 1000)} s`;
    controller.abort(localError(request, 'DeadlineExceeded', detail, true));
  });
  request.signal.addEventListener('abort', abort, { once: true });
  if (request.signal.aborted) {
    abort();
  }
  return {
    signal: controller.signal,
    left: () => end - clock.monotonic(),
    stopClock: () => timer.cancel(),
    release: () => {
      timer.cancel();
      request.signal.removeEventListener('abort', abort);
    },
  };
}

async function callUntilAccepted(
  options: TransportOptions,
  pool: Dispatcher,
  request: TransportRequest,
  limits: Limits,
): Promise<unknown> {
  for (;;) {
    const answer = await send(options, pool, request, limits);
    const text = await readText(request, answer, limits);
    if (answer.statusCode >= 200 && answer.statusCode < 300) {
      return parseJson(request, text);
    }
    const error = refusal(options, request, answer, text);
    const wait = waitBeforeRetry(error, options.random);
    if (wait === undefined || wait >= limits.left()) {
      throw error;
    }
    await sleep(options.clock, wait, limits.signal);
    request.signal.throwIfAborted();
  }
}

/** Both answers mean that the call was not carried out, so even a write may be tried again. */
function waitBeforeRetry(error: KubeError, random: Random): number | undefined {
  const turnedAway = error.status === 429 || error.status === 503;
  if (!turnedAway || error.retryAfter === undefined) {
    return undefined;
  }
  return Math.max(leastWait, error.retryAfter) * (1 + random() / 4);
}

async function send(
  options: TransportOptions,
  pool: Dispatcher,
  request: TransportRequest,
  limits: Limits,
): Promise<Dispatcher.ResponseData> {
  const { server, clock } = options;
  const started = clock.monotonic();
  const host = new URL(server.url).host;
  const record = (code: string): void =>
    options.onRequest?.({ code, method: request.method, host, seconds: (clock.monotonic() - started) / 1000 });
  limits.signal.throwIfAborted();
  const credentials = await credentialsFor(server, request, limits);
  try {
    const answer = await pool.request({
      origin: new URL(server.url).origin,
      path: `${new URL(server.url).pathname.replace(/\/$/, '')}${request.path}`,
      method: request.method,
      headers: headersFor(options, request, credentials),
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: limits.signal,
    });
    record(String(answer.statusCode));
    return answer;
  } catch (error) {
    record('<error>');
    throw failure(request, limits, error);
  }
}

/** A plugin that hangs hangs no call. */
async function credentialsFor(
  server: KubeServer,
  request: TransportRequest,
  { signal }: Limits,
): Promise<KubeCredentials> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([server.credentials(), aborted.promise]);
  } catch {
    signal.throwIfAborted();
    // The library's message holds what a credential plugin printed.
    const detail = "the kubeconfig's credential plugin or files failed; try the same kubeconfig with kubectl";
    throw localError(request, 'CredentialsFailed', detail, false);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function headersFor(
  options: TransportOptions,
  request: TransportRequest,
  credentials: KubeCredentials,
): Record<string, string | string[]> {
  const { impersonate } = options;
  return {
    accept: request.accept ?? 'application/json',
    'user-agent': `keyferry/${options.version}`,
    ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
    ...credentials.headers,
    ...(impersonate === undefined
      ? {}
      : { 'Impersonate-User': impersonate.user, 'Impersonate-Group': [...(impersonate.groups ?? [])] }),
  };
}

async function readText(request: TransportRequest, answer: Dispatcher.ResponseData, limits: Limits): Promise<string> {
  try {
    return await answer.body.text();
  } catch (error) {
    throw failure(request, limits, error);
  }
}

async function takeStream(
  options: TransportOptions,
  request: TransportRequest,
  answer: Dispatcher.ResponseData,
  limits: Limits,
): Promise<AsyncIterable<Uint8Array>> {
  if (answer.statusCode === 200) {
    answer.body.once('close', () => limits.release());
    return answer.body;
  }
  const text = await readText(request, answer, limits);
  throw refusal(options, request, answer, text);
}

function refusal(
  options: TransportOptions,
  request: TransportRequest,
  answer: Dispatcher.ResponseData,
  body: string,
): KubeError {
  const header = answer.headers['retry-after'];
  const retryAfter = typeof header === 'string' ? header : undefined;
  const writes = request.method !== 'GET';
  return errorFromRefusal(
    request.subject,
    { status: answer.statusCode, retryAfter, body, writes },
    options.clock.now(),
  );
}

function parseJson(request: TransportRequest, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw localError(request, 'InvalidResponse', 'the answer is not JSON; is this address an API server?', true);
  }
}

/** What broke a request off: the caller, our deadline, or the network. */
function failure(request: TransportRequest, limits: Limits, error: unknown): unknown {
  if (limits.signal.aborted) {
    return limits.signal.reason;
  }
  if (error instanceof TunnelError) {
    return localError(request, 'ConnectionFailed', error.message, false);
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return localError(request, 'ConnectionFailed', code, !beforeSending.test(code));
}

/** Codes of a connection that never came to be: refused, unknown, unreachable, or not trusted. */
const beforeSending =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|\w*(SELF_SIGNED|UNABLE_TO)\w*)$/;

function localError(request: TransportRequest, reason: LocalReason, detail: string, sent: boolean): KubeError {
  const mayHaveTakenEffect = sent && request.method !== 'GET';
  return new KubeError({ subject: request.subject, status: 0, reason, detail, mayHaveTakenEffect });
}
