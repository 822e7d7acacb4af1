import { Command } from 'commander';
import { type CliContext, CliError } from '../context.ts';
import { explain } from '../explain/explain.ts';
import type { Step } from '../explain/facts.ts';
import { readFacts } from '../explain/read-facts.ts';
import { printObject } from '../output.ts';
import { getReference } from '../status/find-reference.ts';
import { type Colour, paint, printable } from '../table.ts';

export function explainCommand(context: CliContext): Command {
  return new Command('explain')
    .description('walk the way of one reference, from its manager to its pods, and name the step that fails')
    .argument('<name>', 'the SecretReference')
    .action(async (name: string) => {
      const { client } = await context.cluster();
      const steps = explain(await readFacts(client, await getReference(context, name), context.signal));
      printObject(context, steps, () => describeSteps(steps, context.colour()));
      const wrong = steps.find(({ result }) => result === 'failed');
      if (wrong !== undefined) throw new CliError(`it fails at the step ${wrong.step}`);
    });
}

const words = {
  ok: ['ok', 'green'],
  failed: ['FAILED', 'red'],
  unknown: ['unknown', 'yellow'],
} as const satisfies Record<Step['result'], readonly [string, Colour]>;

function describeSteps(steps: readonly Step[], colour: boolean): string {
  return steps
    .flatMap(({ step, result, says, fix }) => {
      const [word, shade] = words[result];
      const line = `${step.padEnd(10)} ${paint(word.padEnd(8), colour ? shade : undefined)} ${printable(says)}\n`;
      return fix === undefined ? [line] : [line, `${' '.repeat(20)}-> ${printable(fix)}\n`];
    })
    .join('');
}
