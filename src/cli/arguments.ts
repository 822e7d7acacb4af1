import { InvalidArgumentError } from 'commander';
import { embeddedNameMistake, versionNumberOf } from '../api/v1/embedded-name.ts';
import { secretNameMistake } from '../managers/secret-pattern.ts';
import { parseAge } from '../runtime/age.ts';

/** `90d` -> milliseconds. */
export function ageArgument(text: string): number {
  const age = parseAge(text);
  if (age !== undefined) return age;
  throw new InvalidArgumentError('It must be a number with d, h, m or s, for example 90d.');
}

/** The same as text, for a spec; empty takes it away. */
export function rotateAfterArgument(text: string): string {
  if (text !== '') ageArgument(text);
  return text;
}

/** The number of a version. */
export function versionArgument(text: string): number {
  const number = versionNumberOf(text);
  if (number !== undefined) return number;
  throw new InvalidArgumentError('It must be the number of a version, for example 3.');
}

const MOST_OF_A_NAME = 2048;

/** The name of a secret of any manager: which names it can have is looked at by what knows the manager. */
export function anyNameArgument(text: string): string {
  if (text.length > MOST_OF_A_NAME) throw new InvalidArgumentError(`It has more than ${MOST_OF_A_NAME} characters.`);
  const mistake = secretNameMistake(text);
  if (mistake === undefined) return text;
  throw new InvalidArgumentError(`It ${mistake}.`);
}

/** The name of a secret that is kept in the cluster. */
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
