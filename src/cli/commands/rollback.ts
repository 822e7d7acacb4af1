import { Command } from 'commander';
import { nameOf, type SecretObject } from '../../managers/embedded/client/objects.ts';
import { putVersion } from '../../managers/embedded/client/put-version.ts';
import { nameArgument, versionArgument } from '../arguments.ts';
import { type CliContext, CliError } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption } from '../options.ts';
import { printObject } from '../output.ts';
import { openSession, type SessionChoice } from '../session.ts';

interface RollbackOptions extends SessionChoice {
  readonly to?: number;
}

export function rollbackCommand(context: CliContext): Command {
  return new Command('rollback')
    .summary('put the value of an earlier version again')
    .description(
      'Make a new version with the value of an earlier one. The operator does it: the value is not seen here.',
    )
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .option('--to <n>', 'the version whose value comes back (default: the one before latest)', versionArgument)
    .addOption(managerOption())
    .action((name: string, options: RollbackOptions) => rollback(context, name, options));
}

async function rollback(context: CliContext, name: string, options: RollbackOptions): Promise<void> {
  const { to } = options;
  const { signal } = context;
  const instead = 'put the old value again, or move AWSCURRENT back by aws secretsmanager update-secret-version-stage';
  const session = await openSession(context, options, instead);
  const secret = await knownSecret(session, name, signal);
  const from = to ?? secret.status.previous;
  checkSource(secret, from);
  const { version } = await putVersion(session, secret, { from }, signal);
  const title = nameOf(secret);
  const data = { namespace: secret.metadata.namespace, secret: title, version, from };
  printObject(
    context,
    data,
    () => `Version ${version} of secret ${title} is latest. It has the value of version ${from}.\n`,
  );
}

function checkSource(secret: SecretObject, from: number | undefined): asserts from is number {
  const name = nameOf(secret);
  const { latest, versions = [] } = secret.status;
  if (from === undefined) throw new CliError(`secret ${name} has no version before latest to go back to`);
  const stored = versions.find(({ version }) => version === from);
  if (stored === undefined) {
    const known = versions.map(({ version }) => version).join(', ') || 'none';
    throw new CliError(`secret ${name} has no version ${from}: it has ${known}`);
  }
  if (stored.state === 'Disabled') throw new CliError(`version ${from} of secret ${name} is disabled: enable it first`);
  if (from === latest) throw new CliError(`version ${from} of secret ${name} is latest already: nothing was put`);
}
