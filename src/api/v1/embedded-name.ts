import { createHash } from 'node:crypto';

/** The most characters that the name of an embedded secret may have. */
export const maxSecretNameLength = 256;
/** The most characters of a VersionedSecret's object name: its versions put their number behind it. */
export const maxSecretObjectLength = 240;
const HASH_LENGTH = 8;

/** RE2. Letters and digits are ASCII: names that only look alike can't exist. */
export const embeddedNameForm = '^[A-Za-z0-9._/-]([A-Za-z0-9 ._/-]*[A-Za-z0-9._/-])?$';
const nameForm = new RegExp(embeddedNameForm);
const objectForm = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** ASCII only, as the API server and its policies do it: no letter of another script becomes one of a name. */
export function foldName(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Why an embedded secret can't have a name, as the end of "it ..."; undefined for a good one. */
export function embeddedNameMistake(name: string): string | undefined {
  if (name.length > maxSecretNameLength) return `has more than ${maxSecretNameLength} characters`;
  if (!nameForm.test(name)) return 'may have letters, digits, space and . _ / - only, with no space at its ends';
  return undefined;
}

/**
 * The name of the object that keeps a secret: its name in lower case where that can be an object's name, else a readable part and eight hex digits of the
 * SHA-256 of the name in lower case. So every spelling of case is the same object, and the API server keeps names unique.
 */
export function secretObjectName(name: string): string {
  const folded = foldName(name);
  if (folded.length <= maxSecretObjectLength && objectForm.test(folded)) return folded;
  const hash = createHash('sha256').update(folded).digest('hex').slice(0, HASH_LENGTH);
  const readable = folded
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, maxSecretObjectLength - HASH_LENGTH - 1)
    .replaceAll(/^-+|-+$/g, '');
  return readable === '' ? `secret-${hash}` : `${readable}-${hash}`;
}

/** The name of the object that keeps one version of a secret. */
export function versionObjectName(secretObject: string, version: number): string {
  return `${secretObject}-${version}`;
}

/** The number that a version's id is; undefined for what is none. */
export function versionNumberOf(id: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(id) ? Number(id) : undefined;
}
