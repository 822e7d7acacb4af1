import { Command } from 'commander';
import type { AuditRecord } from '../../api/v1/versioned-secret.ts';
import { nameOf } from '../../managers/embedded/client/objects.ts';
import { nameArgument } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption } from '../options.ts';
import { printListing } from '../output.ts';
import { openSession, type SessionChoice } from '../session.ts';
import type { Column } from '../table.ts';

export function auditCommand(context: CliContext): Command {
  return new Command('audit')
    .summary('show what was last done with a secret, and by whom')
    .description("Show the last things that were done with a secret. All of them are in the operator's audit log.")
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .addOption(managerOption())
    .action((name: string, options: SessionChoice) => audit(context, name, options));
}

const columns: readonly Column<AuditRecord>[] = [
  { header: 'TIME', value: ({ time }) => time },
  { header: 'ACTION', value: ({ action }) => action },
  { header: 'VERSION', value: ({ version }) => String(version ?? '') },
  { header: 'USER', value: ({ user }) => user },
  { header: 'FOR', value: (record) => record.for ?? '' },
  {
    header: 'RESULT',
    value: ({ result }) => result,
    colour: ({ result }) => (result === 'Allowed' ? undefined : 'red'),
  },
  { header: 'REASON', value: ({ reason }) => reason ?? '' },
];

async function audit(context: CliContext, name: string, options: SessionChoice): Promise<void> {
  const instead = 'CloudTrail has it, by aws cloudtrail lookup-events';
  const session = await openSession(context, options, instead);
  const secret = await knownSecret(session, name, context.signal);
  const rows = secret.status.audit ?? [];
  printListing(context, { columns, rows, empty: `Nothing is noted of secret ${nameOf(secret)} yet.` });
}
