import { type KeyRing, keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import type { SecretValue } from '../../managers/secret-value.ts';

/** What is kept of keys: their texts by the names of the entries. */
export interface KeyEntries {
  readonly data: ReadonlyMap<string, SecretValue>;
  /** The entry whose key is in use, where something says it: an annotation of the Secret. */
  readonly current?: string | undefined;
  /** The public key that all versions are to be sealed to, where somebody asked for it. */
  readonly reseal?: string | undefined;
  /** When all keys were last backed up, or `never`. Undefined where they are kept elsewhere. */
  readonly backup?: string | undefined;
}

/** In a folder of keys, the file that says which key is in use. */
const currentEntry = 'current';
const keyEntry = /^[-._a-zA-Z0-9]+\.agekey$/;

/** Whether an entry is looked at: it has a key, or says which is in use. */
export function isKeyEntry(name: string): boolean {
  return name === currentEntry || (keyEntry.test(name) && !name.startsWith('.'));
}

/**
 * The keys of a Secret or a folder. In use is what the annotation names, else what the entry `current` names, else the last by name, 10 after 9. One that
 * can't be read holds up what is sealed to it, and all sealing only where it is the one in use: another in its place would be a change that nobody asked
 * for. `where` and `fix` go into the words; what stands in an entry does not.
 */
export async function ringOf(
  { data, current: named, reseal }: KeyEntries,
  where: string,
  fix: string,
): Promise<KeyRing> {
  const keys = new Map<string, SealingKey>();
  const broken: string[] = [];
  const names = [...data.keys()].filter((name) => keyEntry.test(name)).toSorted(byNumber);
  for (const name of names) {
    const value = data.get(name);
    const key = value === undefined ? undefined : await SealingKey.parse(textOf(value));
    if (key === undefined) broken.push(name);
    else keys.set(name, key);
  }
  const inUse = named ?? entryText(data) ?? names.at(-1) ?? '';
  const current = keys.get(inUse);
  const unreadable = broken.length === 0 ? undefined : `${where} has no age key in ${broken.join(', ')}: ${fix}`;
  return keyRing(
    [...keys.values()],
    current,
    current === undefined ? problemOf(names, broken.includes(inUse) ? unreadable : undefined, where, fix) : undefined,
    reseal !== undefined && reseal === current?.publicKey,
    unreadable,
  );
}

function problemOf(names: readonly string[], unreadable: string | undefined, where: string, fix: string): string {
  if (unreadable !== undefined) return unreadable;
  if (names.length === 0) return `${where} has no entry with a key, such as 1.agekey: ${fix}`;
  return `${where} does not have the key that it names as the one in use: ${fix}`;
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function entryText(data: ReadonlyMap<string, SecretValue>): string | undefined {
  const value = data.get(currentEntry);
  return value === undefined ? undefined : textOf(value).trim();
}

/** A key is text; anything else is no key. */
function textOf(value: SecretValue): string {
  try {
    return value.asString();
  } catch {
    return '';
  }
}
