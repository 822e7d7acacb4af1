import { spawn } from 'node:child_process';
import type { SecretValue } from '../../managers/secret-value.ts';
import { CliError } from '../context.ts';

/**
 * Runs a command by the shell with the value on its standard input. What it prints goes to standard error, so that results stay apart.
 * @throws CliError where it fails: then the value must not become latest
 */
export async function runBefore(command: string, value: SecretValue, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (why: string): void =>
    reject(new CliError(`the command of --before ${why}: nothing was put, latest is what it was`));
  const child = spawn(command, { shell: true, stdio: ['pipe', 2, 2], signal });
  child.on('error', () => failed(signal.aborted ? 'was interrupted' : 'could not be started'));
  child.on('close', (code, killedBy) => {
    if (code === 0) resolve();
    else failed(code === null ? `was ended by ${killedBy}` : `failed with exit code ${code}`);
  });
  // One that does not read its input closes it: that is its own business, its exit code counts.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(value.asBytes());
  await promise;
}
