import type { AwsSecretDetails } from '../../managers/aws/listing.ts';
import type { VersionSummary } from '../../managers/manager.ts';
import type { CliContext } from '../context.ts';
import { printListing, printObject } from '../output.ts';
import type { SecretSummary } from '../secret-summary.ts';
import { type Column, formatAge, printable, renderTable } from '../table.ts';
import type { AwsPlace } from './place.ts';
import { type AwsUser, type AwsUsers, awsUsers } from './users.ts';

/** `keyferry list --manager aws/NAME`: the secrets whose names begin with the manager's prefix. */
export async function listAws(
  context: CliContext,
  place: AwsPlace,
  options: {
    readonly columns: readonly Column<SecretSummary>[];
    readonly isWanted: (summary: SecretSummary) => boolean;
  },
): Promise<void> {
  const { signal } = context;
  const { namespace } = await context.cluster();
  const query = { prefix: place.names.prefix('', namespace), tags: new Map<string, string>() };
  const found = await place.aws.details(query, signal);
  const users = await awsUsers(context, place);
  const rows = found
    .map((secret) => summaryOf(place, secret, users))
    .filter(options.isWanted)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  printListing(context, { columns: options.columns, rows, empty: `There is no such secret in ${place.title}.` });
  if (users.hidden !== undefined) context.io.note(`${users.hidden}: users in other namespaces are not counted`);
}

function summaryOf(place: AwsPlace, secret: AwsSecretDetails, users: AwsUsers): SecretSummary {
  return {
    // It is in none.
    namespace: '',
    name: place.names.short(secret),
    object: secret.arn,
    type: undefined,
    latest: secret.latest,
    updated: secret.changed?.toISOString(),
    createdBy: secret.owner,
    users: users.of(secret.secret).length,
    status: secret.latest === undefined ? 'NoVersion' : 'Available',
    description: secret.description,
    labels: Object.fromEntries(secret.tags),
    created: secret.created?.toISOString(),
  };
}

/** `keyferry show NAME --manager aws/NAME`. */
export async function showAws(context: CliContext, place: AwsPlace, name: string): Promise<void> {
  const { signal, clock, io } = context;
  const { namespace } = await context.cluster();
  const full = place.names.full(name, namespace);
  const [secret, versions] = [await place.aws.detail(full, signal), await place.aws.versions(full, signal)];
  const users = await awsUsers(context, place);
  const summary = summaryOf(place, secret, users);
  const usedBy = users.of(full);
  const stored = versions.map(({ version, stages, createdAt }) => ({
    version,
    stages,
    createdAt: createdAt?.toISOString(),
  }));
  const data = { ...summary, status: { latest: secret.latest, versions: stored, usedBy } };
  printObject(context, data, () =>
    [facts(place, secret, summary), versionTable(versions, clock.now()), userTable(usedBy)].join('\n'),
  );
  if (users.hidden !== undefined) io.note(`${users.hidden}: users in other namespaces are not shown`);
}

function facts(place: AwsPlace, secret: AwsSecretDetails, { name, labels, status }: SecretSummary): string {
  const tags = Object.entries(labels).map((label) => label.join('='));
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['Name', name],
    ['Manager', place.title],
    ['In AWS', secret.secret],
    ['Object', secret.arn],
    ['Description', secret.description],
    ['Labels', tags.length === 0 ? undefined : tags.join(', ')],
    ['KMS key', secret.kmsKey],
    ['Managed by', secret.owner],
    ['Status', status],
  ];
  return lines
    .flatMap(([title, text]) => (text === undefined ? [] : [`${`${title}:`.padEnd(14)}${printable(text)}\n`]))
    .join('');
}

function versionTable(versions: readonly VersionSummary[], now: number): string {
  if (versions.length === 0) return 'There is no version yet: keyferry put fills it.\n';
  const columns: readonly Column<VersionSummary>[] = [
    { header: 'VERSION', value: ({ version }) => version },
    { header: 'STAGE', value: ({ stages }) => stages.join(', ') },
    { header: 'AGE', value: ({ createdAt }) => (createdAt === undefined ? '' : formatAge(now - createdAt.getTime())) },
  ];
  return renderTable(columns, versions);
}

const userColumns: readonly Column<AwsUser>[] = [
  { header: 'USED BY', value: ({ reference }) => reference },
  { header: 'HOLDS', value: ({ versions }) => versions.join(', ') },
  { header: 'ASKS FOR', value: ({ pinned }) => (pinned ? 'this version' : 'latest') },
  { header: 'WORKLOADS', value: ({ consumers }) => consumers.join(', ') },
];

function userTable(users: readonly AwsUser[]): string {
  return users.length === 0 ? 'No reference that can be seen uses it.\n' : renderTable(userColumns, users);
}
