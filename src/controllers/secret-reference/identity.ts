import { createHash } from 'node:crypto';
import type { SecretReferenceSpec } from '../../api/v1/secret-reference.ts';
import type { ResolvedKey } from './resolution.ts';

/** Changes only when what is hashed changes its meaning: an older format is compared in its own (an upgrade restarts nothing). */
const FORMAT = 1;

/**
 * Names the content that a target is made from: the identities of the versions and the reference's own recipe as written. Never made from a value.
 * Sixteen hex digits of a SHA-256 behind the format's number.
 */
export function contentName(spec: SecretReferenceSpec, keys: readonly ResolvedKey[]): string {
  const recipe = { data: spec.data, dataFrom: spec.dataFrom, template: spec.template };
  const origins = keys.map((item) => {
    const { origin } = item;
    // Key names that stand inside a value are part of it.
    const key = item.listable ? item.key : '';
    return origin === undefined ? [key] : [key, origin.manager, origin.secret, origin.requested, origin.identity];
  });
  const distinct = [...new Set(origins.map((origin) => JSON.stringify(origin)))].toSorted();
  const digest = createHash('sha256')
    .update(stableJson([recipe, distinct]))
    .digest('hex');
  return `${FORMAT}:${digest.slice(0, 16)}`;
}

/** JSON with the keys of every object in order: the API server does not promise one. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
