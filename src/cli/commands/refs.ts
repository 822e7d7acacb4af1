import { Command } from 'commander';
import { type CliContext, CliError } from '../context.ts';
import { printListing, printObject } from '../output.ts';
import { describeConsumer, runsOf } from '../status/consumer.ts';
import { getReference } from '../status/find-reference.ts';
import { listReferences } from '../status/observe.ts';
import { presentReady, type ReferenceView, targetOf } from '../status/reference.ts';
import { judgeReference, type Verdict } from '../status/verdict.ts';
import { type Colour, type Column, printable, renderTable } from '../table.ts';

interface RefsOptions {
  readonly allNamespaces?: boolean;
}

export function refsCommand(context: CliContext): Command {
  return new Command('refs')
    .description('list references: the versions they hold, their Secrets, and what each consumer runs')
    .argument('[name]', 'one SecretReference, with all that is known of it')
    .option('-A, --all-namespaces', 'of all namespaces')
    .action(async (name: string | undefined, { allNamespaces = false }: RefsOptions) => {
      if (name !== undefined && allNamespaces) throw new CliError('a name is of one namespace: leave out -A', 2);
      if (name !== undefined) return showReference(context, await getReference(context, name));
      const { client, namespace } = await context.cluster();
      const read = await listReferences(client, allNamespaces ? undefined : namespace, context.signal);
      if ('hidden' in read) throw new CliError(read.hidden);
      const columns = allNamespaces ? [namespaceColumn, ...referenceColumns] : referenceColumns;
      const where = allNamespaces ? 'any namespace' : `namespace ${namespace}`;
      const empty = `there are no SecretReferences in ${where}`;
      printListing(context, { columns, rows: read.value, data: read.value.map(dataOf), empty });
    });
}

const colours = {
  broken: 'red',
  stale: 'yellow',
  waiting: 'yellow',
  suspended: 'dim',
  fine: 'green',
} as const satisfies Record<Verdict, Colour>;

const namespaceColumn: Column<ReferenceView> = { header: 'NAMESPACE', value: ({ metadata }) => metadata.namespace };

const referenceColumns: readonly Column<ReferenceView>[] = [
  { header: 'NAME', value: ({ metadata }) => metadata.name },
  {
    header: 'STATE',
    value: (view) => `${judgeReference(view).verdict} (${judgeReference(view).reason})`,
    colour: (view) => colours[judgeReference(view).verdict],
  },
  { header: 'VERSIONS', value: ({ status }) => status.summary ?? '' },
  { header: 'SECRET', value: targetOf },
  { header: 'CONSUMERS', value: ({ status }) => (status.consumers ?? []).map(describeConsumer).join(', ') },
  { header: 'MANAGER', wide: true, value: ({ spec }) => `${spec.managerRef.kind}/${spec.managerRef.name}` },
  { header: 'CHANGED', wide: true, value: ({ status }) => status.lastChangeTime ?? '' },
];

function dataOf(view: ReferenceView): object {
  const { metadata, spec, status } = view;
  const { name, namespace } = metadata;
  return {
    name,
    namespace,
    ...judgeReference(view),
    target: targetOf(view),
    suspend: spec.suspend,
    ...statusOf(status),
  };
}

function statusOf({ versions = [], consumers = [], summary, lastChangeTime }: ReferenceView['status']): object {
  return { summary, versions, consumers, lastChangeTime };
}

function showReference(context: CliContext, view: ReferenceView): void {
  printObject(context, dataOf(view), () => describeReference(view, context.colour()));
}

/** All that is known of one reference, for people. */
function describeReference(view: ReferenceView, colour: boolean): string {
  const { metadata, status, spec } = view;
  const ready = presentReady(view);
  const { verdict, reason, message } = judgeReference(view);
  const head = [
    `Reference: ${metadata.namespace}/${metadata.name}`,
    `State:     ${verdict} (${reason}): ${message}`,
    ...(ready === undefined || ready.message === message ? [] : [`Ready:     ${ready.reason}: ${ready.message}`]),
    `Manager:   ${spec.managerRef.kind}/${spec.managerRef.name}`,
    `Secret:    ${targetOf(view)}${status.target === undefined ? ' (not written yet)' : ''}`,
    `Changed:   ${status.lastChangeTime ?? '-'}`,
  ];
  const versions = renderTable(
    [
      { header: 'SECRET', value: (held) => held.secret },
      { header: 'REQUESTED', value: (held) => held.requested },
      { header: 'VERSION', value: (held) => held.version },
      { header: 'KEYS', value: (held) => held.keys.join(', ') },
      { header: 'SINCE', value: (held) => held.since },
    ],
    status.versions ?? [],
    { colour },
  );
  const consumers = renderTable(
    [
      { header: 'CONSUMER', value: (one) => `${one.kind}/${one.name}` },
      { header: 'USES', value: (one) => one.uses.join(', ') },
      { header: 'STATE', value: (one) => one.state },
      { header: 'RUNS', value: runsOf },
      { header: 'MESSAGE', value: (one) => one.message ?? '' },
    ],
    status.consumers ?? [],
    { colour },
  );
  const none = 'nothing uses the Secret, as far as is known\n';
  const used = (status.consumers ?? []).length === 0 ? none : consumers;
  return `${head.map(printable).join('\n')}\n\n${(status.versions ?? []).length === 0 ? 'it holds nothing yet\n' : versions}\n${used}`;
}
