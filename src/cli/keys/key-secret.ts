import { z } from 'zod';
import { annotations, sealingKeysSecret } from '../../api/v1/names.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findObject } from '../../kube/find-object.ts';
import type { ObjectMeta, RawObject } from '../../kube/object.ts';
import { secrets } from '../../kube/resource.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { parseWrapped, type WrappedKey, wrappedSuffix } from '../../managers/embedded/sealing/wrapped-key.ts';
import { CliError } from '../context.ts';

/** Says which key is in use where the annotation does not: as in a folder of keys. */
const currentEntry = 'current';
/** How an entry with a key is called. */
export const keyEntry = /^[-._a-zA-Z0-9]+\.agekey$/;

/** One entry of the Secret with the sealing keys. */
export interface KeyEntry {
  /** `1.agekey`. */
  readonly name: string;
  /** Undefined where what stands there is no key, or AWS KMS wraps it. */
  readonly key: SealingKey | undefined;
  /** What stands there where AWS KMS wraps it. */
  readonly wrapped?: WrappedKey | undefined;
}

/** Undefined where there is neither a key nor a wrapped one. */
export function publicKeyOf({ key, wrapped }: KeyEntry): string | undefined {
  return key?.publicKey ?? wrapped?.publicKey;
}

/** The Secret with the sealing keys, as it was read. */
export interface KeySecret {
  readonly metadata: ObjectMeta;
  readonly entries: readonly KeyEntry[];
  readonly current: KeyEntry | undefined;
}

const dataSchema = z.record(z.string(), z.string()).default({});

/** Undefined where the object is not like a Secret. */
export async function parseKeySecret(raw: RawObject): Promise<KeySecret | undefined> {
  const data = dataSchema.safeParse(raw['data']).data;
  if (data === undefined) return undefined;
  const texts = new Map(Object.entries(data).map(([name, base64]) => [name, Buffer.from(base64, 'base64').toString()]));
  const unwrapped = [...texts.keys()].map((name) =>
    name.endsWith(wrappedSuffix) ? name.slice(0, -wrappedSuffix.length) : name,
  );
  const names = [...new Set(unwrapped)].filter((name) => keyEntry.test(name)).toSorted(byNumber);
  const entries = await Promise.all(
    names.map(async (name) => ({
      name,
      key: await SealingKey.parse(texts.get(name) ?? ''),
      wrapped: parseWrapped(texts.get(name + wrappedSuffix) ?? ''),
    })),
  );
  const annotated = raw.metadata.annotations[annotations.currentKey];
  const named = annotated ?? texts.get(currentEntry)?.trim() ?? entries.at(-1)?.name;
  return { metadata: raw.metadata, entries, current: entries.find(({ name }) => name === named) };
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Reads the keys; undefined where there is no such Secret. @throws CliError, KubeError */
export async function findKeySecret(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  signal: AbortSignal,
): Promise<KeySecret | undefined> {
  const raw = await findObject(client, secrets, { namespace, name: sealingKeysSecret }, { signal });
  if (raw === undefined) return undefined;
  const parsed = await parseKeySecret(raw);
  if (parsed === undefined) throw new CliError(`Secret ${namespace}/${sealingKeysSecret} has no data that can be read`);
  return parsed;
}

/** The same where there must be one. */
export async function readKeySecret(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  signal: AbortSignal,
): Promise<KeySecret> {
  const found = await findKeySecret(client, namespace, signal);
  if (found === undefined) {
    throw new CliError(
      `there is no Secret ${namespace}/${sealingKeysSecret}: the operator makes it when it starts for the first time. Where it was lost: keyferry keys restore FILE; without a backup: keyferry keys create. Where the operator runs elsewhere: --operator-namespace`,
    );
  }
  return found;
}

/** The name for one more key. Numbers of keys that are gone are not given again while a later one is there. */
export function nextEntryName(entries: readonly { readonly name: string }[]): string {
  const numbers = entries.map(({ name }) => Number(/^(?<number>\d{1,9})\.agekey$/.exec(name)?.groups?.['number'] ?? 0));
  return `${Math.max(0, ...numbers) + 1}.agekey`;
}

/** A key as it stands in the Secret. */
export function entryText(key: SealingKey): string {
  return `# public key: ${key.publicKey}\n${key.reveal()}\n`;
}

export function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
