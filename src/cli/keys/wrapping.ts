import { namespaces } from '../../kube/resource.ts';
import { createKms, type Kms } from '../../managers/aws/kms.ts';
import { person, personalCredentials } from '../../managers/aws/person.ts';
import type { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { unwrapKey, wrapKey, wrappedSuffix, wrappedText } from '../../managers/embedded/sealing/wrapped-key.ts';
import { ManagerError } from '../../managers/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { KeyPlace } from './change-keys.ts';
import { entryText, type KeyEntry, type KeySecret, toBase64 } from './key-secret.ts';

/** The keys with those opened that AWS KMS wraps, by the rights of whoever runs the command. `failed` has why one does not open. */
export interface OpenedSecret {
  readonly secret: KeySecret;
  readonly failed: readonly string[];
}

/** Opens what is wrapped. Makes no call where nothing is. @throws KubeError */
export async function openWrapped(place: KeyPlace, secret: KeySecret): Promise<OpenedSecret> {
  if (secret.entries.every(({ key, wrapped }) => key !== undefined || wrapped === undefined)) {
    return { secret, failed: [] };
  }
  const cluster = await clusterUid(place);
  const failed: string[] = [];
  const entries: KeyEntry[] = [];
  for (const entry of secret.entries) {
    const { name, wrapped } = entry;
    if (entry.key !== undefined || wrapped === undefined) {
      entries.push(entry);
      continue;
    }
    try {
      const key = await withKms(wrapped.kmsKey, (kms) => unwrapKey(kms, wrapped, cluster, place.signal));
      entries.push({ ...entry, key });
    } catch (error) {
      if (!(error instanceof ManagerError)) throw error;
      failed.push(`${name}: ${error.message}`);
      entries.push(entry);
    }
  }
  const current = entries.find(({ name }) => name === secret.current?.name);
  return { secret: { ...secret, entries, current }, failed };
}

/** A new key as it is to be kept: wrapped, where the one in use is. @throws ManagerError */
export async function keptLike(
  place: KeyPlace,
  { current }: KeySecret,
  name: string,
  key: SealingKey,
): Promise<Readonly<Record<string, string>>> {
  const { wrapped } = current ?? {};
  if (wrapped === undefined) return { [name]: toBase64(entryText(key)) };
  const cluster = await clusterUid(place);
  const made = await withKms(wrapped.kmsKey, (kms) => wrapKey(kms, key, cluster, place.signal));
  return { [name + wrappedSuffix]: toBase64(wrappedText(made)) };
}

async function clusterUid({ client, signal }: KeyPlace): Promise<string> {
  const where = { namespace: '', name: 'kube-system' };
  return (await client.get(namespaces, where, { signal, metadataOnly: true })).metadata.uid;
}

async function withKms<T>(keyId: string, call: (kms: Kms) => Promise<T>): Promise<T> {
  const kms = createKms({ keyId, credentials: personalCredentials(undefined), principal: person, clock: systemClock });
  try {
    return await call(kms);
  } finally {
    kms.close();
  }
}
