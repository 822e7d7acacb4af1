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

/** `--timeout`, whose default is `ms` milliseconds. */
export function timeoutOption(description: string, ms: number): Option {
  return new Option('--timeout <time>', description).argParser(durationOption).default(ms, formatDuration(ms));
}
