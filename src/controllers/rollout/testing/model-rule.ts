import type { Consumer } from '../../../api/v1/rollout.ts';
import { type DueTarget, dueTarget } from '../../workload/due.ts';
import { stillDue } from '../../workload/confirm.ts';
import type { Reference } from '../../secret-reference/reference.ts';
import { ledgerBefore, rolloutFindings } from '../../secret-reference/rollout-findings.ts';
import { secretContent } from '../../secret-reference/settle.ts';
import type { Workload } from '../workload.ts';

/** The functions that make up the rule: those of the controllers, or one of them wrong. */
export interface Rule {
  readonly secretContent: typeof secretContent;
  readonly ledgerBefore: typeof ledgerBefore;
  readonly rolloutFindings: typeof rolloutFindings;
  readonly dueTarget: typeof dueTarget;
  readonly stillDue: typeof stillDue;
  /** What a cache keeps of a workload. */
  readonly seen: (workload: Workload) => Workload;
  /** Markers are written only to a workload that is as it was seen. */
  readonly pinned: boolean;
}

export const rule: Rule = {
  secretContent,
  ledgerBefore,
  rolloutFindings,
  dueTarget,
  stillDue,
  seen: (workload) => workload,
  pinned: true,
};

type Change = (consumer: Consumer, content: string | undefined) => Consumer;

/** The rule with other entries after each look. */
function withEntries(change: (known: ReadonlySet<string>) => Change): Rule {
  return {
    ...rule,
    rolloutFindings: (scope, reference, outcome, versions, now) => {
      const found = rolloutFindings(scope, reference, outcome, versions, now);
      const content = outcome.state === 'synced' ? outcome.target.content : undefined;
      const known = new Set((reference.status.consumers ?? []).map(({ uid }) => uid));
      const one = change(known);
      return { ...found, consumers: found.consumers.map((consumer) => one(consumer, content)) };
    },
  };
}

/** A copy of a cached workload whose marker counts as ours. */
function believing(workload: Workload): Workload {
  const markers = [...workload.markers].map(([name, { value }]) => [name, { value, ours: true }] as const);
  return { ...workload, markers: new Map(markers) };
}

/** Mistakes that look harmless, and what the model says of each. */
export const wrongRules: readonly (readonly [string, Rule])[] = [
  [
    'the status is settled before the marker',
    withEntries(() => (consumer, content) => (content === undefined ? consumer : { ...consumer, content })),
  ],
  [
    'a change in flight is taken for one that is over',
    { ...rule, secretContent: (status, seen) => ({ ...secretContent(status, seen), agreed: true }) },
  ],
  [
    'there is no content before',
    { ...rule, secretContent: (status, seen) => ({ ...secretContent(status, seen), previous: '' }) },
  ],
  [
    'whoever is not known is rolled out',
    withEntries((known) => (consumer) => (known.has(consumer.uid) ? consumer : { ...consumer, content: 'unknown' })),
  ],
  [
    'a marker that differs is answered',
    {
      ...rule,
      dueTarget: (reference, workload, now) => differing(reference, workload, dueTarget(reference, workload, now)),
      stillDue: (workload, { consumer }, reference) => differing(reference, workload, undefined, consumer),
    },
  ],
  ['the ledger is not written before the Secret', { ...rule, ledgerBefore: () => undefined }],
  ['a marker of others is evidence', { ...rule, seen: believing }],
  ['a marker is written to whatever the workload is now', { ...rule, pinned: false }],
];

function differing(
  reference: Reference,
  workload: Workload,
  due: DueTarget | undefined,
  before?: Consumer,
): DueTarget | undefined {
  const content = reference.status.target?.content;
  const consumer = before ?? reference.status.consumers?.find(({ uid }) => uid === workload.metadata.uid);
  const found = [...workload.markers].find(([, { value }]) => value !== content);
  if (due !== undefined || found === undefined || content === undefined || consumer === undefined) return due;
  const { namespace } = reference.metadata;
  const target = { namespace, name: 'api-db', marker: found[0], rollout: reference.spec.rollout };
  return { reference, target, consumer, content };
}
