import type { Cluster, Pods } from './model-cluster.ts';
import { type Deed, deedsOf, doDeed } from './model-environment.ts';
import { cachedWorkloads, newOperator, type Operator, type Stepped, stepLook } from './model-operator.ts';
import type { Rule } from './model-rule.ts';
import { type Marked, stepVisit } from './model-visit.ts';

/** How far to look, and at what. */
export interface Bounds {
  readonly start: Cluster;
  /** How many more steps a leader does that was replaced. To hear of everything is one; else it hears of nothing but its own writes. */
  readonly replaced: number;
  /** How often each deed may be done. */
  readonly deeds: Readonly<Partial<Record<Deed, number>>>;
  /** How often anything may be done by others, all in all. */
  readonly most: number;
  /** How often an operator dies, or does not hear the answer to a write. */
  readonly crashes: number;
  /**
   * How late watches are. `none`: not at all. `bounded`: with the answer to a call about the Secret an operator has heard of the workloads that were
   * there before it. `unbounded`: it may not have.
   */
  readonly lag: 'none' | 'bounded' | 'unbounded';
}

export interface World {
  readonly cluster: Cluster;
  readonly operators: readonly Operator[];
  readonly left: Readonly<Partial<Record<Deed | 'all' | 'crash' | 'second', number>>>;
}

/** A step, and what it showed. */
export interface Edge {
  readonly label: string;
  readonly world: World;
  readonly marked?: Marked | undefined;
}

export function startOf(rule: Rule, { start, replaced, deeds, most, crashes }: Bounds): World {
  const one = newOperator(start, rule);
  return {
    cluster: start,
    operators: replaced === 0 ? [one] : [one, one],
    left: { ...deeds, all: most, crash: crashes, second: replaced },
  };
}

/** Everything that can happen next. */
export function edgesOf(rule: Rule, bounds: Bounds, world: World): readonly Edge[] {
  const operators = world.operators.flatMap((operator, index) => operatorEdges(rule, bounds, world, operator, index));
  return [...operators, ...othersEdges(rule, bounds, world)];
}

function othersEdges(rule: Rule, bounds: Bounds, world: World): readonly Edge[] {
  const { left, cluster } = world;
  const { all = 0 } = left;
  if (all === 0) return [];
  return deedsOf(bounds.deeds).flatMap((deed) => {
    const times = left[deed] ?? 0;
    if (times === 0) return [];
    return doDeed(deed, cluster).map((done) => {
      const now = { ...done.cluster, pods: done.cluster.pods.map((pods) => inBetween(world, pods)) };
      const after = { ...world, cluster: now, left: { ...left, all: all - 1, [deed]: times - 1 } };
      return { label: done.label, world: settled(rule, bounds, after) };
    });
  });
}

/** What is created between the ledger and the Secret stands in no ledger. */
function inBetween({ cluster, operators }: World, pods: Pods): Pods {
  const writing = operators.some(({ look }) => look.at === 'ledger' || look.at === 'secret');
  const isNew = cluster.pods.every(({ workload }) => workload.metadata.uid !== pods.workload.metadata.uid);
  return writing && isNew ? { ...pods, everInWindow: true } : pods;
}

type Step = Stepped & { readonly label: string; readonly marked?: Marked };

/** What an operator does, hears, or loses. */
function operatorEdges(rule: Rule, bounds: Bounds, world: World, operator: Operator, index: number): readonly Edge[] {
  const { cluster, operators, left } = world;
  const { crash = 0 } = left;
  const become = (after: Operator, now: Cluster = cluster): World =>
    settled(rule, bounds, { ...world, cluster: now, operators: operators.with(index, after) });
  const crashed = (after: World): World => ({ ...after, left: { ...left, crash: crash - 1 } });
  const edges = stepsOf(rule, bounds, cluster, operator).flatMap(
    ({ label, marked, lost, ...step }): readonly Edge[] => {
      const done = { label, marked, world: become(step.operator, step.cluster) };
      if (lost === undefined || crash === 0) return [done];
      const unheard = become({ ...lost, cache: operator.cache, known: operator.known }, step.cluster);
      return [done, { label: `${label}, unheard`, marked, world: crashed(unheard) }];
    },
  );
  const heardOf = hearings(rule, bounds, cluster, operator, index).map(
    ([what, after]): Edge => ({ label: `hears of ${what}`, world: become(after) }),
  );
  const crashes = crash === 0 ? [] : [{ label: 'crash', world: crashed(become(newOperator(cluster, rule))) }];
  return index === 0 ? [...edges, ...heardOf, ...crashes] : lastOf([...edges, ...heardOf], left.second ?? 0);
}

/** What a leader that was replaced still does. */
function lastOf(edges: readonly Edge[], left: number): readonly Edge[] {
  if (left === 0) return [];
  return edges.map(({ label, world, ...edge }) => {
    return { ...edge, label: `replaced: ${label}`, world: { ...world, left: { ...world.left, second: left - 1 } } };
  });
}

function stepsOf(rule: Rule, { lag }: Bounds, cluster: Cluster, operator: Operator): readonly Step[] {
  const look = stepLook(rule, cluster, lag === 'bounded' ? heard(rule, cluster, operator) : operator);
  const visits = stepVisit(rule, cluster, operator);
  return look === undefined ? visits : [{ ...look, label: `look: ${operator.look.at}` }, ...visits];
}

/** With the answer to a call about the Secret, of all workloads that were there before it. */
function heard(rule: Rule, cluster: Cluster, operator: Operator): Operator {
  const { at } = operator.look;
  if (at !== 'secret' && at !== 'create' && at !== 'read') return operator;
  return { ...operator, cache: { ...operator.cache, workloads: cachedWorkloads(cluster, rule) } };
}

function hearings(
  rule: Rule,
  { lag }: Bounds,
  cluster: Cluster,
  operator: Operator,
  index: number,
): readonly (readonly [string, Operator])[] {
  if (lag === 'none') return index === 0 ? [] : [['everything', synced(rule, cluster, operator)]];
  const { cache } = operator;
  const { reference, target, workloads } = newOperator(cluster, rule).cache;
  return [
    ['the reference', { ...operator, cache: { ...cache, reference } }],
    ['the Secret', { ...operator, cache: { ...cache, target } }],
    ['workloads', { ...operator, cache: { ...cache, workloads } }],
    ['the latest version', { ...operator, reading: cluster.latest }],
  ];
}

/** The first operator hears of everything at once, where watches are not late. */
function settled(rule: Rule, { lag }: Bounds, world: World): World {
  const [first, ...others] = world.operators;
  if (lag !== 'none' || first === undefined) return world;
  return { ...world, operators: [synced(rule, world.cluster, first), ...others] };
}

/** As it is once its watches have told it everything. */
export function synced(rule: Rule, cluster: Cluster, operator: Operator): Operator {
  const { cache, reading } = newOperator(cluster, rule);
  return { ...operator, cache, reading };
}
