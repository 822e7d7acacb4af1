import { Command } from 'commander';
import { nameOf } from '../../managers/embedded/client/objects.ts';
import { changeSecret, type SecretChange } from '../../managers/embedded/client/secrets.ts';
import { labelArgument, nameArgument, rotateAfterArgument } from '../arguments.ts';
import { type CliContext, CliError } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption } from '../options.ts';
import { getType } from '../secret-types.ts';
import { openSession, type SessionChoice } from '../session.ts';

interface EditOptions extends SessionChoice {
  readonly description?: string;
  readonly type?: string;
  readonly label?: Readonly<Record<string, string | null>>;
  readonly rotateAfter?: string;
}

export function editCommand(context: CliContext): Command {
  return new Command('edit')
    .summary('change what a secret says of itself')
    .description('Change the description, type, labels or rotation age of a secret. An empty text takes one away.')
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .option('--description <text>', 'what it is for')
    .option('--type <name>', 'the SecretType that the next values must meet')
    .option('--label <key=value>', 'a label; key- takes it away; can be repeated', labelArgument)
    .option(
      '--rotate-after <age>',
      'age of a version after which RotationDue says so, for example 90d',
      rotateAfterArgument,
    )
    .addOption(managerOption())
    .action((name: string, options: EditOptions) => edit(context, name, options));
}

async function edit(context: CliContext, name: string, options: EditOptions): Promise<void> {
  const { io, signal } = context;
  const change = changeOf(options);
  if (change === undefined) {
    throw new CliError('say what to change: --description, --type, --label or --rotate-after', 2);
  }
  const instead = 'aws secretsmanager update-secret, or tag-resource';
  const session = await openSession(context, options, instead);
  const secret = await knownSecret(session, name, signal);
  const { type = '' } = options;
  if (type !== '') await getType(session.client, type, signal);
  const changed = await changeSecret(session, secret, () => change, signal);
  if (options.type !== undefined && options.type !== (secret.spec.type ?? '') && secret.status.latest !== undefined) {
    io.note(
      `warning: a type judges the next value that is put. Version ${secret.status.latest}, which is latest, stays as it is and may not meet it`,
    );
  }
  io.out(`Secret ${nameOf(changed)} in namespace ${changed.metadata.namespace} is changed.\n`);
}

/** What the options ask for; undefined where they ask for nothing. */
export function changeOf({ description, type, label, rotateAfter }: EditOptions): SecretChange | undefined {
  const fields = Object.entries({ description, type, rotateAfter }).filter(([, text]) => text !== undefined);
  const spec = Object.fromEntries(fields.map(([field, text]) => [field, text === '' ? null : text]));
  if (fields.length === 0 && label === undefined) return undefined;
  return { ...(fields.length > 0 && { spec }), ...(label !== undefined && { labels: label }) };
}
