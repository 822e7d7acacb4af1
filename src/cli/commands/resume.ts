import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { getReference } from '../status/find-reference.ts';
import { referenceLabel } from '../status/reference.ts';
import { setSuspended } from '../status/suspend.ts';

export function resumeCommand(context: CliContext): Command {
  return new Command('resume')
    .description('go on with a reference that is suspended')
    .argument('<name>', 'the SecretReference')
    .action(async (name: string) => {
      const view = await getReference(context, name);
      const label = `SecretReference ${referenceLabel(view)}`;
      if (!view.spec.suspend) return context.io.note(`${label} is not suspended`);
      await setSuspended((await context.cluster()).client, view, false, context.signal);
      context.io.note(`${label} is resumed: what has changed meanwhile is read and rolled out now`);
    });
}
