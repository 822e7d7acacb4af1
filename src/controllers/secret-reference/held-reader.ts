import type { VersionSet } from '../../api/v1/rollout.ts';
import { managerLabel } from '../manager-key.ts';
import { definite } from './failure.ts';
import type { Answer, Reader } from './reader.ts';
import { selectorText } from './selection.ts';

/** Reads as if the versions of a set were still the latest: each by its id. What the set says nothing of is read as it is. */
export function createHeldReader(reader: Reader, set: VersionSet): Reader {
  const of = (key: string, secret: string): VersionSet['versions'] =>
    set.versions.filter((held) => held.manager === managerLabel(key) && held.secret === secret);
  return {
    wants: reader.wants,
    trouble: () => reader.trouble(),
    folded: (key, name) => reader.folded(key, name),
    value(key, secret, selector, what) {
      const held = of(key, secret).find(({ requested }) => requested === selectorText(selector));
      if (held === undefined) return reader.value(key, secret, selector, what);
      const answer = reader.value(key, secret, { kind: 'version', version: held.version }, what);
      if (answer.state !== 'known' || answer.result.identity === held.identity) return answer;
      return notHeld(`${what}: the secret was created again, and its version ${held.version} is another one now`);
    },
    find(key, query, known, what) {
      const answer = reader.find(key, query, known, what);
      if (answer.state !== 'known') return answer;
      const isHeld = (name: string): boolean => of(key, name).some(({ requested }) => requested === 'latest');
      return { state: 'known', result: answer.result.filter(isHeld) };
    },
    versions(key, secret, what) {
      const answer = reader.versions(key, secret, what);
      if (answer.state !== 'known') return answer;
      const ids = new Set(of(key, secret).map(({ version }) => version));
      return { state: 'known', result: answer.result.filter(({ version }) => ids.has(version)) };
    },
  };
}

function notHeld(message: string): Answer<never> {
  return { state: 'failed', failure: definite('VersionNotFound', message) };
}
