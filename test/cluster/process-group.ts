import { rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type GuardedProcess, logTail, startProcess } from './guarded-process.ts';
import type { Log } from './progress.ts';
import { waitFor } from './wait.ts';

const startTimeout = 60_000;

export interface ProcessGroupOptions {
  /** Where each process logs to `<name>.log`. Made when it is missing. */
  readonly dir: string;
  /** Whether the folder goes with the processes. */
  readonly temporary: boolean;
  /** Is told when a process ends that nobody stopped. */
  readonly log: Log;
}

/** Some processes that belong together, by name. They end with this process at the latest. */
export class ProcessGroup {
  readonly #options: ProcessGroupOptions;
  readonly #running = new Map<string, GuardedProcess>();

  constructor(options: ProcessGroupOptions) {
    this.#options = options;
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
    const { dir } = this.#options;
    await mkdir(dir, { recursive: true });
    process.off('exit', this.#atExit);
    process.on('exit', this.#atExit);
    const started = await startProcess({ command, args, logFile: this.#logFile(name), env, cwd: dir });
    this.#running.set(name, started);
    void this.#watch(name, started);
  }

  async #watch(name: string, started: GuardedProcess): Promise<void> {
    const how = await started.exited;
    if (this.#running.get(name) === started) {
      this.#running.delete(name);
      this.#options.log(`${name} ended by itself with ${how}. The end of its log:\n${await logTail(started.logFile)}`);
    }
  }

  /** Waits until `probe` gives something. Throws, with the end of the log, when the process ends first or takes too long. */
  async ready<T>(name: string, probe: () => Promise<T | undefined>): Promise<T> {
    const started = this.#running.get(name);
    const failed = async (cause?: unknown): Promise<Error> =>
      new Error(`${name} did not start. The end of its log:\n${await logTail(this.#logFile(name))}`, {
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
    process.off('exit', this.#atExit);
    if (this.#options.temporary) {
      await rm(this.#options.dir, { recursive: true, force: true });
    }
  }

  /** The last moment of this process: there is no time to wait for anything. */
  readonly #atExit = (): void => {
    for (const { pid } of this.#running.values()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    }
    if (this.#options.temporary) {
      rmSync(this.#options.dir, { recursive: true, force: true, maxRetries: 3 });
    }
  };

  #logFile(name: string): string {
    return join(this.#options.dir, `${name}.log`);
  }
}
