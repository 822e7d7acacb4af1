import { secretVersions } from '../../api/v1/resources.ts';
import { secretVersionSpecSchema } from '../../api/v1/secret-version.ts';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import type { KubeClient } from '../../kube/client.ts';
import { SealError } from '../../managers/embedded/sealing/seal-error.ts';
import type { KeyRing } from '../../managers/embedded/sealing/sealing-key.ts';
import { resealVersion, type SealedEntry } from '../sealing-keys/reseal-version.ts';
import type { Book } from './book.ts';
import { placeOf } from './place.ts';
import { digestOf, isOurs, type SecretVersion } from './secret-version.ts';
import type { VersionedSecret } from './versioned-secret.ts';

export interface ResealScope {
  readonly client: KubeClient;
  readonly ring: () => KeyRing | undefined;
  readonly clusterUid: () => string;
}

/** What was accepted once is sealed anew whatever the limits are now. */
const ANY_SIZE = 1_048_576;

/**
 * Where somebody asked for it, seals the accepted versions to the key in use. Each goes through two looks: first the new form is put beside the old one and
 * noted as what is accepted; once that is written, the old form is taken away. What git owns stays as git has it.
 */
export async function reseal(
  scope: ResealScope,
  secret: VersionedSecret,
  objects: readonly SecretVersion[],
  book: Book,
  signal: AbortSignal,
): Promise<void> {
  const ring = scope.ring();
  if (ring?.current === undefined || !ring.reseal) return;
  const byUid = new Map(objects.filter(isOurs).map((object) => [object.metadata.uid, object]));
  for (const stored of book.versions) {
    const object = byUid.get(stored.uid);
    if (object === undefined) continue;
    if (stored.key === ring.current.publicKey) await dropOld(scope, secret, stored, object, ring, signal);
    else await addNew(scope, secret, stored, object, { ring, book }, signal);
  }
}

async function addNew(
  scope: ResealScope,
  secret: VersionedSecret,
  stored: StoredVersion,
  object: SecretVersion,
  { ring, book }: { readonly ring: KeyRing; readonly book: Book },
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = object.metadata;
  const raw = await scope.client.get(secretVersions, { namespace, name }, { signal });
  const { sealed } = secretVersionSpecSchema.parse(raw['spec']);
  const accepted = sealed?.find(({ key }) => key === stored.key);
  // What is not what was accepted is not made to look as if it were.
  if (accepted === undefined || digestOf(accepted.data) !== stored.digest) return;
  const place = placeOf(secret, stored.version, stored.type, scope.clusterUid());
  const made = await resealVersion({ sealed }, stored.key, ring, place, ANY_SIZE).catch(unlessSealed);
  if (made === undefined) return;
  await write(scope, object, raw.metadata.resourceVersion, made.sealed, signal);
  const { key, data } = made.entry;
  book.versions = book.versions.map((each) => (each === stored ? sealedAs(each, key, digestOf(data)) : each));
  book.note({ action: 'reseal', version: stored.version });
}

/** The new form is the accepted one by what is written, so the old ones of our keys may go. */
async function dropOld(
  scope: ResealScope,
  secret: VersionedSecret,
  stored: StoredVersion,
  object: SecretVersion,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<void> {
  const isOld = (key: string): boolean => key !== stored.key && ring.find(key) !== undefined;
  const written = secret.status.versions?.some(({ uid, key }) => uid === stored.uid && key === stored.key) ?? false;
  if (!written || !Array.from(object.digests.keys()).some(isOld)) return;
  const { namespace, name } = object.metadata;
  const raw = await scope.client.get(secretVersions, { namespace, name }, { signal });
  const { sealed = [] } = secretVersionSpecSchema.parse(raw['spec']);
  const accepted = sealed.find(({ key }) => key === stored.key);
  if (accepted === undefined || digestOf(accepted.data) !== stored.digest) return;
  const kept = sealed.filter(({ key }) => !isOld(key));
  await write(scope, object, raw.metadata.resourceVersion, kept, signal);
}

async function write(
  { client }: ResealScope,
  { metadata }: SecretVersion,
  resourceVersion: string,
  sealed: readonly SealedEntry[],
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = metadata;
  const body = { metadata: { name, namespace, uid, resourceVersion }, spec: { sealed: [...sealed] } };
  await client.mergePatch(secretVersions, body, { signal, fieldManager: 'keyferry' });
}

function sealedAs(stored: StoredVersion, key: string, digest: string): StoredVersion {
  return { ...stored, key, digest };
}

function unlessSealed(error: unknown): undefined {
  if (!(error instanceof SealError)) throw error;
}
