import type { SecretReferenceStatus } from '../../../api/v1/secret-reference.ts';
import type { KubeBody } from '../../../kube/client.ts';
import { type DesiredTarget, desiredTarget } from '../../secret-reference/desired-target.ts';
import { heldVersions } from '../../secret-reference/held-versions.ts';
import type { Reference } from '../../secret-reference/reference.ts';
import { conditionOf, type RolloutScope } from '../../secret-reference/rollout-findings.ts';
import { syncedOutcome, untouchedTarget } from '../../secret-reference/settle.ts';
import { nextStatus, sameStatus } from '../../secret-reference/status.ts';
import { seenOf, type TargetOutcome } from '../../secret-reference/target.ts';
import { contentOf } from '../../secret-reference/target-content.ts';
import { newTarget, planTarget } from '../../secret-reference/target-plan.ts';
import type { ExistingSecret } from '../../secret-reference/target-secret.ts';
import { buildWorkloads } from '../../testing/builders.ts';
import type { Workload } from '../workload.ts';
import { applySecret, applyStatus, type Cluster, createSecret, isoTime, versions } from './model-cluster.ts';
import type { Rule } from './model-rule.ts';
import { idleVisit, type Visit } from './model-visit.ts';

/** What watches have told. */
export interface Cache {
  readonly reference: Reference | undefined;
  readonly workloads: readonly Workload[];
  readonly target: ExistingSecret | undefined;
}

interface Settling {
  readonly reference: Reference;
  /** The version that the Secret is to have. */
  readonly version: number;
}

/** Where the look at the reference stands: which call to the API server comes next. */
export type Look =
  | { readonly at: 'idle' }
  | ({ readonly at: 'create' | 'read' } & Settling)
  | ({ readonly at: 'ledger'; readonly status: SecretReferenceStatus; readonly body: KubeBody } & Settling)
  | ({ readonly at: 'secret'; readonly body: KubeBody } & Settling)
  | ({ readonly at: 'status'; readonly status: SecretReferenceStatus } & Settling);

/** One process of the operator. All of it but the cluster is lost in a crash. */
export interface Operator {
  readonly cache: Cache;
  /** The version that its source last heard to be the latest. */
  readonly reading: number;
  /** The content that it put into the Secret itself, or found there as it should be. */
  readonly known: string | undefined;
  /** The content for which the manager was asked again. */
  readonly asked: string | undefined;
  /** The content that it marked each workload with last, by uid. */
  readonly applied: ReadonlyMap<string, string>;
  readonly look: Look;
  readonly visit: Visit;
}

/** What a step leaves. `lost`: how it would be for an operator that never heard the answer to its write. */
export interface Stepped {
  readonly cluster: Cluster;
  readonly operator: Operator;
  readonly lost?: Operator;
}

const idle: Look = { at: 'idle' };

export function newOperator(cluster: Cluster, rule: Rule): Operator {
  const cache = {
    reference: cluster.reference,
    workloads: cachedWorkloads(cluster, rule),
    target: cluster.secret,
  };
  return {
    cache,
    reading: cluster.latest,
    known: undefined,
    asked: undefined,
    applied: new Map(),
    look: idle,
    visit: idleVisit,
  };
}

export function cachedWorkloads({ pods }: Cluster, rule: Rule): readonly Workload[] {
  return pods.map(({ workload }) => rule.seen(workload));
}

/** The next step of the look at the reference; undefined where there is nothing to do. */
export function stepLook(rule: Rule, cluster: Cluster, operator: Operator): Stepped | undefined {
  const { look } = operator;
  switch (look.at) {
    case 'idle':
      return begin(rule, cluster, operator);
    case 'create':
      return create(rule, cluster, operator, look);
    case 'read':
      return read(rule, cluster, operator, look);
    case 'ledger':
      return writeStatus(cluster, operator, look, (reference) => ({ ...look, at: 'secret', reference }));
    case 'secret': {
      const written = applySecret(cluster, look.body, desiredOf(look).fieldManager);
      if (written?.secret === undefined) return { cluster, operator: { ...operator, look: idle } };
      return wrote(written, report(rule, written, operator, look, written.secret, 'bytes'));
    }
    case 'status':
      return writeStatus(cluster, operator, look, () => idle);
    default:
      return look satisfies never;
  }
}

function writeStatus(
  cluster: Cluster,
  operator: Operator,
  { reference, status }: { readonly reference: Reference; readonly status: SecretReferenceStatus },
  then: (written: Reference) => Look,
): Stepped {
  const written = applyStatus(cluster, reference, status);
  if (written?.reference === undefined) return { cluster, operator: { ...operator, look: idle } };
  const cache = { ...operator.cache, reference: written.reference };
  return wrote(written, { ...operator, cache, look: then(written.reference) });
}

function wrote(cluster: Cluster, operator: Operator): Stepped {
  return { cluster, operator, lost: { ...operator, look: idle } };
}

