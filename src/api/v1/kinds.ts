import type { Kind, PrinterColumn } from '../crd.ts';
import { clusterSecretManagers, secretManagers, secretReferences } from './resources.ts';
import { clusterSecretManagerSpecSchema, managerStatusSchema, secretManagerSpecSchema } from './secret-manager.ts';
import { secretReferenceRules, secretReferenceSpecSchema, secretReferenceStatusSchema } from './secret-reference.ts';

function conditionColumn(name: string, type: string, field: 'status' | 'reason'): PrinterColumn {
  return { name, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].${field}` };
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export const secretReference: Kind = {
  resource: secretReferences,
  shortName: 'sref',
  description:
    'Keeps a Secret of its namespace equal to what secret managers hold: the latest version of each secret, or the one that is named.',
  spec: secretReferenceSpecSchema,
  status: secretReferenceStatusSchema,
  rules: secretReferenceRules,
  columns: [
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Reason', 'Ready', 'reason'),
    conditionColumn('Stale', 'Stale', 'status'),
    { name: 'Versions', type: 'string', jsonPath: '.status.summary' },
    conditionColumn('Rollout', 'RolledOut', 'reason'),
    age,
    { name: 'Manager', type: 'string', jsonPath: '.spec.managerRef.name', priority: 1 },
    { name: 'Target', type: 'string', jsonPath: '.status.target.name', priority: 1 },
    { name: 'Changed', type: 'date', jsonPath: '.status.lastChangeTime', priority: 1 },
  ],
};

const managerColumns: readonly PrinterColumn[] = [
  { name: 'Backend', type: 'string', jsonPath: '.status.backend' },
  conditionColumn('Ready', 'Ready', 'status'),
  conditionColumn('Reason', 'Ready', 'reason'),
  { name: 'Secrets', type: 'integer', jsonPath: '.status.secretsInUse' },
  { name: 'References', type: 'integer', jsonPath: '.status.referencesInUse' },
  age,
];

export const secretManager: Kind = {
  resource: secretManagers,
  shortName: 'smgr',
  description:
    'A place that keeps versioned secrets, for the references of its namespace, with credentials of its own.',
  spec: secretManagerSpecSchema,
  status: managerStatusSchema,
  columns: managerColumns,
};

export const clusterSecretManager: Kind = {
  resource: clusterSecretManagers,
  shortName: 'csmgr',
  description:
    'A place that keeps versioned secrets, for the references of every namespace that its access rules name.',
  spec: clusterSecretManagerSpecSchema,
  status: managerStatusSchema,
  columns: managerColumns,
};

/** Every kind of the API. */
export const kinds: readonly Kind[] = [secretReference, secretManager, clusterSecretManager];
