import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { commands } from './commands/index.ts';
import { type Connection, type ConnectSettings, connect } from './connect.ts';
import { type CliContext, CliError, type Cluster, type Io, type OutputFormat } from './context.ts';
import { describeFailure } from './failure.ts';

export interface CliSettings extends ConnectSettings {
  /** The arguments after the program's own name. */
  readonly argv: readonly string[];
  /** How it was called: `keyferry`, or `kubectl keyferry`. */
  readonly name: string;
  readonly configFolder: string;
  readonly io: Io;
  readonly signal: AbortSignal;
}

const outputFormats = ['table', 'wide', 'json', 'yaml', 'raw'] as const;

interface GlobalOptions extends Connection {
  readonly output: OutputFormat | 'raw';
  readonly color: boolean;
}

/** Runs one command line. Resolves to the exit code; errors are told in one line. */
export async function runCli(settings: CliSettings): Promise<number> {
  const { io, signal } = settings;
  const connections: Cluster[] = [];
  const program = createProgram(settings, connections);
  try {
    await program.parseAsync(settings.argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { message, exitCode } = describeFailure(error, signal);
    io.note(`error: ${message}`);
    return exitCode;
  } finally {
    await Promise.all(connections.map((cluster) => cluster.close()));
  }
}

/** The whole command, with its subcommands. `connections` gets each cluster that a command connects to. */
export function createProgram(settings: CliSettings, connections: Cluster[] = []): Command {
  const { name, version } = settings;
  const program = new Command(name)
    .description('Versioned secrets in Kubernetes: put them, see who uses them, rotate them.')
    .option('-n, --namespace <name>', "namespace (default: that of the kubeconfig's context)")
    .option(
      '--kubeconfig <path>',
      'kubeconfig (default: KUBECONFIG, ~/.kube/config, or the service account of the pod)',
    )
    .option('--context <name>', "context of the kubeconfig (default: the kubeconfig's own choice)")
    .option('--as <user>', 'act as another user; needs the right to impersonate')
    .option('--as-group <group>', 'with --as: a group of that user; can be repeated', collected)
    .option('-o, --output <format>', 'table, wide, json or yaml; reveal also has raw', outputFormat, 'table')
    .option('--no-color', 'no colours (also: NO_COLOR=1)')
    .helpCommand('help [command]', 'show the help of a command');
  const context = createContext(settings, () => program.opts<GlobalOptions>(), connections);
  for (const make of commands) program.addCommand(make(context));
  program.addCommand(
    new Command('version')
      .description('print the version of this command')
      .action(() => context.io.out(`keyferry ${version}\n`)),
  );
  configure(program, settings);
  return program;
}

/** A subcommand that is added does not take over by itself how its parent prints and ends. */
function configure(command: Command, { io, name }: Pick<CliSettings, 'io' | 'name'>): void {
  command
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(`(see ${name} --help)`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.note(text.trimEnd()),
      outputError: (text, write) => write(withoutArguments(text)),
    });
  for (const below of command.commands) configure(below, { io, name });
}

/** What follows an unknown option, or stands where nothing should, could be a value that somebody tried to give by it. */
function withoutArguments(text: string): string {
  return text
    .replace(/(unknown option '-[^'=]*)=[^\n]*/, "$1'")
    .replace(/(too many arguments.*but got \d+): [^\n]*/, '$1.');
}

function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function outputFormat(value: string): (typeof outputFormats)[number] {
  const format = outputFormats.find((known) => known === value);
  if (format === undefined) throw new InvalidArgumentError(`Use one of ${outputFormats.join(', ')}.`);
  return format;
}

function createContext(settings: CliSettings, options: () => GlobalOptions, connections: Cluster[]): CliContext {
  const { io, clock, signal, configFolder, env } = settings;
  let cluster: Cluster | undefined;
  return {
    io,
    clock,
    signal,
    configFolder,
    cluster: () => {
      if (cluster === undefined) {
        cluster = connect(options(), settings);
        connections.push(cluster);
      }
      return Promise.resolve(cluster);
    },
    output: () => {
      const { output } = options();
      if (output === 'raw') throw new CliError('-o raw is for the value of keyferry reveal: use json or yaml here', 2);
      return output;
    },
    raw: () => options().output === 'raw',
    colour: () => io.outIsTerminal && options().color && (env['NO_COLOR'] ?? '') === '',
  };
}
