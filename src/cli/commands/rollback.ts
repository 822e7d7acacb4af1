import { Command } from 'commander';
import { nameOf, type SecretObject } from '../../managers/embedded/client/objects.ts';
import { putVersion } from '../../managers/embedded/client/put-version.ts';
import { nameArgument, versionArgument } from '../arguments.ts';
import { type CliContext, CliError } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { printObject } from '../output.ts';
import { openSession } from '../session.ts';

export function rollbackCommand(context: CliContext): Command {
  return new Command('rollback')
    .summary('put the value of an earlier version again')
    .description(
      'Make a new version with the value of an earlier one. The operator does it: the value is not seen here.',
    )
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .option('--to <n>', 'the version whose value comes back (default: the one before latest)', versionArgument)
    .action((name: string, options: { to?: number }) => rollback(context, name, options.to));
}

async function rollback(context: CliContext, name: string, to: number | undefined): Promise<void> {
  const { signal } = context;
  const session = await openSession(context);
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
