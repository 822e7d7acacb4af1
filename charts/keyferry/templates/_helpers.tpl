{{- define "keyferry.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Also the name of the operator's roles: 40 characters leave room for what is put behind it. */}}
{{- define "keyferry.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "keyferry.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "keyferry.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "keyferry.serviceAccountName" -}}
{{- if .Values.serviceAccount.name }}
{{- .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}
{{- include "keyferry.fullname" . }}
{{- else }}
{{- fail "serviceAccount.name is needed where serviceAccount.create is false: the policies name the operator by it" }}
{{- end }}
{{- end }}

{{- define "keyferry.selectorLabels" -}}
app.kubernetes.io/name: {{ include "keyferry.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- /* Of the root, or of a list: the root, and labels of the object's own. Each key once, whoever gives it. */}}
{{- define "keyferry.labels" -}}
{{- $given := kindIs "slice" . | ternary . (list .) }}
{{- $root := first $given }}
{{- $labels := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/name" (include "keyferry.name" $root)
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/part-of" "keyferry"
  "app.kubernetes.io/managed-by" $root.Release.Service
}}
{{- range prepend (rest $given) $root.Values.commonLabels }}{{ $labels = mergeOverwrite $labels (default dict .) }}{{ end }}
{{- toYaml $labels }}
{{- end }}

{{- /* Deleting a CRD deletes every object of its kind and every Secret that they own. */}}
{{- define "keyferry.crdAnnotations" -}}
annotations:
{{- if .Values.crds.keep }}
  helm.sh/resource-policy: keep
{{- else }}
  keyferry.io/allow-delete: "yes"
{{- end }}
{{- end }}

{{- /*
Of objects of our own kinds: of the root and a hash of their spec, by which templates/changed.yaml sees whether the one in the cluster is another.
They stay, as references go on naming them. Helm can't install them together with their CRDs, so the first time they are hooks, which carry what
makes the next upgrade take them over.
*/}}
{{- define "keyferry.instanceAnnotations" -}}
{{- $root := first . -}}
annotations:
  helm.sh/resource-policy: keep
  keyferry.io/spec-hash: {{ last . | quote }}
{{- if and $root.Values.installHooks (not ($root.Capabilities.APIVersions.Has "keyferry.io/v1")) }}
  helm.sh/hook: post-install
  meta.helm.sh/release-name: {{ $root.Release.Name | quote }}
  meta.helm.sh/release-namespace: {{ $root.Release.Namespace | quote }}
{{- end }}
{{- end }}

{{- /* Not empty where the built-in SecretTypes are installed. */}}
{{- define "keyferry.types" -}}
{{- if and .Values.types.install .Values.embedded.enabled }}yes{{ end }}
{{- end }}

{{- /* The spec of the ClusterSecretManager called default. */}}
{{- define "keyferry.defaultManagerSpec" -}}
{{- $spec := omit .Values.defaultManager "create" "useForEditors" }}
{{- $backends := list }}
{{- range list "embedded" "aws" }}
{{- if hasKey $spec . }}{{ $backends = append $backends . }}{{ end }}
{{- end }}
{{- if gt (len $backends) 1 }}
{{- fail (printf "defaultManager has %s: give one of them" (join " and " $backends)) }}
{{- end }}
{{- if not $backends }}
{{- $spec = merge (dict "embedded" dict) $spec }}
{{- end }}
{{- $shared := or (not (hasKey $spec "embedded")) (hasKey (default dict $spec.embedded) "namespace") }}
{{- if and $shared (not $spec.access) }}
{{- fail "defaultManager.access is needed: it says which namespace may read which secrets, for example [{namespaces: {names: [\"*\"]}, secrets: [\"{namespace}/**\"]}]" }}
{{- end }}
{{- if and (hasKey $spec "embedded") (not .Values.embedded.enabled) }}
{{- fail "defaultManager keeps secrets in the cluster, which embedded.enabled=false turns off: give defaultManager.aws, or defaultManager.create=false" }}
{{- end }}
{{- toYaml $spec }}
{{- end }}

{{- /* CEL: the cluster managers that keep secrets in the namespace of who asks, each in quotes. */}}
{{- define "keyferry.embeddedManagers" -}}
{{- $names := .Values.policies.embeddedManagers }}
{{- if .Values.defaultManager.create }}
{{- $spec := include "keyferry.defaultManagerSpec" . | fromYaml }}
{{- if and (hasKey $spec "embedded") (not (hasKey (default dict $spec.embedded) "namespace")) }}
{{- $names = append $names "default" }}
{{- end }}
{{- end }}
{{- $quoted := list }}
{{- range $names | uniq | sortAlpha }}{{ $quoted = append $quoted (printf "'ClusterSecretManager/%s'" .) }}{{ end }}
{{- join ", " $quoted }}
{{- end }}

{{- define "keyferry.image" -}}
{{- $image := printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- with .Values.image.digest }}{{ $image = printf "%s@%s" $image . }}{{ end }}
{{- $image }}
{{- end }}
