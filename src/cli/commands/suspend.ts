import { Command } from 'commander';
import { suspensionOf } from '../../api/v1/suspension.ts';
import { type CliContext, CliError } from '../context.ts';
import { durationOption } from '../options.ts';
import { getReference } from '../status/find-reference.ts';
import { referenceLabel } from '../status/reference.ts';
import { suspend, suspendUntil } from '../status/suspend.ts';

export function suspendCommand(context: CliContext): Command {
  return new Command('suspend')
    .description('stop reading, writing and repairing the Secret of a reference, and rolling out its consumers')
    .argument('<name>', 'the SecretReference')
    .option('--for <time>', 'go on by itself after this time; the spec stays as it is', durationOption)
    .action(async (name: string, options: { readonly for?: number }) => {
      const { client } = await context.cluster();
      const view = await getReference(context, name);
      const label = `SecretReference ${referenceLabel(view)}`;
      if (options.for === undefined) {
        await suspend(client, view, context.signal);
        context.io.note(`${label} is suspended: its Secret and its pods stay as they are`);
        return context.io.note(`to go on: keyferry resume ${name}`);
      }
      const now = context.clock.now();
      if (view.spec.suspend) {
        throw new CliError(
          `${label} is suspended already, and without an end: ${suspensionOf(view, now)?.message ?? ''}`,
        );
      }
      const until = now + options.for;
      await suspendUntil(client, view, until, context.signal);
      context.io.note(
        `${label} is suspended until ${new Date(until).toISOString()}: its Secret and its pods stay as they are`,
      );
      context.io.note(`to go on before: keyferry resume ${name}`);
    });
}
