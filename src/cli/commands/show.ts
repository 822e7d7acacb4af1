import { Command } from 'commander';
import { pendingVersions } from '../../managers/embedded/client/pending.ts';
import { nameArgument } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { printObject } from '../output.ts';
import { summaryOf } from '../secret-summary.ts';
import { secretText } from '../secret-text.ts';
import { openSession } from '../session.ts';

export function showCommand(context: CliContext): Command {
  return new Command('show')
    .summary('show everything of a secret but its values')
    .description(
      'Show a secret: its type, versions, who put them, what uses them, and what was refused. Never a value.',
    )
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .action((name: string) => show(context, name));
}

async function show(context: CliContext, name: string): Promise<void> {
  const { clock, signal } = context;
  const session = await openSession(context);
  const secret = await knownSecret(session, name, signal);
  const pending = await pendingVersions(session, secret, signal);
  const { audit: _audit, ...status } = secret.status;
  const waiting = pending.map(({ spec, status }) => ({ version: spec.version, createdBy: spec.createdBy, ...status }));
  const data = { ...summaryOf(secret), spec: secret.spec, status: { ...status, pending: waiting } };
  printObject(context, data, () => secretText(secret, pending, clock.now()));
}
