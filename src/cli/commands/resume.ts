import { Command } from 'commander';
import { suspensionOf } from '../../api/v1/suspension.ts';
import type { CliContext } from '../context.ts';
import { getReference } from '../status/find-reference.ts';
import { referenceLabel } from '../status/reference.ts';
import { resume } from '../status/suspend.ts';

export function resumeCommand(context: CliContext): Command {
  return new Command('resume')
    .description('go on with a reference that is suspended')
    .argument('<name>', 'the SecretReference')
    .action(async (name: string) => {
      const view = await getReference(context, name);
      const label = `SecretReference ${referenceLabel(view)}`;
      if (suspensionOf(view, context.clock.now()) === undefined) return context.io.note(`${label} is not suspended`);
      await resume((await context.cluster()).client, view, context.signal);
      context.io.note(`${label} is resumed: what has changed meanwhile is read and rolled out now`);
    });
}
