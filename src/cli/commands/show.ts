import { Command } from 'commander';
import { pendingVersions } from '../../managers/embedded/client/pending.ts';
import { anyNameArgument } from '../arguments.ts';
import { inAws } from '../aws/place.ts';
import { showAws } from '../aws/show.ts';
import type { CliContext } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption, ownCredentials } from '../options.ts';
import { printObject } from '../output.ts';
import { summaryOf } from '../secret-summary.ts';
import { secretText } from '../secret-text.ts';
import { openPlace, type SessionChoice } from '../session.ts';

export function showCommand(context: CliContext): Command {
  return new Command('show')
    .summary('show everything of a secret but its values')
    .description(
      'Show a secret: its type, versions, who put them, what uses them, and what was refused. Never a value.',
    )
    .argument('<name>', 'name of the secret, in any case', anyNameArgument)
    .addOption(managerOption())
    .addHelpText('after', ownCredentials.trimStart())
    .action((name: string, options: SessionChoice) => show(context, name, options));
}

async function show(context: CliContext, name: string, options: SessionChoice): Promise<void> {
  const { clock, signal } = context;
  const place = await openPlace(context, options, name);
  if (place.kind === 'aws') return inAws(place.aws, (aws) => showAws(context, aws, name));
  const { session } = place;
  const secret = await knownSecret(session, name, signal);
  const pending = await pendingVersions(session, secret, signal);
  const { audit: _audit, ...status } = secret.status;
  const waiting = pending.map(({ spec, status }) => ({ version: spec.version, createdBy: spec.createdBy, ...status }));
  const data = { ...summaryOf(secret), spec: secret.spec, status: { ...status, pending: waiting } };
  printObject(context, data, () => secretText(secret, pending, clock.now()));
}
