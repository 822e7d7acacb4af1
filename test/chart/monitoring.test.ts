import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { anchorsOf, codeIn, readPage, tableUnder } from '../docs/pages.ts';
import { readQuery } from './promql.ts';
import { madeMetrics } from './registry.ts';

const chart = join(import.meta.dirname, '..', '..', 'charts', 'keyferry');
const docs = 'https://github.com/keyferry/keyferry/blob/main/docs/';

/** What Prometheus reads of a file of rules: it takes no other field. */
const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Keyferry[A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[smh]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
          annotations: z.strictObject({
            summary: z.string().max(120),
            description: z.string().min(80).max(400),
            runbook_url: z.string().startsWith(docs),
          }),
        }),
      ),
    }),
  ),
});

const targetSchema = z.looseObject({ refId: z.string(), expr: z.string(), datasource: z.object({ uid: z.string() }) });
const panelSchema = z.looseObject({
  id: z.int(),
  type: z.enum(['row', 'stat', 'timeseries', 'table']),
  title: z.string().min(1),
  description: z.string().min(1).optional(),
  gridPos: z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  datasource: z.object({ uid: z.string() }).optional(),
  targets: z.array(targetSchema).default([]),
  fieldConfig: z.object({ defaults: z.looseObject({ unit: z.string().min(1) }) }).optional(),
});
const dashboardSchema = z.looseObject({
  uid: z.string(),
  title: z.literal('Keyferry'),
  schemaVersion: z.int().min(39),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string(), definition: z.string().default('') })) }),
  panels: z.array(panelSchema),
});

const alerts = rulesSchema.parse(parse(read('alerts.yaml'))).groups.flatMap(({ rules }) => rules);
const dashboard = dashboardSchema.parse(JSON.parse(read('dashboard.json')));
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const operations = readPage('docs/operations.md');

/** A test that asks a real operator holds this table to what it tells. */
const listed = new Set(tableUnder(operations, 'Metrics').flatMap(([names = '']) => codeIn(names)));
const labels = madeMetrics();
/** Labels that Prometheus gives a series by itself. */
const ofTarget = ['job', 'instance', 'namespace', 'pod', 'cluster'];

interface Named {
  readonly name: string;
  readonly expr: string;
}

const expressions: readonly Named[] = [
  ...alerts.map(({ alert, expr }) => ({ name: `alert ${alert}`, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: `panel ${title}`, expr }))),
  ...dashboard.templating.list.flatMap(({ name, definition }) => {
    const [, expr = ''] = /^label_values\((.*), \w+\)$/.exec(definition) ?? [];
    return expr === '' ? [] : [{ name: `variable ${name}`, expr }];
  }),
];

describe.each(expressions)('the expression of $name', ({ expr }) => {
  const query = readQuery(expr.replaceAll('$__rate_interval', '5m'));

  it('asks only for metrics that the operator tells', () => {
    const unknown = query.selected.map(({ metric }) => baseOf(metric)).filter((metric) => !listed.has(metric));
    expect(query.selected.length).toBeGreaterThan(0);
    expect(unknown).toEqual([]);
  });

  it('chooses and groups by labels that these metrics have', () => {
    const metrics = query.selected.map(({ metric }) => baseOf(metric)).filter((metric) => labels.has(metric));
    const known = new Set([...metrics.flatMap((metric) => labels.get(metric) ?? []), ...ofTarget, 'le']);
    for (const { metric, labels: chosen } of query.selected) {
      const own = labels.get(baseOf(metric)) ?? ['result'];
      expect(chosen.filter((label) => !own.includes(label) && !ofTarget.includes(label))).toEqual([]);
    }
    // Of a few metrics it is not known here which labels they have.
    const strange = query.grouping.filter((label) => !known.has(label));
    expect(metrics.length === query.selected.length ? strange : []).toEqual([]);
  });

  it('takes metrics whose names other programs have too of Keyferry alone', () => {
    const shared = query.selected.filter(({ metric }) =>
      /^(workqueue|controller_runtime|rest_client|process)_/.test(metric),
    );
    const ours = query.selected.some(({ metric }) => /^(keyferry_|leader_election_)/.test(metric));
    expect(shared.length === 0 || ours).toBe(true);
  });
});

describe('the alerts', () => {
  it('have names of their own', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });

  it.each(alerts)('$alert leads to a place in the docs that there is', ({ annotations }) => {
    const [file = '', anchor = ''] = annotations.runbook_url.slice(docs.length).split('#');
    expect(anchorsOf(readPage(`docs/${file}`))).toContain(anchor);
  });

  it.each(alerts)('$alert names only labels that its result has', ({ annotations, expr }) => {
    const named = Array.from(annotations.summary.matchAll(/\$labels\.(\w+)/g), ([, label]) => label);
    const [, grouped = 'instance'] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
    expect(named.filter((label) => !grouped.split(', ').includes(label ?? ''))).toEqual([]);
  });

  it('end with the number that the chart can change, but for the one without', () => {
    const without = alerts.filter(({ expr }) => !/ [<>] [\d.]+$/.test(expr)).map(({ alert }) => alert);
    expect(without).toEqual(['KeyferryDown']);
  });

  it('stand in the table of the page on operations, each with how bad it is', () => {
    const rows = tableUnder(operations, 'Alerts').map(([name = '', severity = '']) => [codeIn(name)[0], severity]);
    expect(rows).toEqual(alerts.map(({ alert, labels: { severity } }) => [alert, severity]));
  });
});

describe('the dashboard', () => {
  it('has the five rows', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Overview', 'Managers', 'Rollouts', 'Secrets in the cluster', 'Operator']);
  });

  it('lets its data source and the namespace be chosen', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace']);
  });

  it('has ids of panels that differ', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  it.each(panels)('$title has queries of the chosen source, a unit, and words that say what it shows', (panel) => {
    const sources = [panel.datasource, ...panel.targets.map(({ datasource }) => datasource)].map((each) => each?.uid);
    expect(new Set(sources)).toEqual(new Set(['${datasource}']));
    expect(new Set(panel.targets.map(({ refId }) => refId)).size).toBe(panel.targets.length);
    expect(panel.targets.length).toBeGreaterThan(0);
    expect(panel.fieldConfig?.defaults.unit).toBeDefined();
    expect(panel.description).toBeDefined();
    for (const { expr } of panel.targets) expect(expr).toContain('namespace=~"$namespace"');
  });

  it('has panels that lie within its width, and none upon another', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (const cell of cellsOf(gridPos)) {
        expect(taken.get(cell) ?? title).toBe(title);
        taken.set(cell, title);
      }
    }
  });
});

function read(file: string): string {
  return readFileSync(join(chart, 'files', file), 'utf8');
}

/** The metric that a series of a histogram belongs to. */
function baseOf(metric: string): string {
  return listed.has(metric) ? metric : metric.replace(/_(bucket|sum|count)$/, '');
}

function cellsOf({ x, y, w, h }: z.infer<typeof panelSchema>['gridPos']): readonly string[] {
  return Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`);
}
