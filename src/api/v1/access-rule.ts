import { z } from 'zod';
import { celString, checks, line, list, map, type Rule, text } from './parts.ts';

const namespacePattern = text({
  description: 'Name of a namespace, where * stands for any characters: shop, team-*, or * for every namespace.',
  maxLength: 63,
  rules: [
    {
      rule: `self.matches(${celString('^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$')})`,
      message:
        'must be the name of a namespace, in which * stands for any characters: shop, team-* or "*" for every namespace',
    },
  ],
});

const labelValue = (): z.ZodString => text({ description: 'Value of the label.', maxLength: 63, minLength: 0 });

const expressionSchema = z
  .object({
    key: text({ description: "The label's key.", maxLength: 317 }),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe("How the label's value is compared with values."),
    values: list(labelValue(), { description: 'For In and NotIn only.', maxItems: 50 }).optional(),
  })
  .meta({
    description: 'A requirement that the labels of the namespace must meet.',
    ...checks({
      rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
      message:
        'In and NotIn need values, Exists and DoesNotExist have none: {key: env, operator: In, values: [prod]} or {key: env, operator: Exists}',
    }),
  });

const selectorSchema = z
  .object({
    matchLabels: map(labelValue(), {
      description: 'Labels that the namespace must have.',
      maxProperties: 20,
    }).optional(),
    matchExpressions: list(expressionSchema, {
      description: 'Requirements that the labels must meet, all of them.',
      maxItems: 20,
    }).optional(),
  })
  .meta({
    description:
      'Namespaces by label. Only kubernetes.io/metadata.name and the labels that the operator was told to trust: tenants label their own namespaces.',
    ...checks({
      rule: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
      message:
        'an empty selector grants nothing: selector: {matchLabels: {env: prod}}, or names: ["*"] for every namespace',
    }),
  });

const namespacesSchema = z
  .object({
    names: list(namespacePattern, {
      description: 'Names of namespaces, for example [shop, "team-*"]. ["*"] is every namespace.',
      maxItems: 100,
      rules: [
        {
          rule: 'size(self) > 0',
          message: 'an empty list grants nothing: names: [shop], or names: ["*"] for every namespace',
        },
      ],
    }).optional(),
    selector: selectorSchema.optional(),
  })
  .meta({
    description: 'The namespaces that may read. Where names and selector are both given, both must match.',
    ...checks({
      rule: 'has(self.names) || has(self.selector)',
      message:
        'say which namespaces: {names: [shop]}, {selector: {matchLabels: {env: prod}}}, or {names: ["*"]} for every namespace',
    }),
  });

const patternRules: readonly Rule[] = [
  {
    rule: `self.matches(${celString('^([^/{}]*|\\{namespace\\})(/([^/{}]*|\\{namespace\\}))*$')})`,
    message:
      '{namespace} must be a whole segment between slashes, and nothing else may stand in braces: "{namespace}/*", not "{namespace}-*"',
  },
  {
    rule: `!self.matches(${celString('(^|/)\\.{1,2}(/|$)')}) && !self.contains('//') && !self.endsWith('/')`,
    message: 'segments between slashes must not be empty, "." or "..": "shop/*", or "shop/**" for everything below',
  },
  {
    rule: `!self.matches(${celString('\\*\\*[^/]')}) && !self.matches(${celString('[^/]\\*\\*.*/')})`,
    message:
      '** must be a whole segment, or stand at the very end: "shop/**", "**/password" or "app-**"; * stays within a segment',
  },
];

/** Which namespaces may read which secrets. */
export const accessRuleSchema = z
  .object({
    namespaces: namespacesSchema,
    secrets: list(
      line(
        "Name of a secret. * stands for any characters between slashes, ** for slashes too, {namespace} for the reference's own namespace.",
        512,
        ...patternRules,
      ),
      {
        description: 'The secrets that they may read, for example ["shop/*", "{namespace}/**"].',
        maxItems: 50,
        rules: [{ rule: 'size(self) > 0', message: 'an empty list grants nothing: secrets: ["shop/*"]' }],
      },
    ),
  })
  .describe('One grant: these namespaces may read these secrets.');
