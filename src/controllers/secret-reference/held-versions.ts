import type { HeldVersion } from '../../api/v1/secret-reference.ts';
import { managerLabel } from '../manager-key.ts';
import type { ResolvedKey } from './resolution.ts';

/** The versions that the target holds, one entry per manager, secret and selector; `since` survives while the version stays. */
export function heldVersions(
  keys: readonly ResolvedKey[],
  before: readonly HeldVersion[],
  now: string,
): readonly HeldVersion[] {
  const byId = new Map<string, HeldVersion>();
  for (const { key, origin, listable } of keys) {
    if (origin === undefined) continue;
    const version = { ...origin, manager: managerLabel(origin.manager) };
    const id = JSON.stringify([version.manager, version.secret, version.requested]);
    const entry = byId.get(id) ?? { ...version, keys: [], since: sinceOf(version, before) ?? now };
    // A key's name that stands inside a value is not told.
    byId.set(id, listable ? { ...entry, keys: [...entry.keys, key] } : entry);
  }
  return [...byId.values()];
}

function sinceOf(
  origin: { readonly manager: string; readonly secret: string; readonly requested: string; readonly identity: string },
  before: readonly HeldVersion[],
): string | undefined {
  return before.find(
    (held) =>
      held.manager === origin.manager &&
      held.secret === origin.secret &&
      held.requested === origin.requested &&
      held.identity === origin.identity,
  )?.since;
}

/** The first version and how many others: `db.password@7f1c2d3e (+2)`. `-` where there is none. */
export function summaryOf(versions: readonly HeldVersion[]): string {
  const [first] = versions;
  if (first === undefined) return '-';
  const rest = versions.length > 1 ? ` (+${versions.length - 1})` : '';
  return `${first.secret}@${shortVersion(first.version)}${rest}`;
}

/** Characters: there may be hundreds of workloads, and each tells it. */
const ROOM = 200;

/** As many as there is room for, and how many others: `db.account@3, db.password@7f1c2d3e (+9)`. `-` where there is none. */
export function listOf(versions: readonly HeldVersion[]): string {
  const all = [...new Set(versions.map(({ secret, version }) => `${secret}@${shortVersion(version)}`))];
  const [first = '-', ...others] = all;
  let [told, left] = [first, others.length];
  for (const next of others) {
    if (told.length + next.length > ROOM) break;
    told += `, ${next}`;
    left -= 1;
  }
  return left === 0 ? told : `${told} (+${left})`;
}

/** Long ids (uuids) by their first eight characters. */
export function shortVersion(version: string): string {
  return version.length > 12 ? version.slice(0, 8) : version;
}
