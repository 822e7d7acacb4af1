import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeServer } from '../config.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request. */
export type Answer = (response: ServerResponse) => void;

export interface ScriptedServer {
  readonly received: ReceivedRequest[];
  /** How many connections there were. */
  readonly connections: () => number;
  /** What the next requests get, one each. Without an answer left, a request is never answered. */
  script(...answers: Answer[]): void;
  /** As the kubeconfig's loader would give it. */
  readonly server: KubeServer;
  close(): Promise<void>;
}

/** A server on 127.0.0.1 that plays faults which a real API server shows rarely. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const received: ReceivedRequest[] = [];
  const answers: Answer[] = [];
  let connections = 0;
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') });
      answers.shift()?.(response);
    });
  });
  http.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${String(portOf(http.address()))}`;
  return {
    received,
    connections: () => connections,
    script: (...more) => void answers.push(...more),
    server: {
      url,
      namespace: 'default',
      credentials: () => Promise.resolve({ headers: { Authorization: 'Bearer token' }, tls: {} }),
    },
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return text(status, JSON.stringify(body), headers);
}

export function text(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return (response) => void response.writeHead(status, headers).end(body);
}

/** Closes the connection without an answer. */
export const reset: Answer = (response) => void response.socket?.resetAndDestroy();
