import { z } from 'zod';
import { labels } from '../../api/v1/names.ts';
import { secretVersions, versionedSecrets } from '../../api/v1/resources.ts';
import { versionedSecretStatusSchema } from '../../api/v1/versioned-secret.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { RawObject } from '../../kube/object.ts';
import { CliError } from '../context.ts';

/** How many accepted versions are sealed to each public key. */
export type KeyUsage = ReadonlyMap<string, number>;

/** What the operator wrote of the versions of all secrets, but for those whose objects have these uids. @throws CliError for a status that can't be read: what it uses would count as unused */
export function usageOf(secrets: readonly RawObject[], leftOut: ReadonlySet<string> = new Set()): KeyUsage {
  const usage = new Map<string, number>();
  for (const raw of secrets) {
    const status = versionedSecretStatusSchema.safeParse(raw['status'] ?? {}).data;
    if (status === undefined) {
      const { namespace, name } = raw.metadata;
      throw new CliError(`the status of VersionedSecret ${namespace}/${name} is of another release: use its keyferry`);
    }
    for (const { key, uid } of status.versions ?? []) {
      // A rollback has no sealed form of its own until the operator makes one.
      if (key === '' || leftOut.has(uid)) continue;
      usage.set(key, (usage.get(key) ?? 0) + 1);
    }
  }
  return usage;
}

export async function readUsage(
  client: Pick<KubeClient, 'list'>,
  signal: AbortSignal,
  leftOut?: ReadonlySet<string>,
): Promise<KeyUsage> {
  return usageOf(await client.list(versionedSecrets, {}, { signal }), leftOut);
}

const authorSchema = z.object({ spec: z.object({ createdBy: z.string() }) });

/** uids of the versions that git owns: the operator does not seal them anew, as they would no more be what stands there. */
export async function readOwnedByGit(
  client: Pick<KubeClient, 'list'>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const versions = await client.list(secretVersions, {}, { signal });
  const owned = versions.filter(
    (raw) => raw.metadata.labels[labels.trim] !== 'true' && !authorSchema.safeParse(raw).success,
  );
  return new Set(owned.map(({ metadata }) => metadata.uid));
}

const sealedSchema = z.object({
  spec: z.object({ sealed: z.array(z.object({ key: z.string() })).default([]) }),
});

/** Versions, accepted or not, that of these keys `key` alone opens: `namespace/name`. */
export function openedOnlyBy(key: string, keys: readonly string[], versions: readonly RawObject[]): readonly string[] {
  const others = new Set(keys.filter((other) => other !== key));
  return versions
    .filter((raw) => {
      const sealed = sealedSchema.safeParse(raw).data?.spec.sealed ?? [];
      return sealed.some((entry) => entry.key === key) && !sealed.some((entry) => others.has(entry.key));
    })
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

export async function readOpenedOnlyBy(
  client: Pick<KubeClient, 'list'>,
  key: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  return openedOnlyBy(key, keys, await client.list(secretVersions, {}, { signal }));
}
