import { Command } from 'commander';
import { type CliContext, CliError } from '../context.ts';
import { missingNamespace } from '../missing-notes.ts';
import { printObject } from '../output.ts';
import { observe } from '../status/observe.ts';
import { describeReport, reportOf } from '../status/report.ts';

interface StatusOptions {
  readonly operatorNamespace: string;
}

const help = `
With -n: of one namespace. It asks the API server alone, so it works with the operator dead.

Exit codes: 1 where no operator leads, a ClusterSecretManager is not ready, or nothing may be read; else 0. References
that are broken are listed and do not count: any namespace can write one. A part that you may not read is unknown.`;

export function statusCommand(context: CliContext): Command {
  return new Command('status')
    .description('say whether the operator lives, which managers are down and which references are not fine')
    .option('--operator-namespace <name>', 'where the operator runs', 'keyferry')
    .addHelpText('after', help)
    .action(async (options: StatusOptions, command: Command) => {
      const { client } = await context.cluster();
      const { namespace } = command.optsWithGlobals<{ readonly namespace?: string }>();
      const { clock, signal, io } = context;
      const note = namespace === undefined ? undefined : await missingNamespace(client, namespace, signal);
      if (note !== undefined) io.note(note);
      const now = clock.now();
      const report = reportOf(
        await observe({
          client,
          namespace,
          now,
          operatorNamespace: options.operatorNamespace,
          signal,
        }),
      );
      printObject(context, report, () => describeReport(report, now, context.colour()));
      if (report.failures.length > 0) throw new CliError(report.failures.join('; '));
    });
}
