import { join } from 'node:path';
import { type GuardedProcess, logTail, startProcess } from './guarded-process.ts';
import { waitFor } from './wait.ts';

const startTimeout = 60_000;

/** The processes of one control plane, by component. Each logs to `<component>.log` in the group's folder. */
export class ProcessGroup {
  readonly #dir: string;
  readonly #log: (line: string) => void;
  readonly #running = new Map<string, GuardedProcess>();

  /** `log` is told when a process ends that nobody stopped. */
  constructor(dir: string, log: (line: string) => void) {
    this.#dir = dir;
    this.#log = log;
  }

  pids(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#running].map(([name, { pid }]) => [name, pid]));
  }

  /** `env` is added to the environment of this process. */
  async start(
    name: string,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    if (this.#running.has(name)) {
      throw new Error(`${name} is running already. Stop it first.`);
    }
    const logFile = join(this.#dir, `${name}.log`);
    const started = await startProcess({ command, args, logFile, env, cwd: this.#dir });
    this.#running.set(name, started);
    void this.#watch(name, started);
  }

  async #watch(name: string, started: GuardedProcess): Promise<void> {
    const how = await started.exited;
    if (this.#running.get(name) === started) {
      this.#running.delete(name);
      this.#log(`${name} ended by itself with ${how}. The end of its log:\n${await logTail(started.logFile)}`);
    }
  }

  /** Waits until `probe` gives something. Throws, with the end of the log, when the process ends first or takes too long. */
  async ready<T>(name: string, probe: () => Promise<T | undefined>): Promise<T> {
    const started = this.#running.get(name);
    const failed = async (cause?: unknown): Promise<Error> =>
      new Error(`${name} did not start. The end of its log:\n${await logTail(join(this.#dir, `${name}.log`))}`, {
        cause,
      });
    let state: { readonly found: T | undefined };
    try {
      state = await waitFor({ what: `${name} to be ready`, timeout: startTimeout }, async () => {
        if (started === undefined || started.ended() !== undefined) {
          return { found: undefined };
        }
        const found = await probe();
        return found === undefined ? undefined : { found };
      });
    } catch (error) {
      throw await failed(error);
    }
    if (state.found === undefined) {
      throw await failed();
    }
    return state.found;
  }

  /** Ends one process, if it runs, and waits until it is gone. */
  async stop(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    await running?.stop(signal);
  }

  /** Kills all, the last started first, so that none despairs of one that went before. */
  async stopAll(): Promise<void> {
    for (const name of [...this.#running.keys()].toReversed()) {
      await this.stop(name, 'SIGKILL');
    }
  }
}
