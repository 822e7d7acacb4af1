import { randomInt } from 'node:crypto';
import { SecretValue } from '../managers/secret-value.ts';
import { CliError } from './context.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

/** Alphabets by name. */
const alphabets: ReadonlyMap<string, string> = new Map([
  ['alphanumeric', letters + digits],
  ['hex', `${digits}abcdef`],
  ['digits', digits],
  // What needs no quoting in a shell or a URL.
  ['url', `${letters}${digits}-_.~`],
  ['symbols', `${letters}${digits}!#$%&*+-.:;<=>?@^_~`],
]);

export const defaultLength = 32;
const LENGTHS = { least: 8, most: 4096 } as const;

/** The characters that `--alphabet` means: a name, or the characters themselves. @throws CliError */
export function alphabetOf(text: string): string {
  const named = alphabets.get(text);
  if (named !== undefined) return named;
  const characters = Array.from(new Set(text));
  const printable = characters.every((character) => /^[!-~ ]$/.test(character));
  if (characters.length >= 2 && printable) return characters.join('');
  const names = Array.from(alphabets.keys()).join(', ');
  throw new CliError(`--alphabet takes ${names}, or at least two different characters of ASCII`, 2);
}

/** The length that `--length` means. @throws CliError */
export function lengthOf(text: string): number {
  const length = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (length >= LENGTHS.least && length <= LENGTHS.most) return length;
  throw new CliError(`--length takes a number from ${LENGTHS.least} to ${LENGTHS.most}`, 2);
}

/** A random value, each character of the alphabet as likely as any other. */
export function generateValue(length: number, alphabet: string): SecretValue {
  // `randomInt` gives no number more often than another, as a remainder would.
  const characters = Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length)));
  return SecretValue.fromString(characters.join(''));
}
