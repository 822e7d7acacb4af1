import { Command } from 'commander';
import { versionObjectName } from '../../api/v1/embedded-name.ts';
import { annotations } from '../../api/v1/names.ts';
import { secretVersions, versionedSecrets } from '../../api/v1/resources.ts';
import { findObject } from '../../kube/find-object.ts';
import { nameOf, type SecretObject } from '../../managers/embedded/client/objects.ts';
import { asking } from '../../managers/embedded/client/refusal.ts';
import { changeSecret, type SecretChange } from '../../managers/embedded/client/secrets.ts';
import { type ClientSession, clientFieldManager } from '../../managers/embedded/client/session.ts';
import { nameArgument, versionArgument } from '../arguments.ts';
import { confirm } from '../confirm.ts';
import { type CliContext, CliError } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption } from '../options.ts';
import { userText } from '../secret-text.ts';
import { openSession, type SessionChoice } from '../session.ts';

interface DeleteOptions extends SessionChoice {
  readonly version?: number;
  readonly force?: boolean;
  readonly yes?: boolean;
}

const FINAL = 'This is final: a value remains only in backups of etcd, and sealed where it is kept in git.';

export function deleteCommand(context: CliContext): Command {
  return new Command('delete')
    .summary('delete a secret, or one version, for good')
    .description(`Delete a secret with all its versions, or destroy one version. ${FINAL}`)
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .option('--version <n>', 'destroy this version only; its number never comes back', versionArgument)
    .option('--force', 'also while references use it: takes the protection off first')
    .option('--yes', 'do not ask, for scripts')
    .addOption(managerOption())
    .action((name: string, options: DeleteOptions) => remove(context, name, options));
}

async function remove(context: CliContext, name: string, options: DeleteOptions): Promise<void> {
  const instead = 'aws secretsmanager delete-secret, which can be taken back for some days';
  const session = await openSession(context, options, instead);
  const secret = await knownSecret(session, name, context.signal);
  const { version } = options;
  if (version === undefined) await removeSecret(context, session, secret, options);
  else await removeVersion(context, session, secret, version, options);
}

async function removeSecret(
  context: CliContext,
  session: ClientSession,
  secret: SecretObject,
  { force, yes }: DeleteOptions,
): Promise<void> {
  const { io, signal } = context;
  const name = nameOf(secret);
  const { usedBy = [], users = usedBy.length, versions = [] } = secret.status;
  if (users > 0 && secret.spec.deletionProtection && force !== true) {
    io.note(userText(secret).trimEnd());
    throw new CliError(
      `secret ${name} is in use, so it is not deleted: take it out of these references, or use --force`,
    );
  }
  io.note(
    `Secret ${name} in namespace ${session.namespace} is about to be deleted, with ${count(versions.length, 'version')}.`,
  );
  if (users > 0) {
    io.note(
      `What will break: ${count(users, 'reference')} can not be synced any more. Their Secrets stay as they are; what is made anew of them fails.`,
    );
    io.note(userText(secret).trimEnd());
  }
  io.note(FINAL);
  await confirm(context, name, yes);
  const free = await changeSecret(session, secret, (now) => unprotected(now, force), signal);
  const { metadata } = free;
  await asking(() => session.client.delete(versionedSecrets, metadata, { uid: metadata.uid, signal }));
  io.out(`Secret ${name} in namespace ${session.namespace} is deleted.\n`);
}

function unprotected({ spec }: SecretObject, force: boolean | undefined): SecretChange | undefined {
  return force === true && spec.deletionProtection ? { spec: { deletionProtection: false } } : undefined;
}

async function removeVersion(
  context: CliContext,
  session: ClientSession,
  secret: SecretObject,
  version: number,
  { force, yes }: DeleteOptions,
): Promise<void> {
  const { io, signal } = context;
  const { client, namespace } = session;
  const ofSecret = `${version} of secret ${nameOf(secret)}`;
  const title = `version ${ofSecret}`;
  const place = { namespace, name: versionObjectName(secret.metadata.name, version) };
  const object = await asking(() => findObject(client, secretVersions, place, { signal, metadataOnly: true }));
  if (object === undefined) throw new CliError(`there is no ${title}`);
  const holders = (secret.status.usedBy ?? []).filter((user) => user.versions.includes(version));
  const names = holders.map(({ reference }) => reference).join(', ');
  if (force !== true) refuseInUse(secret, version, title, names);
  io.note(`Version ${ofSecret} is about to be destroyed; its number never comes back.`);
  if (names !== '') io.note(`What will break: ${names} of this namespace can not get it any more.`);
  io.note(FINAL);
  await confirm(context, nameOf(secret), yes);
  const { uid } = object.metadata;
  if (force === true) {
    const body = { metadata: { ...place, uid, annotations: { [annotations.allowDelete]: 'true' } } };
    await asking(() => client.mergePatch(secretVersions, body, { fieldManager: clientFieldManager, signal }));
  }
  await asking(() => client.delete(secretVersions, place, { uid, signal }));
  io.out(`Version ${ofSecret} is destroyed.\n`);
}

function refuseInUse(secret: SecretObject, version: number, title: string, names: string): void {
  if (version === secret.status.latest) {
    throw new CliError(`${title} is latest, so it is not destroyed: put another or roll back first, or use --force`);
  }
  if (names !== '') {
    throw new CliError(
      `${title} is held by ${names}, so it is not destroyed: let them move on, disable it, or use --force`,
    );
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
