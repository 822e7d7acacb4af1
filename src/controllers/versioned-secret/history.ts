import type { StoredVersion } from '../../api/v1/versioned-secret.ts';

/** What references do with a secret's versions. */
export interface VersionsInUse {
  has(version: number): boolean;
}

/** The numbers of the versions that are too old to be kept: all but the newest `kept`, what is in use, and what others own. */
export function expired(
  versions: readonly StoredVersion[],
  kept: number,
  inUse: VersionsInUse,
  mayTrim: (version: number) => boolean,
): readonly number[] {
  const old = versions.toSorted((a, b) => b.version - a.version).slice(kept);
  return old.filter(({ version }) => !inUse.has(version) && mayTrim(version)).map(({ version }) => version);
}

/** The number that latest is, and the enabled one before it. A disabled latest stays latest: nobody silently gets an older value. */
export function stagesOf(versions: readonly StoredVersion[]): {
  readonly latest: number | undefined;
  readonly previous: number | undefined;
} {
  const sorted = versions.toSorted((a, b) => b.version - a.version);
  const [latest, ...older] = sorted;
  return { latest: latest?.version, previous: older.find(({ state }) => state === 'Enabled')?.version };
}
