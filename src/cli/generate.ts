import { randomInt } from 'node:crypto';
import { SecretValue } from '../managers/secret-value.ts';
import { nearestName } from '../runtime/nearest-name.ts';
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

/** Before the characters themselves. Without it, a slip in a name would make a value of the few letters of that name. */
const literally = 'chars:';
/** Names of alphabets, for help. */
export const alphabetHelp =
  'with --generate: alphanumeric (default), hex, digits, url, symbols, or characters as chars:abc123';

/** The characters that `--alphabet` means: a name, or the characters themselves after `chars:`. @throws CliError */
export function alphabetOf(text: string): string {
  const named = alphabets.get(text);
  if (named !== undefined) return named;
  if (!text.startsWith(literally)) throw unknownAlphabet(text);
  const characters = Array.from(new Set(text.slice(literally.length)));
  const printable = characters.every((character) => /^[!-~ ]$/.test(character));
  if (characters.length >= 2 && printable) return characters.join('');
  throw new CliError(`--alphabet ${literally} takes at least two different characters of ASCII`, 2);
}

function unknownAlphabet(text: string): CliError {
  const names = Array.from(alphabets.keys());
  const near = nearestName(text, names);
  const meant = near === undefined ? '' : ` Did you mean ${near}?`;
  return new CliError(
    `there is no alphabet of that name.${meant} --alphabet takes ${names.join(', ')}, or the characters themselves as ${literally}abc123`,
    2,
  );
}

/** The length that `--length` means. @throws CliError */
export function lengthOf(text: string): number {
  const length = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (length >= LENGTHS.least && length <= LENGTHS.most) return length;
  throw new CliError(`--length takes a number from ${LENGTHS.least} to ${LENGTHS.most}`, 2);
}

/** Whoever has only a hash of it, or may try without end, must not find a value: less than so much can be searched through. */
const LEAST_BITS = 64;

/** @throws CliError where a value of that length could be guessed, with the length that is enough */
export function checkStrength(length: number, alphabet: string): void {
  const bits = Math.log2(alphabet.length);
  if (length * bits >= LEAST_BITS) return;
  const enough = Math.ceil(LEAST_BITS / bits);
  throw new CliError(
    `${length} out of ${alphabet.length} characters can be guessed: that is ${Math.floor(length * bits)} bits, and ${LEAST_BITS} are the least. ` +
      `Take --length ${enough} or more. What has to be shorter, give by standard input`,
    2,
  );
}

/** A random value, each character of the alphabet as likely as any other. */
export function generateValue(length: number, alphabet: string): SecretValue {
  // `randomInt` gives no number more often than another, as a remainder would.
  const characters = Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length)));
  return SecretValue.fromString(characters.join(''));
}
