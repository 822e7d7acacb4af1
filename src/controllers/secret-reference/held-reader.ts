import type { VersionSet } from '../../api/v1/rollout.ts';
import type { VersionSummary } from '../../managers/manager.ts';
import { managerLabel } from '../manager-key.ts';
import { definite } from './failure.ts';
import type { Answer, Reader } from './reader.ts';
import { selectorText } from './selection.ts';

/** Reads as if the latest versions were still those of a set: each by its id, and nothing that the set does not have. */
export function createHeldReader(reader: Reader, set: VersionSet): Reader {
  const of = (key: string, secret?: string): VersionSet['versions'] =>
    set.versions.filter((held) => held.manager === managerLabel(key) && (secret ?? held.secret) === held.secret);
  return {
    wants: reader.wants,
    trouble: () => reader.trouble(),
    value(key, secret, selector, what) {
      const held = of(key, secret).find(({ requested }) => requested === selectorText(selector));
      if (held === undefined) return notHeld(`${what}: version set ${set.summary} has no value for it`);
      const answer = reader.value(key, secret, { kind: 'version', version: held.version }, what);
      if (answer.state !== 'known' || answer.result.identity === held.identity) return answer;
      return notHeld(`${what}: the secret was created again, and its version ${held.version} is another one now`);
    },
    find(key) {
      const names = of(key).flatMap(({ secret, requested }) => (requested === 'latest' ? [secret] : []));
      return { state: 'known', result: [...new Set(names)] };
    },
    versions(key, secret) {
      const ids = of(key, secret).filter(({ requested, version }) => requested === `version ${version}`);
      return {
        state: 'known',
        result: ids.map(({ version }): VersionSummary => ({ version, stages: [], createdAt: undefined })),
      };
    },
  };
}

function notHeld(message: string): Answer<never> {
  return { state: 'failed', failure: definite('VersionNotFound', message) };
}
