import { Command } from 'commander';
import { stringify } from 'yaml';
import { isForbidden } from '../../kube/errors.ts';
import { findObject } from '../../kube/find-object.ts';
import { apiVersion, type Resource } from '../../kube/resource.ts';
import type { KubeBody } from '../../kube/client.ts';
import { type CliContext, CliError, type Cluster } from '../context.ts';
import { type Grant, grantOf, type Receivers, subjectsOf } from '../grant/manifests.ts';
import { thingsOf, toVerb, type Verb } from '../grant/verbs.ts';
import { missingThings } from '../missing-notes.ts';
import { collect } from '../options.ts';
import { roleBindings, roles } from '../who-can/rbac.ts';
import { standsFor, subjectLabel } from '../who-can/resolve.ts';

interface GrantOptions extends Receivers {
  readonly dryRun?: true;
  readonly revoke?: true;
}

const examples = `
Examples:
  keyferry grant put db.password --to ann
  keyferry grant access db.password api.key --to-group shop-oncall
  keyferry grant put api.key --to-serviceaccount flux-system/kustomize-controller -n shop
  keyferry grant use default --to-group shop-developers
  keyferry grant put db.password --to ann --revoke`;

export function grantCommand(context: CliContext): Command {
  return new Command('grant')
    .description('let somebody put, access or destroy secrets, or use a manager (makes a Role and a RoleBinding)')
    .argument('<verb>', 'put (new versions), access (reveal), destroy (delete) or use (a manager, in references)')
    .argument('<secret...>', 'secrets, or for use: managers. "*" is all of them')
    .option('--to <user>', 'a user; can be repeated', collect)
    .option('--to-group <group>', 'a group; can be repeated', collect)
    .option('--to-serviceaccount <namespace/name>', 'a service account; can be repeated', collect)
    .option('--dry-run', 'print the manifests instead')
    .option('--revoke', 'take back what the same command without --revoke granted')
    .addHelpText('after', examples)
    .action(async (word: string, given: readonly string[], options: GrantOptions) => {
      const verb = toVerb(word);
      const cluster = await context.cluster();
      const { namespace } = cluster;
      const things = thingsOf(verb, given);
      const subjects = subjectsOf(options, namespace);
      const grant = grantOf({ verb, things, subjects, namespace });
      if (options.dryRun === true) return context.io.out(manifests(grant));
      const who = subjects.map(subjectLabel).join(', ');
      const what = `${verb} ${given.join(', ')} in namespace ${namespace}`;
      if (options.revoke === true) {
        await revoke(context, cluster, grant);
        return context.io.note(`${who} got ${what} by Role ${grant.name}: it is taken back. Check: keyferry who-can`);
      }
      const missing = await missingThings(cluster.client, things, namespace, context.signal);
      await apply(context, cluster, verb, grant);
      context.io.note(`${who} may ${what} (Role ${grant.name})`);
      for (const note of missing) context.io.note(note);
      for (const subject of subjects) {
        const everyone = standsFor(subject);
        if (everyone !== undefined) context.io.note(`note: ${subjectLabel(subject)} stands for ${everyone}`);
      }
    });
}

function manifests({ role, binding }: Grant): string {
  const documents = [withKind(roles, role), withKind(roleBindings, binding)];
  return documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join('---\n');
}

function withKind(resource: Resource, body: KubeBody): object {
  return { apiVersion: apiVersion(resource), kind: resource.kind, ...body };
}

async function apply(
  { signal }: CliContext,
  { client, namespace }: Cluster,
  verb: Verb,
  { role, binding }: Grant,
): Promise<void> {
  const options = { signal, fieldManager: 'keyferry-cli', force: true };
  try {
    await client.apply(roles, role, options);
    await client.apply(roleBindings, binding, options);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new CliError(
      `you may not grant ${verb} in namespace ${namespace}: it takes the right to write Roles and RoleBindings there, and you can give only what you have yourself. Ask an administrator, with the manifests of --dry-run`,
    );
  }
}

/** The binding first: a Role that nobody is bound to grants nothing. */
async function revoke({ signal }: CliContext, { client, namespace }: Cluster, { name }: Grant): Promise<void> {
  const where = { namespace, name };
  const binding = await findObject(client, roleBindings, where, { signal });
  const role = await findObject(client, roles, where, { signal });
  if (binding === undefined && role === undefined) {
    throw new CliError(
      `nothing was granted by exactly this command in namespace ${namespace} (there is no Role ${name}): name the same secrets and receivers, or see keyferry who-can`,
    );
  }
  if (binding !== undefined) await client.delete(roleBindings, where, { signal, uid: binding.metadata.uid });
  if (role !== undefined) await client.delete(roles, where, { signal, uid: role.metadata.uid });
}
