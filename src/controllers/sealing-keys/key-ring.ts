import { type KeyRing, keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import type { SecretValue } from '../../managers/secret-value.ts';

/** What is kept of keys: their texts by the names of the entries. */
export interface KeyEntries {
  readonly data: ReadonlyMap<string, SecretValue>;
  /** The entry whose key is in use, where something says it: an annotation of the Secret. */
  readonly current?: string | undefined;
  /** The public key that all versions are to be sealed to, where somebody asked for it. */
  readonly reseal?: string | undefined;
}

/** In a folder of keys, the file that says which key is in use. */
const currentEntry = 'current';
const keyEntry = /^[-._a-zA-Z0-9]+\.agekey$/;

/**
 * The keys of a Secret or a folder. In use is what the annotation names, else what the entry `current` names, else the last by name, 10 after 9. One that
 * can't be read is a problem for sealing; what the others open, they open. `where` and `fix` go into the problem; what stands in an entry does not.
 */
export async function ringOf(
  { data, current: named, reseal }: KeyEntries,
  where: string,
  fix: string,
): Promise<KeyRing> {
  const keys = new Map<string, SealingKey>();
  const broken: string[] = [];
  for (const [name, value] of [...data].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))) {
    if (!keyEntry.test(name)) continue;
    const key = await SealingKey.parse(textOf(value));
    if (key === undefined) broken.push(name);
    else keys.set(name, key);
  }
  const current = keys.get(named ?? entryText(data) ?? [...keys.keys()].at(-1) ?? '');
  const problem = problemOf(keys.size, broken, current);
  const words = problem === undefined ? undefined : `${where} ${problem}: ${fix}`;
  return keyRing([...keys.values()], current, words, reseal !== undefined && reseal === current?.publicKey);
}

function problemOf(count: number, broken: readonly string[], current: SealingKey | undefined): string | undefined {
  if (broken.length > 0) return `has no age key in ${broken.join(', ')}`;
  if (count === 0) return 'has no entry with a key, such as 1.agekey';
  return current === undefined ? 'does not have the key that it names as the one in use' : undefined;
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
