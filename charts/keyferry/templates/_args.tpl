{{- /* Milliseconds of a duration, as a text. */}}
{{- define "keyferry.milliseconds" -}}
{{- $sum := 0 }}
{{- range $part := regexFindAll "[0-9]+(ms|h|m|s)" . -1 }}
{{- $of := get (dict "h" 3600000 "m" 60000 "s" 1000 "ms" 1) (regexFind "[a-z]+" $part) }}
{{- $sum = add $sum (mul (regexFind "[0-9]+" $part | int64) $of) }}
{{- end }}
{{- $sum }}
{{- end }}

{{- /* Refuses what the operator would refuse, in its words: its pods would not start, and the upgrade would say that all is well. */}}
{{- define "keyferry.checkDurations" -}}
{{- $election := .Values.leaderElection }}
{{- $ms := dict }}
{{- range $name := list "leaseDuration" "renewDeadline" "retryPeriod" }}
{{- $_ := set $ms $name (include "keyferry.milliseconds" (get $election $name) | int64) }}
{{- if lt (get $ms $name) 1 }}
{{- fail (printf "leaderElection.%s must be longer than 0, not %s" $name (get $election $name)) }}
{{- end }}
{{- end }}
{{- if mod $ms.leaseDuration 1000 }}
{{- fail (printf "leaderElection.leaseDuration must be whole seconds, such as 15s, not %s" $election.leaseDuration) }}
{{- end }}
{{- if le $ms.leaseDuration $ms.renewDeadline }}
{{- fail (printf "leaderElection.leaseDuration must be longer than leaderElection.renewDeadline (%s), not %s" $election.renewDeadline $election.leaseDuration) }}
{{- end }}
{{- if le (mul $ms.renewDeadline 10) (mul $ms.retryPeriod 12) }}
{{- fail (printf "leaderElection.renewDeadline must be longer than 1.2 times leaderElection.retryPeriod (%s), not %s" $election.retryPeriod $election.renewDeadline) }}
{{- end }}
{{- $reveal := include "keyferry.milliseconds" .Values.revealTTL | int64 }}
{{- if or (lt $reveal 1000) (gt $reveal 300000) }}
{{- fail (printf "revealTTL must be from 1s to 5m, not %s" .Values.revealTTL) }}
{{- end }}
{{- $grace := include "keyferry.milliseconds" .Values.gracePeriod | int64 }}
{{- if ge $grace (mul (int64 .Values.terminationGracePeriodSeconds) 1000) }}
{{- fail (printf "terminationGracePeriodSeconds (%d) must be more than gracePeriod (%s): the operator would be killed with work in flight" (int .Values.terminationGracePeriodSeconds) .Values.gracePeriod) }}
{{- end }}
{{- end }}

{{- /* The operator's flags: one a value. */}}
{{- define "keyferry.args" -}}
{{- include "keyferry.checkDurations" . -}}
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