function begin(rule: Rule, cluster: Cluster, operator: Operator): Stepped | undefined {
  const { cache, reading } = operator;
  const { reference, target } = cache;
  if (reference === undefined) return undefined;
  const version = versions[reading];
  const targets = { get: () => target };
  const untouched = untouchedTarget({ targets }, reference, version?.content ?? '');
  const settling = { reference, version: reading };
  if (untouched !== undefined) {
    const found = finish(rule, cluster, operator, settling, { state: 'synced', seen: untouched, change: 'none' });
    return found.look.at === 'idle' && found.known === operator.known ? undefined : { cluster, operator: found };
  }
  const isNew = reference.status.observedGeneration === undefined && target === undefined;
  return { cluster, operator: { ...operator, look: { at: isNew ? 'create' : 'read', ...settling } } };
}

function create(rule: Rule, cluster: Cluster, operator: Operator, settling: Settling): Stepped {
  const desired = desiredOf(settling);
  const created = createSecret(cluster, newTarget(desired), desired.fieldManager);
  if (created?.secret === undefined) return { cluster, operator: { ...operator, look: { ...settling, at: 'read' } } };
  return wrote(created, report(rule, created, operator, settling, created.secret, 'created'));
}

function read(rule: Rule, cluster: Cluster, operator: Operator, settling: Settling): Stepped {
  const existing = cluster.secret;
  const desired = desiredOf(settling);
  const mayFollow = (content: string | undefined): boolean =>
    content === undefined || content === desired.content || mayReplace(operator, settling, content);
  const unsure = (content: string | undefined): Stepped => ({
    cluster,
    operator: { ...operator, reading: cluster.latest, asked: content, look: idle },
  });
  if (existing === undefined) {
    const claimed = settling.reference.status.target?.content;
    if (!mayFollow(claimed)) return unsure(claimed);
    return { cluster, operator: { ...operator, look: { ...settling, at: 'create' } } };
  }
  const plan = planTarget(desired, existing);
  // Of an earlier reference: it goes, and then there is a place.
  if (plan.action === 'conflict') return { cluster, operator: { ...operator, look: idle } };
  if (plan.action === 'none') return { cluster, operator: report(rule, cluster, operator, settling, existing, 'none') };
  const content = contentOf(desired, existing);
  if (plan.bytesChange && !mayFollow(content?.content)) return unsure(content?.content);
  const ledger = plan.bytesChange ? ledgerOf(rule, operator, settling, existing) : undefined;
  const write = { ...settling, body: plan.apply };
  const look: Look = ledger === undefined ? { ...write, at: 'secret' } : { ...write, at: 'ledger', status: ledger };
  return { cluster, operator: { ...operator, look } };
}

function mayReplace({ known, asked, reading }: Operator, { version }: Settling, content: string): boolean {
  return known === content || (asked === content && reading === version);
}

function ledgerOf(
  rule: Rule,
  operator: Operator,
  settling: Settling,
  existing: ExistingSecret,
): SecretReferenceStatus | undefined {
  const { reference } = settling;
  const { status } = reference;
  const desired = desiredOf(settling);
  const content = contentOf(desired, existing);
  const secret = rule.secretContent(status, { ...seenOf(desired, existing), ...content, content: content?.content });
  const ledger = rule.ledgerBefore(scopeOf(operator), reference, secret, undefined);
  return ledger === undefined ? undefined : { ...status, ...ledger, consumers: [...ledger.consumers] };
}

type Change = Extract<TargetOutcome, { state: 'synced' }>['change'];

/** After a look at the Secret. */
function report(
  rule: Rule,
  cluster: Cluster,
  operator: Operator,
  settling: Settling,
  secret: ExistingSecret,
  change: Change,
): Operator {
  const seen = seenOf(desiredOf(settling), secret);
  return finish(rule, cluster, operator, settling, { state: 'synced', seen, change });
}

function finish(
  rule: Rule,
  { now }: Cluster,
  operator: Operator,
  settling: Settling,
  found: Extract<TargetOutcome, { state: 'synced' }>,
): Operator {
  const { reference, version } = settling;
  const keys = versions[version]?.keys ?? [];
  const time = isoTime(now);
  const held = heldVersions(keys, reference.status.versions ?? [], time);
  const outcome = {
    ...syncedOutcome(reference, held, versions[version]?.content ?? '', found),
    secret: rule.secretContent(reference.status, found.seen),
  };
  const none = { guard: undefined, held: undefined };
  const rollout = rule.rolloutFindings(scopeOf(operator), reference, outcome, none, Date.parse(time));
  const condition = conditionOf(reference, outcome, rollout.consumers, undefined);
  const findings = { outcome, trouble: undefined, syncRequest: undefined, rollout: { ...rollout, condition } };
  const status = nextStatus(reference, findings, time);
  const look: Look = sameStatus(reference.status, status) ? idle : { ...settling, at: 'status', status };
  return { ...operator, known: outcome.target.content, look };
}

function desiredOf({ reference, version }: Settling): DesiredTarget {
  const { keys = [], content = '' } = versions[version] ?? {};
  const values = new Map(keys.map(({ key, value }) => [key, value]));
  return desiredTarget(reference, values, heldVersions(keys, [], ''), { inputs: content, content });
}

function scopeOf({ cache, applied }: Operator): RolloutScope {
  return {
    workloads: buildWorkloads(...cache.workloads),
    applied: { content: (uid) => applied.get(uid) },
    waiting: () => undefined,
    observe: () => undefined,
    podsOf: () => Promise.resolve([]),
    unstick: undefined,
  };
}
