import type { Command } from 'commander';
import type { KubeClient } from '../kube/client.ts';
import type { Transport } from '../kube/transport.ts';
import type { ClientUser } from '../managers/embedded/client/session.ts';
import type { Clock } from '../runtime/clock.ts';
import { safeMessage } from '../runtime/errors.ts';

/** What a command talks to besides the cluster: the terminal, or pipes. */
export interface Io {
  /** Results go here, with their line ends. */
  out(text: string): void;
  /** A value for a pipe: exactly these bytes. */
  outBytes(bytes: Uint8Array): void;
  /** Everything else, a line at a time: progress, warnings. */
  note(text: string): void;
  /** Whether results are seen by a person at a terminal, and notes too. */
  readonly outIsTerminal: boolean;
  readonly noteIsTerminal: boolean;
  /** Whether somebody can be asked. */
  readonly inIsTerminal: boolean;
  /** Everything on standard input. */
  readAll(): Promise<Uint8Array>;
  /** Asks for one line. Rejects with `CliError` where nobody can be asked. */
  ask(question: string): Promise<string>;
  /** The same without echo. */
  askHidden(question: string): Promise<string>;
  /** Until a key is pressed at the terminal, `ms` milliseconds are over, or Ctrl-C. */
  waitForKey(ms: number): Promise<void>;
}

export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml';

/** A connection to a cluster. */
export interface Cluster {
  readonly client: KubeClient;
  /** For watches. */
  readonly transport: Transport;
  /** `--namespace`, else that of the kubeconfig's context. */
  readonly namespace: string;
  /** Whether that is `--namespace`. */
  readonly namespaceGiven?: boolean;
  /** Address of the API server. */
  readonly server: string;
  /** Who the API server says that we are. */
  user(signal: AbortSignal): Promise<ClientUser>;
  close(): Promise<void>;
}

/** What every command is made with. */
export interface CliContext {
  readonly io: Io;
  readonly clock: Clock;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
  /** The cluster that the global options and the kubeconfig choose; connects at the first call. */
  cluster(): Promise<Cluster>;
  /** `-o`. @throws CliError for `raw`, which few commands have */
  output(): OutputFormat;
  /** `-o raw`: the value and nothing else, for pipes. */
  raw(): boolean;
  /** Whether results may be coloured. */
  colour(): boolean;
  /** Where the command keeps what it remembers of clusters: `~/.config/keyferry`. */
  readonly configFolder: string;
}

/** Makes one subcommand. Its action throws `CliError` for what a person can put right. */
export type CommandFactory = (context: CliContext) => Command;

/** Exit codes: 1 it failed or was refused, 2 something still runs the old version (rotate) or the usage is wrong. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly [safeMessage] = true;
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
