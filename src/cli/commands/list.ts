import { Command } from 'commander';
import { listSecrets } from '../../managers/embedded/client/secrets.ts';
import { ageArgument } from '../arguments.ts';
import { inAws } from '../aws/place.ts';
import { listAws } from '../aws/show.ts';
import { type CliContext, CliError } from '../context.ts';
import { missingNamespace } from '../missing-notes.ts';
import { managerOption, ownCredentials } from '../options.ts';
import { printListing } from '../output.ts';
import { type SecretSummary, summaryOf } from '../secret-summary.ts';
import { openPlace, type SessionChoice } from '../session.ts';
import { type Column, formatAge } from '../table.ts';

interface ListOptions extends SessionChoice {
  readonly allNamespaces?: boolean;
  readonly unused?: boolean;
  /** Milliseconds. */
  readonly olderThan?: number;
}

export function listCommand(context: CliContext): Command {
  return new Command('list')
    .alias('ls')
    .summary('list secrets, never their values')
    .description(
      'List the secrets of a namespace: type, latest version, when and by whom it was put, how many references use it.',
    )
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--unused', 'only those that no reference uses')
    .option('--older-than <age>', 'only those whose latest version is older, for example 90d', ageArgument)
    .addOption(managerOption())
    .addHelpText('after', ownCredentials.trimStart())
    .action((options: ListOptions) => list(context, options));
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const { clock, signal } = context;
  const place = await openPlace(context, options);
  const everywhere = options.allNamespaces === true;
  if (place.kind === 'aws') {
    if (everywhere)
      throw new CliError('-A is for secrets that are kept in the cluster: those in AWS are in no namespace', 2);
    const columns = listColumns(false, clock.now());
    const wanted = (summary: SecretSummary): boolean => isWanted(summary, options, clock.now());
    return inAws(place.aws, (aws) => listAws(context, aws, { columns, isWanted: wanted }));
  }
  const { session } = place;
  const found = await listSecrets(session, everywhere ? '' : session.namespace, signal);
  const rows = found.map(summaryOf).filter((summary) => isWanted(summary, options, clock.now()));
  const where = everywhere ? 'in any namespace' : `in namespace ${session.namespace}`;
  const which = options.unused === true || options.olderThan !== undefined ? 'such secret' : 'secret';
  if (found.length === 0 && !everywhere) {
    const note = await missingNamespace(session.client, session.namespace, signal);
    if (note !== undefined) context.io.note(note);
  }
  printListing(context, {
    columns: listColumns(everywhere, clock.now()),
    rows,
    empty: `There is no ${which} ${where}.`,
  });
}

export function isWanted(summary: SecretSummary, { unused, olderThan }: ListOptions, now: number): boolean {
  if (unused === true && summary.users > 0) return false;
  if (olderThan === undefined) return true;
  const time = Date.parse(summary.updated ?? summary.created ?? '');
  return now - time > olderThan;
}

export function listColumns(everywhere: boolean, now: number): readonly Column<SecretSummary>[] {
  const age = (time: string | undefined): string => (time === undefined ? '' : formatAge(now - Date.parse(time)));
  const namespace: Column<SecretSummary> = { header: 'NAMESPACE', value: (row) => row.namespace };
  return [
    ...(everywhere ? [namespace] : []),
    { header: 'NAME', value: (row) => row.name },
    { header: 'TYPE', value: (row) => row.type ?? '' },
    { header: 'LATEST', value: (row) => String(row.latest ?? '') },
    { header: 'UPDATED', value: (row) => age(row.updated) },
    { header: 'CREATED-BY', value: (row) => row.createdBy ?? '' },
    { header: 'USED-BY', value: (row) => String(row.users) },
    {
      header: 'STATUS',
      value: (row) => row.status,
      colour: (row) => (row.status === 'Available' ? 'green' : 'yellow'),
    },
    { header: 'OBJECT', value: (row) => row.object, wide: true },
    { header: 'LABELS', value: (row) => labelText(row.labels), wide: true },
    { header: 'DESCRIPTION', value: (row) => row.description ?? '', wide: true },
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
