import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './ports.ts';
import { ProcessGroup } from './process-group.ts';
import { type Log, logToStderr } from './progress.ts';
import { ensurePython } from './python.ts';

export interface MotoOptions {
  /** The address of this machine that it listens on. By default 127.0.0.1, which pods can't reach. */
  readonly address?: string;
  /** Gets a line for whatever takes long, and when the server ends by itself. Standard error by default. */
  readonly log?: Log;
}

/** A server that answers as AWS does (Secrets Manager, SQS, STS, ...). It takes any credentials. */
export interface Moto {
  /** The endpoint for AWS clients. */
  readonly url: string;
  /** Kills it: connections break, and everything that it held is gone. Also the end of it, when `start` does not follow. */
  stop(): Promise<void>;
  /** Starts it again, empty, at the same URL, and waits until it answers. */
  start(): Promise<void>;
  /** Forgets everything that it holds. */
  reset(): Promise<void>;
}

const requirements = join(import.meta.dirname, 'requirements.txt');

/** Starts a moto server on this machine and waits until it answers. The first time, it is installed into the cache. */
export async function startMoto(options: MotoOptions = {}): Promise<Moto> {
  const log = options.log ?? logToStderr;
  const python = await ensurePython('moto, the AWS test server', requirements, log);
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-moto-'));
  const group = new ProcessGroup({ dir, temporary: true, log });
  const [port = 0] = await freePorts(1);
  const address = options.address ?? '127.0.0.1';
  const url = `http://${address}:${port}`;
  const args = ['-m', 'moto.server', '-H', address, '-p', String(port)];
  const start = async (): Promise<void> => {
    await group.start('moto', python.command, args, python.env);
    await group.ready('moto', async () => ((await answers(`${url}/moto-api/data.json`)) ? true : undefined));
  };
  try {
    await start();
  } catch (error) {
    await group.stopAll();
    throw error;
  }
  return { url, start, stop: () => group.stopAll(), reset: () => reset(url) };
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.ok;
}

async function reset(url: string): Promise<void> {
  const answer = await fetch(`${url}/moto-api/reset`, { method: 'POST' });
  await answer.arrayBuffer();
  if (!answer.ok) {
    throw new Error(`moto refused to reset (HTTP ${answer.status}).`);
  }
}
