import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** A call as it arrived: `BatchGetSecretValue` and its input, or for STS the action and its form fields. */
export interface AwsCall {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer: a string goes out as it is, anything else as JSON. `hang` never answers, `reset` breaks the connection. */
export type AwsReply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: unknown }
  | 'hang'
  | 'reset';

export type AwsHandler = (call: AwsCall) => AwsReply | Promise<AwsReply>;

export interface AwsServer {
  readonly url: string;
  /** Everything that was asked, oldest first. */
  readonly calls: readonly AwsCall[];
  /** How often an action was asked for. */
  count(action: string): number;
  /** Answers differently from now on. */
  handle(handler: AwsHandler): void;
  forget(): void;
  close(): Promise<void>;
}

/** A server on 127.0.0.1 that answers AWS' protocol as the test says. */
export async function startAwsServer(first: AwsHandler): Promise<AwsServer> {
  let handler = first;
  const calls: AwsCall[] = [];
  const server = createServer((request, response) => {
    void serve(request, response);
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = await readCall(request);
    calls.push(call);
    send(response, await handler(call));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    calls,
    count: (action) => calls.filter((call) => call.action === action).length,
    handle: (next) => {
      handler = next;
    },
    forget: () => {
      calls.length = 0;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Passes a call on to another server, for counting and for faults in between. */
export function forwardTo(url: string): AwsHandler {
  return async (call) => {
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = call.headers;
    const answer = await fetch(url, { method: 'POST', headers, body: call.body });
    const type = answer.headers.get('content-type') ?? 'application/x-amz-json-1.1';
    return { status: answer.status, headers: { 'content-type': type }, body: await answer.text() };
  };
}

const denied = { code: 'AccessDeniedException', words: 'User: arn:aws:iam::123456789012:user/test is not authorized' };
const namesSchema = z.array(z.string());
const batchSchema = z.object({ Errors: z.array(z.unknown()).default([]) }).loose();

/**
 * Passes calls on to another server, and refuses what is about one secret as AWS does where a policy denies it: as the whole answer, or in a batch as the
 * error of this secret.
 */
export function denying(url: string, secret: string): AwsHandler {
  const forward = forwardTo(url);
  return async (call) => {
    if (call.input['SecretId'] === secret) return awsError(denied.code, denied.words);
    const { data: names = [] } = namesSchema.safeParse(call.input['SecretIdList']);
    const others = names.filter((name) => name !== secret);
    if (others.length === names.length) return forward(call);
    const refused = { SecretId: secret, ErrorCode: denied.code, Message: denied.words };
    if (others.length === 0) return ok({ SecretValues: [], Errors: [refused] });
    const reply = await forward({ ...call, body: JSON.stringify({ ...call.input, SecretIdList: others }) });
    if (typeof reply === 'string') return reply;
    const { Errors, ...rest } = batchSchema.parse(JSON.parse(String(reply.body)));
    return { ...reply, body: { ...rest, Errors: [...Errors, refused] } };
  };
}

/** An error as AWS' JSON protocol writes it. */
export function awsError(code: string, message = 'words of AWS', headers: Record<string, string> = {}): AwsReply {
  return { status: 400, headers, body: { __type: code, message } };
}

export function ok(body: unknown): AwsReply {
  return { status: 200, body };
}

const objectSchema = z.record(z.string(), z.unknown());

async function readCall(request: IncomingMessage): Promise<AwsCall> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(z.instanceof(Buffer).parse(part));
  }
  const body = Buffer.concat(parts).toString();
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const target = headers['x-amz-target'];
  if (target !== undefined) {
    return { action: target.split('.')[1] ?? '', input: objectSchema.parse(JSON.parse(body)), headers, body };
  }
  const form = Object.fromEntries(new URLSearchParams(body));
  return { action: form['Action'] ?? '', input: form, headers, body };
}

function send(response: ServerResponse, reply: AwsReply): void {
  if (reply === 'hang') return;
  if (reply === 'reset') {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.1', ...reply.headers });
  response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('the server does not listen on a port');
  return address.port;
}
