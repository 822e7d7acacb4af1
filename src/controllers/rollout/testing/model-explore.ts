import { bytesOf, type Cluster, heldContent, marker, type Pods } from './model-cluster.ts';
import { Keys } from './model-key.ts';
import { type Operator, stepLook } from './model-operator.ts';
import type { Rule } from './model-rule.ts';
import { type Bounds, edgesOf, startOf, synced, type World } from './model-steps.ts';
import { stepVisit } from './model-visit.ts';

/**
 * Why a workload may run something else than the Secret holds, for good. `bereft`: it has no marker of ours, and the reference was deleted with its
 * Secret and made anew. `returned`: its pods were started while it was due, and then the Secret went back to the content that they had run before.
 * `unseen`: the watch told of it only when the change that it was there before was over.
 */
export type Excuse = 'bereft' | 'returned' | 'unseen';

export interface Report {
  readonly states: number;
  readonly steps: number;
  readonly quiet: number;
  /** How many rollouts changed nothing, by their cause. */
  readonly needless: Readonly<Record<'window' | 'overtaken', number>>;
  /** How many quiet states have a workload that missed a rollout, by its excuse. */
  readonly missed: Readonly<Record<Excuse, number>>;
  /** What does not hold, with the steps that lead there. */
  readonly fault: { readonly what: string; readonly path: readonly string[] } | undefined;
}

interface Visited {
  readonly world: World;
  readonly from: string | undefined;
  readonly label: string;
}

/** Every state that can be reached, breadth first; ends at the first fault. */
export function explore(rule: Rule, bounds: Bounds): Report {
  const keys = new Keys();
  const start = startOf(rule, bounds);
  const seen = new Map<string, Visited>([[keys.of(start), { world: start, from: undefined, label: 'start' }]]);
  const needless = { window: 0, overtaken: 0 };
  const missed = { bereft: 0, returned: 0, unseen: 0 };
  let steps = 0;
  let quiet = 0;
  const report = (fault?: Report['fault']): Report => ({ states: seen.size, steps, quiet, needless, missed, fault });
  for (const [key, { world }] of seen) {
    if (isQuiet(rule, world)) {
      quiet += 1;
      const excuse = excuseOf(world, bounds);
      if (excuse === 'none') return report({ what: 'a rollout was lost', path: pathTo(seen, key) });
      if (excuse !== undefined) missed[excuse] += 1;
    }
    for (const edge of edgesOf(rule, bounds, world)) {
      steps += 1;
      const { fault, needless: cause } = edge.marked ?? {};
      if (fault !== undefined) return report({ what: fault, path: [...pathTo(seen, key), edge.label] });
      if (cause !== undefined) needless[cause] += 1;
      const after = keys.of(edge.world);
      if (!seen.has(after)) seen.set(after, { world: edge.world, from: key, label: edge.label });
    }
  }
  return report();
}

function pathTo(seen: ReadonlyMap<string, Visited>, key: string): readonly string[] {
  const path: string[] = [];
  for (let at = seen.get(key); at !== undefined; at = at.from === undefined ? undefined : seen.get(at.from)) {
    path.push(at.label);
  }
  return path.toReversed();
}

/** The first operator knows everything, and has nothing to do. */
function isQuiet(rule: Rule, { cluster, operators }: World): boolean {
  const [operator] = operators;
  if (operator === undefined || operator.look.at !== 'idle' || operator.visit.at !== 'idle') return false;
  if (cluster.secret === undefined) return false;
  const knowing = synced(rule, cluster, operator);
  return stepVisit(rule, cluster, knowing).length === 0 && rests(rule, cluster, knowing);
}

/** Looks once; false where that leads to a write, or to asking the manager. */
function rests(rule: Rule, cluster: Cluster, operator: Operator): boolean {
  const begun = stepLook(rule, cluster, operator);
  if (begun === undefined) return true;
  if (begun.operator.look.at === 'idle') return stepLook(rule, cluster, begun.operator) === undefined;
  if (begun.operator.look.at !== 'read') return false;
  const read = stepLook(rule, cluster, begun.operator);
  return read !== undefined && read.operator.look.at === 'idle' && read.operator.asked === operator.asked;
}

/** Of a quiet state: undefined where every workload runs what the Secret holds, `none` where one does not and has no excuse. */
function excuseOf({ cluster }: World, { lag }: Bounds): Excuse | 'none' | undefined {
  const lost = cluster.pods.filter(({ runs }) => runs !== bytesOf(cluster.secret));
  const excuses = lost.map((pods) => excuse(cluster, pods, lag));
  return excuses.includes('none') ? 'none' : excuses[0];
}

function excuse({ history, secret }: Cluster, pods: Pods, lag: Bounds['lag']): Excuse | 'none' {
  const content = heldContent(secret) ?? '';
  if (pods.everInWindow && history.indexOf(content) < history.lastIndexOf(content)) return 'returned';
  if (pods.bereft && pods.workload.markers.get(marker)?.ours !== true) return 'bereft';
  return lag === 'unbounded' ? 'unseen' : 'none';
}
