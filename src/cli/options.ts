import { InvalidArgumentError, Option } from 'commander';
import { durationExample, formatDuration, parseDuration } from '../runtime/duration.ts';

/** Milliseconds of an option such as `--timeout 10m`. */
export function durationOption(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError(`write it like ${durationExample}`);
  }
}

/** An option that can be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `--manager`: who has the secrets. */
export function managerOption(): Option {
  const words = 'who has the secrets: NAME, aws/NAME or embedded/NAME of a manager (default: the namespace itself)';
  return new Option('--manager <name>', words);
}

/** For the help of commands that work on secrets in AWS. */
export const ownCredentials = `

With --manager aws/NAME, AWS is asked with your own credentials (environment, profile), in the region and
with the prefix of the manager. Its role and the Secret with its keys are not used.`;

/** `--timeout`, whose default is `ms` milliseconds. */
export function timeoutOption(description: string, ms: number): Option {
  return new Option('--timeout <time>', description).argParser(durationOption).default(ms, formatDuration(ms));
}
