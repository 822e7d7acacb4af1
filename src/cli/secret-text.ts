import { conditionOf } from '../api/v1/conditions.ts';
import type { Rejection, SecretUser, StoredVersion } from '../api/v1/versioned-secret.ts';
import { nameOf, type SecretObject, type VersionObject } from '../managers/embedded/client/objects.ts';
import { stateOf } from './secret-summary.ts';
import { type Column, formatAge, printable, renderTable } from './table.ts';

/** Everything of a secret but its values, for people. */
export function secretText(secret: SecretObject, pending: readonly VersionObject[], now: number): string {
  return [facts(secret), versionTable(secret, now), pendingTable(pending), userText(secret), rejectedTable(secret, now)]
    .filter((part) => part !== '')
    .join('\n');
}

function facts(secret: SecretObject): string {
  const { metadata, spec } = secret;
  const labels = Object.entries(metadata.labels).map((label) => label.join('='));
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['Name', nameOf(secret)],
    ['Namespace', metadata.namespace],
    ['Object', metadata.name],
    ['Type', spec.type],
    ['Description', spec.description],
    ['Labels', labels.length === 0 ? undefined : labels.join(', ')],
    ['Protected', spec.deletionProtection ? 'yes: not deleted while references use it' : 'no'],
    ['Write-only', spec.writeOnly ? 'yes: only references get the value' : undefined],
    ['Sealing', spec.sealing === 'Portable' ? 'Portable: works in every cluster that has the key' : undefined],
    ['Rotate after', spec.rotateAfter],
    ...statusFacts(secret),
  ];
  return lines
    .flatMap(([name, text]) => (text === undefined ? [] : [`${`${name}:`.padEnd(14)}${printable(text)}\n`]))
    .join('');
}

function statusFacts(secret: SecretObject): readonly (readonly [string, string | undefined])[] {
  const { gone = '' } = secret.status;
  const ready = conditionOf(secret.status, 'Ready');
  const due = conditionOf(secret.status, 'RotationDue');
  const trouble = ready?.message ?? 'the operator has not looked at it yet';
  return [
    ['Status', ready?.status === 'True' ? stateOf(secret) : `${stateOf(secret)}: ${trouble}`],
    ['Rotation', due?.status === 'True' ? due.message : undefined],
    ['Gone', gone === '' ? undefined : `${gone} (numbers that never come back)`],
  ];
}

function versionTable(secret: SecretObject, now: number): string {
  const { latest, previous, versions = [] } = secret.status;
  if (versions.length === 0) return `There is no version yet: keyferry put fills it.\n`;
  const stage = (version: number): string => (version === latest ? 'latest' : version === previous ? 'previous' : '');
  const columns: readonly Column<StoredVersion>[] = [
    { header: 'VERSION', value: ({ version }) => String(version) },
    { header: 'STATE', value: ({ state }) => state },
    { header: 'STAGE', value: ({ version }) => stage(version) },
    { header: 'AGE', value: ({ createdAt }) => formatAge(now - Date.parse(createdAt)) },
    { header: 'CREATED-BY', value: ({ createdBy }) => createdBy ?? '' },
    { header: 'REPEATS', value: ({ from }) => String(from ?? '') },
  ];
  return renderTable(columns, versions);
}

function pendingTable(pending: readonly VersionObject[]): string {
  if (pending.length === 0) return '';
  const columns: readonly Column<VersionObject>[] = [
    { header: 'NOT YET ACCEPTED', value: ({ spec }) => String(spec.version) },
    { header: 'REASON', value: ({ status }) => status.reason ?? '' },
    { header: 'MESSAGE', value: ({ status }) => status.message ?? 'the operator has not looked at it yet' },
  ];
  return renderTable(columns, pending);
}

const userColumns: readonly Column<SecretUser>[] = [
  { header: 'USED BY', value: ({ reference }) => reference },
  { header: 'HOLDS', value: ({ versions }) => versions.join(', ') },
  { header: 'ASKS FOR', value: ({ pinned }) => (pinned ? 'this version' : 'latest') },
  { header: 'WORKLOADS', value: ({ consumers }) => consumers.join(', ') },
];

/** Which references use a secret, those of other namespaces as a number. */
export function userText({ status }: SecretObject): string {
  const { usedBy = [], users = usedBy.length } = status;
  const elsewhere = users - usedBy.length;
  const rest = elsewhere > 0 ? `and ${elsewhere} more, of this or other namespaces\n` : '';
  if (usedBy.length === 0)
    return elsewhere > 0 ? `Used by ${elsewhere} references of other namespaces.\n` : 'No reference uses it.\n';
  return renderTable(userColumns, usedBy) + rest;
}

function rejectedTable({ status }: SecretObject, now: number): string {
  const { rejected = [] } = status;
  if (rejected.length === 0) return '';
  const columns: readonly Column<Rejection>[] = [
    { header: 'REFUSED', value: ({ version }) => String(version) },
    { header: 'AGE', value: ({ time }) => formatAge(now - Date.parse(time)) },
    { header: 'BY', value: ({ createdBy }) => createdBy ?? '' },
    { header: 'REASON', value: ({ reason }) => reason },
    { header: 'MESSAGE', value: ({ message }) => message },
  ];
  return renderTable(columns, rejected);
}
