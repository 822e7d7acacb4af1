import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { freePorts } from '../cluster/ports.ts';

/** The keys that the operator and the benchmark show to the test server, which takes any. */
export const awsEnv = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
} as const;

/** The door through which the operator reaches the backend: every request is counted and passed on. */
export interface CountingProxy {
  readonly url: string;
  /** Requests so far, by operation. */
  calls(): ReadonlyMap<string, number>;
  /** Names of the secrets that were read since `forget`. */
  readonly asked: ReadonlySet<string>;
  forget(): void;
  close(): Promise<void>;
}

/** Passes on to `target`, the URL of a backend. A few dozen requests a minute: its own cost is nothing. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const [port = 0] = await freePorts(1);
  const counts = new Map<string, number>();
  const asked = new Set<string>();
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    count(counts, operationOf(request));
    passOn(request, response, target, agent, asked);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => new Map(counts),
    asked,
    forget: () => asked.clear(),
    close: async () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

/** `BatchGetSecretValue` of `secretsmanager.BatchGetSecretValue`; services of another protocol name none. */
function operationOf(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  return typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : 'STS';
}

function count(counts: Map<string, number>, operation: string): void {
  counts.set(operation, (counts.get(operation) ?? 0) + 1);
}

function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  agent: Agent,
  asked: Set<string>,
): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    for (const [, name = ''] of body.toString('latin1').matchAll(/"(bench\/secret-\d+)"/g)) asked.add(name);
    const onward = httpRequest(
      new URL(request.url ?? '/', target),
      { method: request.method, headers: request.headers, agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.writeHead(502).end());
    onward.end(body);
  });
}

/** The secrets in the backend, reached past the proxy. */
export interface Secrets {
  readonly names: readonly string[];
  /** Makes a new version and resolves with its id. */
  put(name: string): Promise<string>;
  /** The value that a secret has now. */
  valueOf(name: string): string;
}

export async function createSecrets(url: string, total: number): Promise<Secrets> {
  const client = new SecretsManagerClient({
    region: awsEnv.AWS_REGION,
    endpoint: url,
    credentials: { accessKeyId: awsEnv.AWS_ACCESS_KEY_ID, secretAccessKey: awsEnv.AWS_SECRET_ACCESS_KEY },
  });
  const values = new Map<string, string>();
  const names = Array.from({ length: total }, (_, index) => `bench/secret-${String(index).padStart(5, '0')}`);
  for (const name of names) {
    values.set(name, `first value of ${name}`);
    await client.send(new CreateSecretCommand({ Name: name, SecretString: values.get(name) }));
  }
  return {
    names,
    put: async (name) => {
      const value = `${values.get(name) ?? ''}, then another`;
      values.set(name, value);
      const { VersionId = '' } = await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }));
      return VersionId;
    },
    valueOf: (name) => values.get(name) ?? '',
  };
}
