import { stringify } from 'yaml';
import { secretObjectName, versionObjectName } from '../../api/v1/embedded-name.ts';
import { version as apiVersion, group } from '../../api/v1/names.ts';
import { secretVersions, versionedSecrets } from '../../api/v1/resources.ts';
import { seal } from '../../managers/embedded/sealing/envelope.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { CliError } from '../context.ts';

/** A version to be sealed without a cluster. */
export interface OfflineVersion {
  /** As people write it. */
  readonly name: string;
  readonly namespace: string;
  readonly type: string | undefined;
  readonly version: number;
  /** Public keys, one for each cluster. */
  readonly keys: readonly string[];
}

/** YAML of the secret itself. */
export function secretManifest({ name, namespace, type }: OfflineVersion): string {
  const object = secretObjectName(name);
  return manifest(
    versionedSecrets.kind,
    { name: object, namespace },
    {
      ...(name === object ? {} : { name }),
      ...(type === undefined ? {} : { type }),
      sealing: 'Portable',
    },
  );
}

/**
 * YAML of one version, sealed to each key. `stated` is the namespace that the manifest names; the value is bound to it in any case.
 * @throws CliError for a key that is none
 */
export async function versionManifest(
  { name, namespace, type = '', version, keys }: OfflineVersion,
  value: SecretValue,
  stated: string | undefined,
): Promise<string> {
  const secret = secretObjectName(name);
  const context = { cluster: '', uid: '', namespace, secret, version, type };
  const sealed = await Promise.all(keys.map(async (key) => ({ key, data: await sealTo(key, value, context) })));
  const metadata = { name: versionObjectName(secret, version), ...(stated === undefined ? {} : { namespace: stated }) };
  return manifest(secretVersions.kind, metadata, { secret, version, sealed });
}

async function sealTo(key: string, value: SecretValue, context: Parameters<typeof seal>[1]): Promise<string> {
  try {
    return await seal(value, context, key);
  } catch {
    throw new CliError(`"${key}" is no public key: one of its characters is wrong`, 2);
  }
}

function manifest(kind: string, metadata: object, spec: object): string {
  return stringify({ apiVersion: `${group}/${apiVersion}`, kind, metadata, spec }, { lineWidth: 0 });
}
