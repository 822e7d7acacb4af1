import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GuardedProcess, startProcess } from '../cluster/guarded-process.ts';
import { freePorts } from '../cluster/ports.ts';
import { eventually } from './eventually.ts';
import { operatorIdentity } from './install.ts';

const root = join(import.meta.dirname, '..', '..');

/** The flags of the image: no code from strings, no `__proto__`, and no inspector, which Node opens at SIGUSR1 otherwise. */
export const nodeFlags = ['--disallow-code-generation-from-strings', '--disable-proto=delete', '--disable-sigusr1'];

export interface OperatorOptions {
  /** Path of a kubeconfig that acts as the operator. */
  readonly kubeconfig: string;
  /** Added to the operator's flags. */
  readonly flags?: readonly string[];
  /** Added to its environment: AWS credentials, say. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added to the flags of Node. */
  readonly node?: readonly string[];
  /** What runs: by default the bundle. */
  readonly entry?: string;
}

/** The operator as a process of its own. */
export interface OperatorProcess {
  readonly pid: number;
  /** Base URL of its probes and metrics. */
  readonly url: string;
  /** Everything that it wrote so far. */
  log(): Promise<string>;
  /** The sum of a metric over the label sets that contain all of `labels`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  metrics(): Promise<string>;
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGTERM' | 'SIGUSR1'): void;
  ended(): string | undefined;
  readonly exited: Promise<string>;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Starts the operator; resolves at once. `whenReady` waits for its caches. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-operator-'));
  const [port = 0] = await freePorts(1);
  const entry = options.entry ?? join(root, 'dist', 'operator.mjs');
  const flags = [
    `--kubeconfig=${options.kubeconfig}`,
    `--namespace=${operatorIdentity.namespace}`,
    `--http-address=127.0.0.1:${port}`,
    ...(options.flags ?? []),
  ];
  const node = await startProcess({
    command: join(root, 'node_modules', '.bin', 'node'),
    args: [...nodeFlags, ...(options.node ?? []), entry, ...flags],
    logFile: join(dir, 'operator.log'),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  return describeProcess(node, `http://127.0.0.1:${port}`, dir);
}

function describeProcess(node: GuardedProcess, url: string, dir: string): OperatorProcess {
  const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
  return {
    pid: node.pid,
    url,
    metrics,
    metric: async (name, labels) => sumMetric(await metrics(), name, labels ?? {}),
    log: () => readFile(node.logFile, 'utf8'),
    signal: (name) => {
      process.kill(node.pid, name);
    },
    ended: () => node.ended(),
    exited: node.exited,
    stop: async (signal = 'SIGTERM') => {
      await node.stop(signal);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export async function whenReady(operator: OperatorProcess): Promise<void> {
  await eventually('the operator is ready', async () => {
    const ended = operator.ended();
    if (ended !== undefined) throw new Error(`it ended (${ended}): ${(await operator.log()).slice(-2000)}`);
    const answer = await fetch(`${operator.url}/readyz`);
    if (!answer.ok) throw new Error(await answer.text());
  });
}

/** Sums the samples of one metric in the text format of Prometheus. */
export function sumMetric(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const matching = lines.filter((line) => wanted.every((label) => line.includes(label)));
  return matching.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
