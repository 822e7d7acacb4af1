import type { Backend } from './backends.ts';
import { decoded, messageOf } from './scenes.ts';
import type { Terminal } from './terminal.ts';

/** Workloads that use the Secret: one that is restarted for it, and one that need not be. */
export async function showConsumers({ say, run }: Terminal): Promise<void> {
  say(
    'A Deployment and a CronJob take the password from the Secret. There is no node in this control plane, so no container runs: the demo\n' +
      'plays the kubelet. It says of each pod that it is ready, or that it crashes where its password is "bad-password". All else is real.',
  );
  await run('kubectl apply -f examples/deployment.yaml', ['deployment.apps/api created']);
  await run('kubectl rollout status deployment/api --timeout=30s', ['successfully rolled out']);
  await run(`kubectl wait sref api-db --for=jsonpath='{.status.consumers[1].name}'=api --timeout=30s`);
  const row = '{.kind}{" "}{.name}{", by "}{.uses[*]}{": "}{.state}{" "}{.message}{"\\n"}';
  await run(`kubectl get sref api-db -o jsonpath='{range .status.consumers[*]}${row}{end}'`, [
    'CronJob report, by envFrom: LeftAlone',
    'Deployment api, by env: Complete',
  ]);
}

/** What the new version did to them. */
export async function showRollout({ say, run }: Terminal, backend: Backend): Promise<void> {
  const [first = '', , third = ''] = backend.ids['shop/db.password'].map((id) => backend.shown(id));
  say(
    'The Deployment gets new pods, once, since theirs have read the old password. The CronJob reads it anew in its next Job.',
  );
  await run('kubectl wait sref api-db --for=condition=RolledOut --timeout=30s');
  await run('kubectl get sref api-db api-db-pinned api-url', [
    new RegExp(`api-db +True +Synced .*@${third} +Complete `),
    new RegExp(`api-db-pinned +True +Synced .*@${first} +NothingToRollOut `),
  ]);
  await run('kubectl get deployment,replicaset -l app=api', [
    /deployment\S+\/api +2\/2 +2 +2 /,
    /replicaset\S+ +0 +0 +0 /,
    /replicaset\S+ +2 +2 +2 /,
  ]);
  await run('kubectl events --for deployment/api', [`rolled out for shop/db.password version ${third}`]);
}

/** A version that the app can't work with: the rollout fails, and the Secret goes back. */
export async function showGuarded({ say, run }: Terminal, backend: Backend): Promise<void> {
  const [good = '', bad = ''] = backend.ids['shop/orders.password'];
  say('Another one is guarded: where its pods fail on a new version, the Secret goes back to the one before.');
  await run(backend.put('shop/orders.password', 'brown-bear', good), [good]);
  await run('kubectl apply -f examples/guarded.yaml', ['deployment.apps/orders created']);
  await run('kubectl wait sref orders-db --for=condition=Ready --timeout=30s');
  await run('kubectl rollout status deployment/orders --timeout=30s', ['successfully rolled out']);
  await run(`kubectl wait sref orders-db --for=jsonpath='{.status.consumers[0].name}'=orders --timeout=30s`);

  say('A password with which its pods crash.');
  await run(backend.put('shop/orders.password', 'bad-password', bad), [bad]);
  await run(`kubectl wait sref orders-db --for=jsonpath='{.status.versions[0].version}'=${bad} --timeout=30s`);
  const until = 'until kubectl get pods -l app=orders | grep CrashLoopBackOff; do sleep 0.2; done';
  await run(`timeout 30 sh -c '${until}'`, [/orders-\S+ +0\/1 +CrashLoopBackOff/]);
  const reverted = `--for=jsonpath='{.status.conditions[?(@.type=="RolledOut")].reason}'=Reverted`;
  await run(`kubectl wait sref orders-db ${reverted} --timeout=30s`, ['met']);
  await run(`kubectl wait sref orders-db --for=jsonpath='{.status.versions[0].version}'=${good} --timeout=30s`);
  await run('kubectl rollout status deployment/orders --timeout=30s', ['successfully rolled out']);

  say('It took it back, pods and all.');
  await run('kubectl get sref orders-db', [new RegExp(`orders-db +True +Synced .*@${backend.shown(good)} +Reverted `)]);
  await run(messageOf('orders-db', 'RolledOut'), ['CrashLoopBackOff', 'keyferry.io/retry']);
  await run(decoded('orders-db'), ['password: brown-bear']);
  await run('kubectl get pods -l app=orders', [/1\/1 +Running/]);
  await run('kubectl events --for sref/orders-db', [/Warning +Reverted/]);
}
