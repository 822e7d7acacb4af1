import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename } from 'node:path';

/**
 * Becomes the command, in the same process id, after it started a companion that kills it when the pipe on file descriptor 3 closes
 * without a word. That happens when the process that started it is gone, however it went: no child outlives its parent. A crash leaves no core behind:
 * secrets would be in it.
 */
const guard = [
  'self=$$',
  '(trap "" HUP INT TERM; read -r word <&3 || kill -KILL $self) &',
  'exec 3<&-',
  'ulimit -c 0',
  'exec "$@"',
].join('\n');

/** Milliseconds from SIGTERM to SIGKILL. */
const termGrace = 10_000;

export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** Both outputs are appended here. */
  readonly logFile: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface GuardedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** How it ended ("exit code 1", "signal SIGKILL"), or undefined while it runs. */
  ended(): string | undefined;
  /** Resolves when it has ended. */
  readonly exited: Promise<string>;
  /** Ends it and waits until it is gone. SIGTERM turns into SIGKILL after ten seconds. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Starts a command that can't outlive this process. */
export async function startProcess(spec: ProcessSpec): Promise<GuardedProcess> {
  const log = openSync(spec.logFile, 'a');
  const child = spawn('sh', ['-c', guard, 'guard', spec.command, ...spec.args], {
    cwd: spec.cwd,
    // A session of its own: Ctrl-C in a terminal reaches this process alone, which then stops its children in order.
    detached: true,
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', log, log, 'pipe'],
  });
  closeSync(log);
  const lifeline = child.stdio[3];
  if (!(lifeline instanceof Socket)) {
    throw new TypeError('A pipe of a child process is no socket.');
  }
  lifeline.on('error', () => undefined);
  lifeline.unref();
  let ended: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = signal === null ? `exit code ${code}` : `signal ${signal}`;
      lifeline.end('done\n');
      resolve(ended);
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
  child.unref();
  return {
    name: basename(spec.command),
    pid,
    logFile: spec.logFile,
    ended: () => ended,
    exited,
    stop: async (signal = 'SIGTERM') => {
      child.ref();
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), termGrace);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** The last lines that a process has logged, for the text of an error. */
export async function logTail(logFile: string, lines = 15): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
