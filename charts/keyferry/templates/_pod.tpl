{{- /* Pods that run a script of the chart, in the operator's image: of the root and the names of container and script. */}}
{{- define "keyferry.scriptPod" -}}
{{- $root := index . 0 }}
{{- $values := $root.Values -}}
restartPolicy: Never
enableServiceLinks: false
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ index . 1 }}
    image: {{ include "keyferry.image" $root }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    {{- with $values.securityContext }}
    securityContext:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    command:
      - node
      - --disallow-code-generation-from-strings
      - --disable-proto=delete
      - --disable-sigusr1
      - --input-type=module
      - --eval
      - |-
        {{- $root.Files.Get (index . 2) | nindent 8 }}
{{- end }}
