{{- /* The operator's flags: one a value. */}}
{{- define "keyferry.args" -}}
- --http-address=:8080
{{- with .Values.watchNamespaces }}
- {{ printf "--watch-namespaces=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.trustedNamespaceLabels }}
- {{ printf "--trusted-namespace-labels=%s" (join "," .) | quote }}
{{- end }}
- --rollouts={{ .Values.rollouts.enabled }}
- --max-concurrent-rollouts={{ int .Values.rollouts.maxConcurrent }}
- --rollout-min-interval={{ .Values.rollouts.minInterval }}
- --delete-stuck-pods={{ .Values.rollouts.deleteStuckPods }}
- --embedded={{ .Values.embedded.enabled }}
- --concurrency={{ int .Values.concurrency }}
- --leader-election={{ .Values.leaderElection.enabled }}
- --lease-duration={{ .Values.leaderElection.leaseDuration }}
- --renew-deadline={{ .Values.leaderElection.renewDeadline }}
- --retry-period={{ .Values.leaderElection.retryPeriod }}
- --grace-period={{ .Values.gracePeriod }}
{{- $grace := .Values.gracePeriod }}
{{- $seconds := mul (regexFind "^[0-9]+" $grace | int) (ternary 60 1 (regexMatch "^[0-9]+m$" $grace)) }}
{{- if and (regexMatch "^[0-9]+(s|m)$" $grace) (ge (int $seconds) (int .Values.terminationGracePeriodSeconds)) }}
{{- fail (printf "terminationGracePeriodSeconds (%d) must be more than gracePeriod (%s): the operator would be killed with work in flight" (int .Values.terminationGracePeriodSeconds) $grace) }}
{{- end }}
- --log-level={{ .Values.logLevel }}
- --log-format={{ .Values.logFormat }}
- {{ printf "--audit-log=%s" .Values.auditLog | quote }}
- --reveal-ttl={{ .Values.revealTTL }}
{{- if and .Values.sealingKeys.file .Values.sealingKeys.kms }}
{{- fail "sealingKeys has file and kms: give one of them" }}
{{- end }}
{{- if .Values.sealingKeys.file }}
- --sealing-keys-file=/etc/keyferry/sealing-keys
{{- end }}
{{- with .Values.sealingKeys.kms }}
- {{ printf "--sealing-keys-kms-key-id=%s" .keyId | quote }}
{{- with .endpoint }}
- {{ printf "--sealing-keys-kms-endpoint=%s" . | quote }}
{{- end }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
