import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '../integration/kube-connection.ts';
import { createEmbeddedStage, type EmbeddedRecords, type EmbeddedStage, keptVersions, openKeys } from './embedded.ts';
import { changesOf, openAll } from './embedded-truth.ts';
import type { FaultBook } from './fault-book.ts';
import type { History } from './history.ts';
import { type Controlled, startApiProxy } from './proxy/api-proxy.ts';
import type { Rig } from './rig.ts';

export interface PeopleOptions {
  readonly rig: Rig;
  /** Namespace of the operators of this run, where the sealing keys are. */
  readonly lane: string;
  readonly namespace: string;
  readonly book: FaultBook;
  readonly records: EmbeddedRecords;
  readonly dir: string;
  /** Ends the operator, where a plan says so at a request of theirs. */
  readonly kill: () => Promise<void>;
}

export interface People {
  readonly stage: EmbeddedStage;
  openKeys(): Promise<void>;
  close(): Promise<void>;
}

/** People reach the API server through a proxy of their own: their requests go wrong too, or the operator ends just then. */
export async function openPeople({ rig, lane, namespace, book, records, dir, kill }: PeopleOptions): Promise<People> {
  const process: Controlled = { kill, oversleep: () => Promise.resolve() };
  const { server, now } = rig;
  const proxy = await startApiProxy({ server, slot: 'p', id: namespace, book, process, now, record: () => undefined });
  const kubeconfig = join(dir, 'people.kubeconfig');
  const text = await readFile(rig.cluster.kubeconfig, 'utf8');
  await writeFile(kubeconfig, text.replace(rig.cluster.url, proxy.url), { mode: 0o600 });
  const person = connect(kubeconfig);
  return {
    stage: createEmbeddedStage({ rig, namespace, lane, person, records }),
    openKeys: () => openKeys({ rig, lane, records }),
    close: async () => {
      await person.transport.close();
      await proxy.close();
    },
  };
}

/** What the versions hold is opened by the keys themselves: what there was to be had is not taken from anybody's word. */
export async function withEmbedded(history: History, records: EmbeddedRecords, rig: Rig): Promise<History> {
  const { puts, refusals, keys } = records;
  const cluster = (await rig.api.get('Namespace', { name: 'kube-system' })).metadata.uid;
  const opened = await openAll(history.objects, keys, history.namespace, cluster);
  const backend = changesOf(history.objects, puts, opened);
  return { ...history, backend, embedded: { puts, refusals, opened, kept: keptVersions } };
}
