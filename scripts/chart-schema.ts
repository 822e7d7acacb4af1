import { structuralSchema } from '../src/api/structural-schema.ts';
import { clusterSecretManagerSpecSchema } from '../src/api/v1/secret-manager.ts';
import { kmsKeyForm, labelKeyForm } from '../src/config.ts';
import { logFormats, logLevels } from '../src/runtime/logging.ts';
import { type ChartGroup, type ChartValue, isGroup } from './chart-values.ts';

type Schema = Readonly<Record<string, unknown>>;

/** What JSON Schema and CRDs share. */
const keywords = new Set([
  'description',
  'type',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'required',
]);

/** The JSON Schema of the chart's values: of each as its default is, unless more is known of it here. */
export function valuesSchema(values: ChartGroup): Schema {
  const root = groupSchema(values);
  const properties = { ...propertiesOf(root), global: { type: 'object' } };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart keyferry',
    ...root,
    properties,
  };
}

const name = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
const objectName = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
/** As the operator reads them: each unit once, the largest first. */
const duration = { type: 'string', minLength: 2, pattern: '^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$' };
const prometheusDuration = { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' };
const strings = (items: Schema = {}): Schema => ({ type: 'array', items: { type: 'string', ...items } });
const upToThousand = { type: 'integer', minimum: 1, maximum: 1000 };
const howMany = { type: ['integer', 'string', 'null'] };
const texts = { type: 'object', additionalProperties: { type: 'string' } };

/** Labels of objects. Without those that the chart finds its objects by, and those that would put the rules of every role into others. */
const labels: Schema = {
  ...texts,
  patternProperties: {
    '^app\\.kubernetes\\.io/(name|instance|component|managed-by)$': false,
    '^(helm\\.sh|rbac\\.authorization\\.k8s\\.io)/': false,
  },
};
const monitorLabels = ['serviceMonitor', 'podMonitor', 'prometheusRule', 'dashboard', 'service'].map(
  (monitor) => [`metrics.${monitor}.labels`, labels] as const,
);

function onlyOf(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, properties, required };
}

/** What the default alone does not say. */
const known: Readonly<Record<string, Schema>> = {
  watchNamespaces: { ...strings({ pattern: name }), uniqueItems: true },
  trustedNamespaceLabels: strings({ maxLength: 317, pattern: labelKeyForm.source }),
  'policies.embeddedManagers': strings({ pattern: objectName }),
  'rollouts.maxConcurrent': upToThousand,
  'rollouts.minInterval': duration,
  concurrency: upToThousand,
  revealTTL: duration,
  gracePeriod: duration,
  'leaderElection.leaseDuration': duration,
  'leaderElection.renewDeadline': duration,
  'leaderElection.retryPeriod': duration,
  auditLog: { type: 'string', pattern: '^(stdout|stderr|/.+)$' },
  logLevel: { enum: logLevels },
  logFormat: { enum: logFormats },
  sealingKeys: {
    ...onlyOf({
      file: onlyOf({ secretName: { type: 'string', pattern: objectName } }, ['secretName']),
      kms: onlyOf(
        {
          keyId: { type: 'string', pattern: kmsKeyForm.source },
          endpoint: { type: 'string', pattern: '^(https?://.+)?$' },
        },
        ['keyId'],
      ),
    }),
    maxProperties: 1,
  },
  'image.repository': { type: 'string', minLength: 1 },
  'image.digest': { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
  'image.pullPolicy': { enum: ['Always', 'IfNotPresent', 'Never'] },
  // The names of Services begin with a letter.
  fullnameOverride: { type: 'string', maxLength: 40, pattern: '^([a-z]([-a-z0-9]*[a-z0-9])?)?$' },
  nameOverride: { type: 'string', maxLength: 63, pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$' },
  'serviceAccount.name': { type: 'string', pattern: objectName.replace(/^\^(.*)\$$/, '^($1)?$') },
  commonLabels: labels,
  podLabels: labels,
  ...Object.fromEntries(monitorLabels),
  podAnnotations: texts,
  deploymentAnnotations: texts,
  nodeSelector: texts,
  'serviceAccount.annotations': texts,
  'podDisruptionBudget.maxUnavailable': howMany,
  extraArgs: strings({ pattern: '^--[a-z]' }),
  'metrics.prometheusRule.disabled': strings(),
  'metrics.prometheusRule.thresholds': { type: 'object', additionalProperties: { type: 'number' } },
  'metrics.prometheusRule.for': { type: 'object', additionalProperties: prometheusDuration },
  'metrics.prometheusRule.alertLabels': texts,
};

/** Values that may have more than values.yaml shows. */
const more: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  defaultManager: managerFields(),
  podDisruptionBudget: { minAvailable: howMany },
};

function groupSchema({ path, members }: ChartGroup): Schema {
  const own = members.map((member) => {
    const key = member.path.split('.').at(-1) ?? '';
    return [key, isGroup(member) ? groupSchema(member) : valueSchema(member)];
  });
  return { type: 'object', additionalProperties: false, properties: { ...Object.fromEntries(own), ...more[path] } };
}

function valueSchema({ path, description, otherwise }: ChartValue): Schema {
  return { description, ...(known[path] ?? schemaLike(otherwise)) };
}

function schemaLike(value: unknown): Schema {
  if (Array.isArray(value)) return { type: 'array', items: { type: 'object' } };
  if (typeof value === 'number') return { type: 'integer', minimum: 0 };
  return { type: value === null ? ['string', 'number', 'boolean', 'object', 'array', 'null'] : typeof value };
}

/** The spec of the default manager, so that a slip in it is refused and not dropped. */
function managerFields(): Readonly<Record<string, Schema>> {
  return propertiesOf(withoutCluster(structuralSchema(clusterSecretManagerSpecSchema)));
}

function propertiesOf(schema: unknown): Readonly<Record<string, Schema>> {
  if (!isRecord(schema) || !isRecord(schema['properties'])) return {};
  return Object.fromEntries(
    Object.entries(schema['properties']).flatMap(([key, value]) => (isRecord(value) ? [[key, value]] : [])),
  );
}

/** Without what only the API server understands, and closed. */
function withoutCluster(schema: unknown): Schema {
  if (!isRecord(schema)) return {};
  const { properties, items, additionalProperties: others } = schema;
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => keywords.has(key)));
  if (isRecord(items)) return { ...kept, items: withoutCluster(items) };
  if (isRecord(others)) return { ...kept, additionalProperties: withoutCluster(others) };
  if (!isRecord(properties)) return kept;
  const own = Object.entries(properties).map(([key, value]) => [key, withoutCluster(value)]);
  return { ...kept, additionalProperties: false, properties: Object.fromEntries(own) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
