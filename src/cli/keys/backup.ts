import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { annotations, sealingKeysSecret } from '../../api/v1/names.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { wrappedSuffix } from '../../managers/embedded/sealing/wrapped-key.ts';
import { CliError } from '../context.ts';
import { entryText, type KeyEntry, type KeySecret, keyEntry, nextEntryName, toBase64 } from './key-secret.ts';

/** Keys by the names that they had, and which of them was in use. */
export interface KeyBackup {
  readonly entries: readonly { readonly name: string; readonly key: SealingKey }[];
  readonly current: string | undefined;
}

const fileSchema = z.object({
  kind: z.literal('Secret'),
  metadata: z.object({
    name: z.literal(sealingKeysSecret),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  data: z.record(z.string(), z.string()),
});

/** The keys of the Secret. @throws CliError where one of them is none: such a backup would be worth nothing */
export function backupOf({ entries, current }: KeySecret): KeyBackup {
  const whole = entries.map(({ name, key }) => {
    if (key === undefined) {
      throw new CliError(`entry ${name} of Secret ${sealingKeysSecret} is not an age key: restore it from a backup`);
    }
    return { name, key };
  });
  if (whole.length === 0) throw new CliError(`Secret ${sealingKeysSecret} has no key`);
  return { entries: whole, current: current?.name };
}

/** The file of a backup: a manifest, so that it can be read without this command as well. */
export function backupText({ entries, current }: KeyBackup, namespace: string, now: string): string {
  const data = Object.fromEntries(entries.map(({ name, key }) => [name, toBase64(entryText(key))]));
  const named = current === undefined ? {} : { annotations: { [annotations.currentKey]: current } };
  const metadata = { name: sealingKeysSecret, namespace, ...named };
  const manifest = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
  const header = `# Sealing keys of Keyferry, ${now}. Whoever has this file can open every sealed value. Restore: keyferry keys restore FILE\n`;
  return header + stringify(manifest, { lineWidth: 0 });
}

/** Reads such a file. @throws CliError, in words of ours: the file holds keys */
export async function parseBackup(text: string, file: string): Promise<KeyBackup> {
  const manifest = manifestOf(text);
  if (manifest === undefined) throw new CliError(`${file} is not a backup made by keyferry keys backup`);
  const entries = await Promise.all(
    Object.entries(manifest.data).map(async ([name, base64]) => {
      const key = await SealingKey.parse(Buffer.from(base64, 'base64').toString());
      // Under another name it would lie in the Secret and never be used.
      if (key === undefined || !keyEntry.test(name)) {
        throw new CliError(
          `${file}: entry ${name} is not an age key, or not called like 1.agekey: take another backup`,
        );
      }
      return { name, key };
    }),
  );
  if (entries.length === 0) throw new CliError(`${file} has no key in it`);
  return { entries, current: manifest.metadata.annotations[annotations.currentKey] };
}

function manifestOf(text: string): z.infer<typeof fileSchema> | undefined {
  try {
    return fileSchema.safeParse(parse(text)).data;
  } catch {
    // The parser's message quotes what it read.
    return undefined;
  }
}

export interface RestorePlan {
  /** Entries to add to the Secret, in base64. */
  readonly data: Readonly<Record<string, string | null>>;
  /** Public keys that come back, and those that are there already. */
  readonly added: readonly string[];
  readonly present: readonly string[];
  /** Name of the entry that new values are sealed to from then on. */
  readonly current: string | undefined;
}

/**
 * What a restore adds. No entry with a key in it is ever replaced: another key under a name that is taken gets a new name. What is in use stays in use, unless
 * there is nothing.
 */
export function restorePlan(backup: KeyBackup, existing: KeySecret | undefined): RestorePlan {
  const present = (existing?.entries ?? []).filter(hasKey);
  const known = new Set(present.map(({ key }) => key.publicKey));
  // What is wrapped and does not open may be another key: its name is taken.
  const closed = (existing?.entries ?? []).filter(({ key, wrapped }) => key === undefined && wrapped !== undefined);
  const added: Entry[] = [];
  for (const { name, key } of backup.entries) {
    if (known.has(key.publicKey)) continue;
    const taken = [...present, ...closed.filter(({ wrapped }) => wrapped?.publicKey !== key.publicKey), ...added];
    const free = !taken.some((entry) => entry.name === name);
    added.push({ name: free ? name : nextEntryName([...taken, ...backup.entries]), key });
  }
  const keys = backup.entries.map(({ key }) => key.publicKey);
  const replaced = Object.fromEntries(
    closed
      .filter(({ name }) => added.some((entry) => entry.name === name))
      .map(({ name }) => [name + wrappedSuffix, null]),
  );
  return {
    data: { ...Object.fromEntries(added.map(({ name, key }) => [name, toBase64(entryText(key))])), ...replaced },
    added: added.map(({ key }) => key.publicKey),
    present: keys.filter((key) => known.has(key)),
    current:
      existing?.current?.key === undefined ? formerlyInUse(backup, [...present, ...added]) : existing.current.name,
  };
}

type Entry = KeyBackup['entries'][number];

function hasKey(entry: KeyEntry): entry is Entry {
  return entry.key !== undefined;
}

/** Where the key that was in use at the time of the backup stands now. */
function formerlyInUse({ entries, current }: KeyBackup, now: readonly Entry[]): string | undefined {
  const wanted = entries.find(({ name }) => name === current) ?? entries.at(-1);
  return now.find(({ key }) => key.publicKey === wanted?.key.publicKey)?.name;
}
