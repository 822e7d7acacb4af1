import type { Consumer } from '../../api/v1/rollout.ts';

const settled: ReadonlySet<Consumer['state']> = new Set(['Complete', 'LeftAlone', 'Waiting']);

/** `Deployment/api runs db.password@3 (Complete)`; until all of its pods are replaced it says from what to what. */
export function describeConsumer(consumer: Consumer): string {
  const { kind, name, state } = consumer;
  return `${kind}/${name} ${doing(consumer)} (${state})`;
}

function doing({ state, versions = 'what is not known', replaces = [] }: Consumer): string {
  if (settled.has(state)) return `runs ${versions}`;
  return replaces.length === 0 ? `is to run ${versions}` : `goes from ${replaces.join(' or ')} to ${versions}`;
}

/** What its pods run; until all are replaced, also what those that are left may run: `db.password@2 -> db.password@3`. */
export function runsOf({ versions, replaces = [] }: Consumer): string {
  return [...replaces, ...(versions === undefined ? [] : [versions])].join(' -> ');
}
