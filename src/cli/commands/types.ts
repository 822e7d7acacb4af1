import { Command } from 'commander';
import { asking } from '../../managers/embedded/client/refusal.ts';
import type { CliContext } from '../context.ts';
import { printListing, printObject } from '../output.ts';
import { type Field, fieldsOf, getType, type KnownType, listTypes, rulesOf } from '../secret-types.ts';
import { type Column, printable, renderTable } from '../table.ts';

export function typesCommand(context: CliContext): Command {
  return new Command('types')
    .summary('list the types of secrets, or show one as a form')
    .description('List the SecretTypes of the cluster, or show what the values of one must look like.')
    .argument('[name]', 'name of a SecretType')
    .action((name: string | undefined) => (name === undefined ? list(context) : show(context, name)));
}

const columns: readonly Column<KnownType>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'DISPLAY-NAME', value: ({ spec }) => spec.displayName ?? '' },
  { header: 'SECRET-TYPE', value: ({ spec }) => spec.secretType },
  {
    header: 'FIELDS',
    value: ({ spec }) =>
      fieldsOf(spec.schema)
        .map(({ path }) => path.join('.'))
        .join(', '),
  },
  { header: 'DESCRIPTION', value: ({ spec }) => spec.description ?? '', wide: true },
];

async function list(context: CliContext): Promise<void> {
  const { client } = await context.cluster();
  const rows = await asking(() => listTypes(client, context.signal));
  printListing(context, { columns, rows, empty: 'There is no SecretType in this cluster.' });
}

async function show(context: CliContext, name: string): Promise<void> {
  const { client } = await context.cluster();
  const type = await asking(() => getType(client, name, context.signal));
  printObject(context, type, () => formText(type));
}

const fieldColumns: readonly Column<Field>[] = [
  { header: 'FIELD', value: ({ path }) => path.join('.') },
  { header: 'TYPE', value: ({ schema }) => schema.type },
  { header: 'REQUIRED', value: ({ required }) => (required ? 'yes' : 'no') },
  { header: 'RULES', value: ({ schema }) => rulesOf(schema) },
  { header: 'WHAT', value: ({ schema }) => schema.title ?? '' },
];

/** A type as a form that is to be filled in. */
export function formText({ name, spec }: KnownType): string {
  const head = [
    `${name}${spec.displayName === undefined ? '' : ` - ${printable(spec.displayName)}`}`,
    ...(spec.description === undefined ? [] : [printable(spec.description)]),
    `Secrets made of it are usually of type ${spec.secretType}.`,
  ];
  const fields = fieldsOf(spec.schema);
  const rules = rulesOf(spec.schema);
  const whole = `The value is ${spec.schema.type === 'object' ? 'a JSON object' : `one ${spec.schema.type}`}${rules === '' ? '' : `: ${rules}`}.\n`;
  const others = spec.schema.additionalProperties ? '' : 'Other fields are refused.\n';
  const form = fields.length === 0 ? whole : renderTable(fieldColumns, fields) + others;
  return `${head.join('\n')}\n\n${form}`;
}
