import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Config, ConfigError, parseConfig } from './config.ts';
import { runOperator } from './operator/operator.ts';
import { systemClock } from './runtime/clock.ts';
import { crashWithoutMessages } from './runtime/crash.ts';
import { describeError } from './runtime/errors.ts';
import { createLogger } from './runtime/logging.ts';
import { version } from './version.ts';

/** Exit codes: 0 stopped in good order, 1 failed or leadership lost (to be restarted), 2 wrong settings. */
async function main(): Promise<number> {
  const config = readConfig();
  if (typeof config === 'number') return config;
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    clock: systemClock,
    output: process.stdout,
  });
  const settings = { config, version, clock: systemClock, random: Math.random, logger };
  logger.info('Keyferry starts', { version, namespace: config.namespace, identity: config.identity });
  try {
    const reason = await runOperator(settings, stopSignal());
    logger.info('Keyferry ends', { reason });
    return reason === 'stopped' ? 0 : 1;
  } catch (error) {
    logger.error('Keyferry failed', describeError(error));
    return 1;
  }
}

function readConfig(): Config | number {
  try {
    const outcome = parseConfig({
      argv: process.argv.slice(2),
      env: process.env,
      identity: `${hostname()}_${randomUUID()}`,
      version,
    });
    if ('text' in outcome) {
      process.stdout.write(`${outcome.text}\n`);
      return 0;
    }
    return outcome;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

/** Aborts at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort();
    });
  }
  return controller.signal;
}

crashWithoutMessages();
process.exitCode = await main();
// What is still in the pipe goes out first; sockets that the far side keeps open must not keep the process.
process.stdout.write('', () => process.exit());
