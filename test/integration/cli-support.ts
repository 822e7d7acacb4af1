import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

/** The built command. */
export const command = join(import.meta.dirname, '..', '..', 'dist', 'keyferry.mjs');

/** How a run of the command ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  /** The same, byte for byte. */
  readonly bytes: Uint8Array;
  /** What is not a result: questions, progress, errors. */
  readonly notes: string;
}

export interface RunOptions {
  /** On standard input, which is a pipe. */
  readonly stdin?: string | Uint8Array;
  /** Who runs it. Default: the administrator. */
  readonly as?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A question at the terminal, and what is typed once it stands there. */
export interface Answer {
  readonly at: string;
  readonly type: string;
}

/** The built command, against a cluster whose operator keeps secrets. */
export interface Cli {
  readonly world: World;
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Runs it, and gives its result. @throws where it fails */
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs it at a terminal: what is seen there, in `out`. */
  atTerminal(args: readonly string[], answers: readonly Answer[]): Promise<Ended>;
  /** Lets a user do what the roles of Keyferry let, in one namespace. */
  bind(namespace: string, user: string, ...roles: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const managerSchema = z.object({ status: z.object({ publicKey: z.string() }) });

export async function startCli(options: WorldOptions = {}): Promise<Cli> {
  const world = await startWorld(options);
  const home = await mkdtemp(join(tmpdir(), 'keyferry-home-'));
  await world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'default' }, spec: { embedded: {} } });
  await eventually('the manager shows its key', async () => {
    managerSchema.parse(await world.api.get('ClusterSecretManager', { name: 'default' }));
  });
  const base = { KUBECONFIG: world.cluster.kubeconfig, HOME: home, XDG_CONFIG_HOME: home };
  const run: Cli['run'] = (args, { stdin = '', as, env = {} } = {}) => {
    const all = as === undefined ? args : [...args, '--as', as, '--as-group', 'system:authenticated'];
    return runCommand(process.execPath, [command, ...all], { ...base, ...env }, (input) => void input.end(stdin));
  };
  return {
    world,
    run,
    ok: async (args, options) => {
      const { code, out, notes } = await run(args, options);
      if (code !== 0) throw new Error(`keyferry ${args.join(' ')} ended with ${code}: ${notes}`);
      return out;
    },
    atTerminal: (args, answers) => {
      const line = [process.execPath, command, ...args].map((part) => `'${part}'`).join(' ');
      // script gives its child a terminal, and shows what stands there.
      return runCommand('script', ['-qec', line, '/dev/null'], base, (input, seen) => answerAll(input, seen, answers));
    },
    bind: async (namespace, user, ...roles) => {
      for (const role of ['keyferry-view', ...roles]) {
        const name = `${user}-${role}`;
        await world.kubectl('create', 'rolebinding', name, `--clusterrole=${role}`, `--user=${user}`, '-n', namespace);
      }
    },
    stop: async () => {
      await world.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

type Typing = (input: NodeJS.WritableStream, seen: () => string) => Promise<void> | void;

/** Runs a program to its end, with nothing of our own environment but the PATH. */
export function runCommand(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  type: Typing,
): Promise<Ended> {
  const child = spawn(file, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: 'pipe' });
  const [out, notes]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part: Buffer) => notes.push(part));
  // Who does not read its input is no failure.
  child.stdin.on('error', () => {});
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  Promise.resolve(type(child.stdin, () => textOf(out))).catch((error: unknown) => {
    child.kill();
    reject(error instanceof Error ? error : new Error('it failed'));
  });
  child.once('error', reject);
  child.once('close', (code) =>
    resolve({ code: code ?? -1, out: textOf(out), bytes: Buffer.concat(out), notes: textOf(notes) }),
  );
  return promise;
}

function textOf(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString('utf8');
}

async function answerAll(input: NodeJS.WritableStream, seen: () => string, answers: readonly Answer[]): Promise<void> {
  let from = 0;
  for (const { at, type } of answers) {
    await eventually(`the terminal shows "${at}"`, () => {
      const place = seen().indexOf(at, from);
      if (place === -1) throw new Error(`it shows: ${seen().slice(from)}`);
      from = place + at.length;
    });
    input.write(type);
  }
}
