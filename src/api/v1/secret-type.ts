import { z } from 'zod';
import { checks, line, list, map, text } from './parts.ts';
import { secretTypes } from './secret-reference.ts';

const scalar = (): z.ZodString => text({ description: 'A value that is allowed.', maxLength: 256, minLength: 0 });

/** What every level of the dialect may say. */
const limits = {
  title: line('What it is, for the prompt of keyferry put.', 80).optional(),
  enum: list(scalar(), { description: 'The only values that are allowed, as text.', maxItems: 50 }).optional(),
  minLength: z.int().meta({ minimum: 0 }).optional().describe('Of a string: the least number of characters.'),
  maxLength: z.int().meta({ minimum: 0 }).optional().describe('Of a string: the greatest number of characters.'),
  pattern: text({
    description: 'Of a string: an RE2 expression that must match somewhere in it. Anchor it by ^ and $.',
    maxLength: 256,
  }).optional(),
  minimum: z.number().optional().describe('Of a number: the least.'),
  maximum: z.number().optional().describe('Of a number: the greatest.'),
};

const fields = {
  required: list(text({ description: 'A property.', maxLength: 128 }), {
    description: 'Of an object: properties that must be there.',
    maxItems: 50,
  }).optional(),
  additionalProperties: z
    .boolean()
    .default(true)
    .describe('Of an object: whether it may have properties that are not named.'),
};

const leafSchema = z
  .object({ type: z.enum(['string', 'number', 'boolean']).describe('What it is.'), ...limits })
  .describe('What a part must look like.');

const branch = <T extends z.ZodType>(below: T) =>
  z
    .object({
      type: z.enum(['object', 'string', 'number', 'boolean']).describe('What it is.'),
      ...limits,
      ...fields,
      properties: map(below, { description: 'Of an object: its properties.', maxProperties: 50 }).optional(),
    })
    .describe('What a value, or a part of it, must look like.');

/** A small dialect of JSON Schema, three objects deep. A `string` at the top is the value as text; an `object` is JSON. */
export const valueSchemaSchema = branch(branch(branch(leafSchema)));

export const secretTypeSpecSchema = z
  .object({
    displayName: line('Its name for people.', 128).optional(),
    description: line('What it is for.', 1024).optional(),
    secretType: z
      .enum(secretTypes)
      .default('Opaque')
      .describe('The type that a Secret made from such a value usually has.'),
    schema: valueSchemaSchema,
  })
  .meta({
    description: 'What the values of a secret must look like.',
    ...checks({
      rule: 'self == oldSelf',
      message: 'a SecretType cannot change: create another one, for example database-v2, and set it on the secrets',
    }),
  });

export const secretTypeStatusSchema = z.object({}).describe('Nothing yet.');

export type ValueSchema = z.infer<typeof valueSchemaSchema>;
export type SecretTypeSpec = z.infer<typeof secretTypeSpecSchema>;
