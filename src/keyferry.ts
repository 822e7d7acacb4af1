import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { processIo } from './cli/io.ts';
import { runCli } from './cli/program.ts';
import { systemClock } from './runtime/clock.ts';
import { crashWithoutMessages } from './runtime/crash.ts';
import { version } from './version.ts';

const INTERRUPTED = 130;

/** The `keyferry` command. Exit codes: see `CliError`; 130 interrupted. */
async function main(): Promise<number> {
  const { argv, env } = process;
  const signal = interruption();
  const settings = env['XDG_CONFIG_HOME'] ?? '';
  return runCli({
    argv: argv.slice(2),
    // kubectl runs its plugins by the name of their file.
    name: basename(argv[1] ?? '').startsWith('kubectl-') ? 'kubectl keyferry' : 'keyferry',
    env,
    home: homedir(),
    configFolder: join(settings === '' ? join(homedir(), '.config') : settings, 'keyferry'),
    io: processIo(process, signal),
    version,
    clock: systemClock,
    signal,
  });
}

/** Aborts at the first Ctrl-C; a second one ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort();
    });
  }
  return controller.signal;
}

crashWithoutMessages();
// `keyferry list | head`: who reads no further is no failure.
process.stdout.on('error', () => process.exit(0));
// Timers of ours keep no process alive: while a command waits for one, this does.
const alive = setInterval(() => {}, 60_000);
process.exitCode = await main();
clearInterval(alive);
process.stdout.write('', () => process.exit());
