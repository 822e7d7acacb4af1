import { InvalidArgumentError } from 'commander';
import { embeddedNameMistake, versionNumberOf } from '../api/v1/embedded-name.ts';

const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;

/** `90d` -> milliseconds. */
export function ageArgument(text: string): number {
  const { number = '', unit } = /^(?<number>[1-9]\d{0,5})(?<unit>[dhms])$/.exec(text)?.groups ?? {};
  if (unit === 'd' || unit === 'h' || unit === 'm' || unit === 's') return Number(number) * units[unit];
  throw new InvalidArgumentError('It must be a number with d, h, m or s, for example 90d.');
}

/** The number of a version. */
export function versionArgument(text: string): number {
  const number = versionNumberOf(text);
  if (number !== undefined) return number;
  throw new InvalidArgumentError('It must be the number of a version, for example 3.');
}

/** The name of a secret. */
export function nameArgument(text: string): string {
  const mistake = embeddedNameMistake(text);
  if (mistake === undefined) return text;
  throw new InvalidArgumentError(`It ${mistake}.`);
}

/** Gathers `--label team=shop`; `--label team-` takes one away. */
export function labelArgument(
  text: string,
  before: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string | null>> {
  const { key, value } = /^(?<key>[^=]+)=(?<value>.*)$/.exec(text)?.groups ?? {};
  if (key !== undefined && value !== undefined) return { ...before, [key]: value };
  const taken = /^(?<key>[^=]+)-$/.exec(text)?.groups?.['key'];
  if (taken !== undefined) return { ...before, [taken]: null };
  throw new InvalidArgumentError('It must be a label such as team=shop, or team- to take it away.');
}
