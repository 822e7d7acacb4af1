{{- /*
What of our own kinds is in the cluster and is not what this release says: a list, as YAML. Helm changes it by the difference between the release
before and this one; of what a hook made or an uninstall left, which was in no release before, that is nothing. Without a cluster it is empty.
*/}}
{{- define "keyferry.changed" -}}
{{- $changed := list }}
{{- if and .Values.installHooks (.Capabilities.APIVersions.Has "keyferry.io/v1") }}
{{- $files := list "default-manager" }}
{{- range include "keyferry.typeNames" . | fromYamlArray }}{{ $files = append $files (printf "types/%s" .) }}{{ end }}
{{- range $file := $files }}
{{- $wanted := include (printf "%s/%s.yaml" $.Template.BasePath $file) $ | fromYaml }}
{{- if $wanted }}
{{- $live := lookup $wanted.apiVersion $wanted.kind "" $wanted.metadata.name }}
{{- if $live }}
{{- $hash := "keyferry.io/spec-hash" }}
{{- if ne (dig "metadata" "annotations" $hash "" $live) (get $wanted.metadata.annotations $hash) }}
{{- $changed = append $changed $wanted }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $changed }}
{{- end }}

{{- define "keyferry.changedMetadata" -}}
labels:
  {{- include "keyferry.labels" (list (first .) (dict "app.kubernetes.io/component" "set")) | nindent 2 }}
annotations:
  helm.sh/hook: post-install,post-upgrade
  helm.sh/hook-weight: {{ last . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
