import { formatAge, paint, printable } from '../table.ts';
import { type WatchedNamespaces, watchedText } from '../watched.ts';
import type { Leader } from './leader.ts';
import { isDown, type ManagerTrouble, type ManagerView, troubleOf } from './manager.ts';
import { type Readable, valueOr } from './readable.ts';
import type { ReferenceView } from './reference.ts';
import {
  countVerdicts,
  judgeReference,
  type ReferenceVerdict,
  type VerdictCounts,
  verdicts,
  worstOf,
} from './verdict.ts';

/** So many references are named. */
const MOST_NAMED = 10;

/** What was read of an installation. */
export interface Observation {
  readonly leader: Readable<Leader>;
  readonly managers: Readable<readonly ManagerView[]>;
  readonly references: Readable<readonly ReferenceView[]>;
  /** Secrets that references once wrote and that are gone, each `namespace/name (reference)`. */
  readonly missingSecrets: readonly string[];
  /** Of how many Secrets it was looked at whether they are there. */
  readonly lookedAt: number;
  /** Whether the sealing key was backed up; `none` where there is no key in the cluster. */
  readonly backup: 'never' | 'none' | 'done';
}

/** What the user may not see is undefined. */
export interface StatusReport {
  readonly leader: Leader | undefined;
  readonly managers: { readonly ready: number; readonly troubles: readonly ManagerTrouble[] } | undefined;
  readonly references: VerdictCounts | undefined;
  readonly worst: readonly ReferenceVerdict[];
  readonly missingSecrets: readonly string[];
  readonly secretsLookedAt: number;
  /** Where the operator works; undefined: in all namespaces, or it is not known. */
  readonly watchNamespaces: WatchedNamespaces;
  readonly warnings: readonly string[];
  /** What the user may not see. */
  readonly hidden: readonly string[];
  /** What whoever is on call for the installation has to look at now. References that are broken are their own namespaces' concern. */
  readonly failures: readonly string[];
}

export function reportOf(observed: Observation): StatusReport {
  const managers = valueOr<readonly ManagerView[] | undefined>(observed.managers, undefined);
  const troubles = managers?.flatMap((manager) => troubleOf(manager) ?? []) ?? [];
  const judged = valueOr(observed.references, []).map(judgeReference);
  const reads = [observed.leader, observed.managers, observed.references];
  // Earlier keys may have been: a backup without the one in use does not open what is put now.
  const backup =
    'the sealing key in use was not backed up: should it be lost, what is sealed to it can not be read again. Run: keyferry keys backup --file FILE';
  return {
    leader: valueOr<Leader | undefined>(observed.leader, undefined),
    managers: managers === undefined ? undefined : { ready: managers.length - troubles.length, troubles },
    references: 'value' in observed.references ? countVerdicts(judged) : undefined,
    worst: worstOf(judged, MOST_NAMED),
    missingSecrets: observed.missingSecrets,
    secretsLookedAt: observed.lookedAt,
    watchNamespaces: managers?.flatMap(({ status }) => (status.watchNamespaces ? [status.watchNamespaces] : []))[0],
    warnings: observed.backup === 'never' ? [backup] : [],
    hidden: reads.flatMap((read) => ('hidden' in read ? [read.hidden] : [])),
    failures: failuresOf(observed),
  };
}

function failuresOf({ leader, managers, references }: Observation): readonly string[] {
  if ([leader, managers, references].every((read) => 'hidden' in read)) return ['nothing could be read'];
  const dead = 'value' in leader && !leader.value.alive;
  const down = valueOr(managers, [])
    .filter(isDown)
    .map(({ metadata }) => `ClusterSecretManager ${metadata.name}`);
  return [...(dead ? ['no operator leads'] : []), ...down.map((manager) => `${manager} is not ready`)];
}

/** The report as text for people. */
export function describeReport(report: StatusReport, now: number, colour: boolean): string {
  const lines = [
    ...leaderLines(report, colour),
    ...managerLines(report, now, colour),
    ...referenceLines(report, now, colour),
    ...podLines(report, colour),
    ...(report.watchNamespaces === undefined ? [] : [`Namespaces: ${printable(watchedText(report.watchNamespaces))}`]),
    ...report.warnings.map((warning) => `${paintIf(colour, 'Warning', 'yellow')}: ${warning}`),
    ...report.hidden.map((what) => `Not shown: ${what}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const UNKNOWN = 'unknown';

function leaderLines({ leader }: StatusReport, colour: boolean): readonly string[] {
  if (leader === undefined) return [`Operator:   ${UNKNOWN}`];
  return [`Operator:   ${leader.alive ? printable(leader.says) : paintIf(colour, leader.says, 'red')}`];
}

function managerLines({ managers }: StatusReport, now: number, colour: boolean): readonly string[] {
  if (managers === undefined) return [`Managers:   ${UNKNOWN}`];
  const { ready, troubles } = managers;
  return [
    `Managers:   ${ready} ready, ${troubles.length} not`,
    ...troubles.map(
      ({ manager, reason, message, since }) =>
        `  ${paintIf(colour, manager, 'red')}${sinceText(since, now)}: ${printable(`${reason}: ${message}`)}`,
    ),
  ];
}

function referenceLines({ references, worst }: StatusReport, now: number, colour: boolean): readonly string[] {
  if (references === undefined) return [`References: ${UNKNOWN}`];
  const counts = verdicts.map((verdict) => `${references[verdict]} ${verdict}`).join(', ');
  return [
    `References: ${counts}`,
    ...worst.map(
      ({ reference, verdict, reason, message, since }) =>
        `  ${paintIf(colour, verdict, verdict === 'broken' ? 'red' : 'yellow')} ${reference}${sinceText(since, now)}: ${printable(`${reason}: ${message}`)}`,
    ),
  ];
}

/** The question that people have when something is down. */
function podLines({ missingSecrets, secretsLookedAt, leader }: StatusReport, colour: boolean): readonly string[] {
  const down = leader !== undefined && !leader.alive;
  const kept = 'running pods are not affected: Secrets stay as they are';
  const waits = down ? '. New versions reach nobody until an operator is back' : '';
  const head = `Pods:       ${kept}${waits} (${secretsLookedAt} of the Secrets were looked for)`;
  return [
    head,
    ...missingSecrets.map((secret) => {
      const text = `Secret ${secret} is missing: pods that need it can not start`;
      return `  ${paintIf(colour, text, 'red')}`;
    }),
  ];
}

function sinceText(since: string | undefined, now: number): string {
  const at = since === undefined ? Number.NaN : Date.parse(since);
  return Number.isNaN(at) ? '' : ` since ${formatAge(now - at)}`;
}

function paintIf(colour: boolean, text: string, with_: 'red' | 'yellow'): string {
  return paint(printable(text), colour ? with_ : undefined);
}
