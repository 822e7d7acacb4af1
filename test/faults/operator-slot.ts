import { eventually } from '../operator/eventually.ts';
import { type OperatorProcess, startOperator } from '../operator/operator-process.ts';
import type { Slot, Text } from './history.ts';
import type { Controlled } from './proxy/api-proxy.ts';

export interface OperatorSlotOptions {
  readonly slot: Slot;
  readonly kubeconfig: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The bundle that runs. */
  readonly entry: string;
  /** Resolves when a stopped operator may go on. */
  readonly awake: () => Promise<void>;
}

/** One operator that is started again whenever it ends, as a Deployment would. */
export class OperatorSlot implements Controlled {
  readonly #options: OperatorSlotOptions;
  readonly #logs: Text[] = [];
  #current: OperatorProcess | undefined;
  #up = false;
  /** Processes started so far. */
  #starts = 0;
  #busy: Promise<void> = Promise.resolve();

  constructor(options: OperatorSlotOptions) {
    this.#options = options;
  }

  get starts(): number {
    return this.#starts;
  }

  /** Starts it, and keeps it running until `down`. */
  async up(): Promise<void> {
    this.#up = true;
    await this.#start();
  }

  /** Ends it by force; it stays down. */
  async down(): Promise<void> {
    this.#up = false;
    await this.#busy;
    await this.#end();
  }

  async kill(): Promise<void> {
    const process = this.#current;
    if (process === undefined || process.ended() !== undefined) return;
    process.signal('SIGKILL');
    await process.exited;
  }

  async oversleep(): Promise<void> {
    const process = this.#current;
    if (process === undefined || process.ended() !== undefined) return;
    process.signal('SIGSTOP');
    await this.#options.awake();
    if (process.ended() === undefined) process.signal('SIGCONT');
  }

  /** Waits until it is ready; gives up after a while, since a plan may keep it from that. */
  async ready(deadline: number): Promise<void> {
    const isReady = async (): Promise<void> => {
      const process = this.#current;
      if (process === undefined || process.ended() !== undefined) throw new Error('it does not run');
      const answer = await fetch(`${process.url}/readyz`, { signal: AbortSignal.timeout(1_000) });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error('it is not ready');
    };
    await eventually('the operator is ready', isReady, { deadline, every: 30 }).catch(() => undefined);
  }

  async logs(): Promise<readonly Text[]> {
    const current = await this.#current?.log().catch(() => '');
    return [...this.#logs, ...(current === undefined ? [] : [this.#text(current)])];
  }

  async #start(): Promise<void> {
    const { kubeconfig, flags, env, entry } = this.#options;
    this.#starts += 1;
    const process = await startOperator({ kubeconfig, flags, env, entry });
    this.#current = process;
    void this.#watch(process);
  }

  async #watch(process: OperatorProcess): Promise<void> {
    await process.exited;
    if (this.#current === process) this.#busy = this.#restart();
  }

  async #restart(): Promise<void> {
    await this.#end();
    if (this.#up) await this.#start();
  }

  async #end(): Promise<void> {
    const process = this.#current;
    this.#current = undefined;
    if (process === undefined) return;
    this.#logs.push(this.#text(await process.log().catch(() => '')));
    await process.stop('SIGKILL');
  }

  #text(text: string): Text {
    return { where: `the log of operator ${this.#options.slot}`, text };
  }
}
