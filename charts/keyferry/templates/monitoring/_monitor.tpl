{{- /* Namespace, labels and annotations of an object that others select by labels of theirs: of the root and its own values. */}}
{{- define "keyferry.monitorMetadata" -}}
{{- $root := index . 0 }}
{{- $values := index . 1 -}}
namespace: {{ default $root.Release.Namespace $values.namespace | quote }}
labels:
  {{- include "keyferry.labels" (list $root (dict "app.kubernetes.io/component" "metrics") $values.labels) | nindent 2 }}
{{- with $values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "keyferry.monitorEndpoint" -}}
port: http
path: /metrics
interval: {{ .interval }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
