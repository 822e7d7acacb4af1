import { Command } from 'commander';
import { group } from '../../api/v1/names.ts';
import type { RawObject } from '../../kube/object.ts';
import type { Resource } from '../../kube/resource.ts';
import { type CliContext, type Cluster, CliError } from '../context.ts';
import { companions, thingsOf, toVerb } from '../grant/verbs.ts';
import { missingThings } from '../missing-notes.ts';
import { printListing } from '../output.ts';
import { type Readable, readable, valueOr } from '../status/readable.ts';
import {
  type BindingView,
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
  type RoleView,
  toBinding,
  toRole,
} from '../who-can/rbac.ts';
import { type Holder, holdersOf, isAmong, standsFor, subjectLabel } from '../who-can/resolve.ts';

interface Rbac {
  readonly roles: readonly RoleView[];
  readonly bindings: readonly BindingView[];
  /** What may not be listed. */
  readonly hidden: readonly string[];
}

interface Row {
  readonly subject: string;
  readonly by: readonly string[];
  readonly note: string;
}

export function whoCanCommand(context: CliContext): Command {
  return new Command('who-can')
    .description('list who may put, access or destroy a secret, or use a manager')
    .argument('<verb>', 'put, access, destroy or use')
    .argument('<secret>', 'the secret, or for use: the manager')
    .addHelpText('after', '\nExample:\n  keyferry who-can access db.password -n shop')
    .action(async (word: string, name: string) => {
      const verb = toVerb(word);
      const things = thingsOf(verb, [name]);
      const { resource, names = [''] } = things;
      const { signal, io } = context;
      const cluster = await context.cluster();
      const rbac = await readRbac(context, cluster);
      for (const note of await missingThings(cluster.client, things, cluster.namespace, signal)) io.note(note);
      const ask = (question: { readonly verb: string; readonly resource: string; readonly name: string }) =>
        holdersOf({ group, ...question }, rbac.roles, rbac.bindings);
      const able = ask({ ...companions[verb], name: '' });
      const rows = ask({ verb, resource, name: names[0] ?? '' }).map((holder) => rowOf(holder, able, companions[verb]));
      printListing(context, {
        columns: [
          { header: 'WHO', value: (row: Row) => row.subject },
          { header: 'BY', value: (row) => row.by.join('; ') },
          { header: 'NOTE', value: (row) => row.note },
        ],
        rows,
        empty: `nobody may ${verb} ${name} by the roles that you may see`,
      });
      notes(context, rbac, word === 'access');
    });
}

function rowOf(
  { subject, by }: Holder,
  able: readonly Holder[],
  besides: { readonly verb: string; readonly resource: string },
): Row {
  const everyone = standsFor(subject);
  const lacks = isAmong(subject, able)
    ? []
    : [`needs to ${besides.verb} ${besides.resource} too, which is not granted to it by name`];
  const note = [...(everyone === undefined ? [] : [`stands for ${everyone}`]), ...lacks].join('; ');
  return { subject: subjectLabel(subject), by, note };
}

function notes({ io }: CliContext, { hidden }: Rbac, access: boolean): void {
  for (const what of hidden) io.note(`note: ${what}: there may be more`);
  if (access) io.note('note: who may read Secrets or create pods there has what references write there, access or not');
  io.note('note: the group system:masters may do everything and stands in no role');
}

async function readRbac(context: CliContext, { client, namespace }: Cluster): Promise<Rbac> {
  const { signal } = context;
  const all = (resource: Resource): Promise<Readable<readonly RawObject[]>> =>
    readable(resource.plural, () => client.list(resource, {}, { signal }));
  const own = (resource: Resource): Promise<Readable<readonly RawObject[]>> =>
    readable(`${resource.plural} of namespace ${namespace}`, () => client.list(resource, { namespace }, { signal }));
  const reads = await Promise.all([all(clusterRoles), own(roles), all(clusterRoleBindings), own(roleBindings)]);
  const [anywhere, here, everywhere, bound] = reads;
  if ('hidden' in everywhere && 'hidden' in bound) {
    throw new CliError(
      `you may not list RoleBindings of namespace ${namespace} nor ClusterRoleBindings: ask an administrator, or check yourself by kubectl auth can-i`,
    );
  }
  return {
    roles: [
      ...valueOr(anywhere, []).flatMap((raw) => toRole('ClusterRole', raw)),
      ...valueOr(here, []).flatMap((raw) => toRole('Role', raw)),
    ],
    bindings: [
      ...valueOr(everywhere, []).flatMap((raw) => toBinding('ClusterRoleBinding', raw)),
      ...valueOr(bound, []).flatMap((raw) => toBinding('RoleBinding', raw)),
    ],
    hidden: reads.flatMap((read) => ('hidden' in read ? [read.hidden] : [])),
  };
}
