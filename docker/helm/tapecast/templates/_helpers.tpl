{{- define "tapecast.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "tapecast.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Labels that select the pods of a role: (dict "root" $ "role" "feed") */}}
{{- define "tapecast.selector" -}}
app.kubernetes.io/name: tapecast
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "tapecast.labels" -}}
{{ include "tapecast.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "tapecast.keysSecret" -}}
{{- if .Values.keys.existingSecret -}}
{{ .Values.keys.existingSecret }}
{{- else if .Values.keys.lines -}}
{{ include "tapecast.name" . }}-keys
{{- end -}}
{{- end }}

{{/* The configuration file of a role. A value of JSON is one of TOML, too. */}}
{{- define "tapecast.toml" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $options := dict
  "listen" "0.0.0.0:8080"
  "admin_listen" "0.0.0.0:9190"
  "role" .role
  "drain_seconds" $values.drainSeconds -}}
{{- if not $values.nats.urlSecret.name }}{{ $_ := set $options "nats" (splitList "," $values.nats.url) }}{{ end -}}
{{- if $values.nats.credsSecret.name }}{{ $_ := set $options "nats_creds" "/etc/tapecast/nats/creds" }}{{ end -}}
{{- if $values.nats.caSecret.name }}{{ $_ := set $options "nats_ca" "/etc/tapecast/nats/ca.pem" }}{{ end -}}
{{- if include "tapecast.keysSecret" $root }}{{ $_ := set $options "keys" "/etc/tapecast/keys/keys.jsonl" }}{{ end -}}
{{- if $values.adminTokenSecret.name }}{{ $_ := set $options "admin_token_file" "/etc/tapecast/admin/token" }}{{ end -}}
{{- if and (eq .role "feed") $values.feed.journal.enabled }}{{ $_ := set $options "journal" "/var/lib/tapecast/journal" }}{{ end -}}
{{- $options = mergeOverwrite $options (deepCopy $values.config) (deepCopy (get $values .role).config) -}}
{{- range $name, $value := $options -}}
{{ $name }} = {{ $value | toJson }}
{{ end -}}
{{- end }}

{{/* The pod of a role. */}}
{{- define "tapecast.pod" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $node := get $values .role -}}
{{- $name := include "tapecast.name" $root -}}
metadata:
  labels:
    {{- include "tapecast.labels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A change of the configuration or of the keys restarts the pods one by one.
    checksum/config: {{ include "tapecast.toml" . | sha256sum }}
    checksum/keys: {{ $values.keys.lines | sha256sum }}
    {{- if $values.metrics.annotations }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "9190"
    prometheus.io/path: /metrics
    {{- end }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  # The server drains after the pause of preStop, and then ends its journal.
  terminationGracePeriodSeconds: {{ add $values.drainSeconds 5 20 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: tapecast
      image: {{ include "tapecast.image" $root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [--config, /etc/tapecast/config/tapecast.toml]
      {{- with $values.nats.urlSecret }}
      {{- if .name }}
      env:
        - name: TAPECAST_NATS
          valueFrom:
            secretKeyRef: { name: {{ .name | quote }}, key: {{ .key | quote }} }
      {{- end }}
      {{- end }}
      ports:
        - { name: http, containerPort: 8080 }
        - { name: admin, containerPort: 9190 }
      # The feed's journal is read, and NATS joined, before a node is ready.
      startupProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      lifecycle:
        # Meanwhile load balancers learn that the pod goes.
        preStop:
          sleep: { seconds: 5 }
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      resources:
        {{- toYaml $node.resources | nindent 8 }}
      volumeMounts:
        - { name: config, mountPath: /etc/tapecast/config, readOnly: true }
        {{- if include "tapecast.keysSecret" $root }}
        - { name: keys, mountPath: /etc/tapecast/keys, readOnly: true }
        {{- end }}
        {{- if $values.adminTokenSecret.name }}
        - { name: admin, mountPath: /etc/tapecast/admin, readOnly: true }
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- if or $values.nats.credsSecret.name $values.nats.caSecret.name }}
        - { name: nats, mountPath: /etc/tapecast/nats, readOnly: true }
        {{- end }}
        {{- if and (eq .role "feed") $values.feed.journal.enabled }}
        - { name: journal, mountPath: /var/lib/tapecast }
        {{- end }}
  volumes:
    - name: config
      configMap: { name: {{ $name }}-{{ .role }} }
    {{- with include "tapecast.keysSecret" $root }}
    - name: keys
      secret:
        secretName: {{ . }}
        defaultMode: 0440
        items: [{ key: {{ $values.keys.key | quote }}, path: keys.jsonl }]
    {{- end }}
    {{- with $values.adminTokenSecret }}
    {{- if .name }}
    - name: admin
      secret: { secretName: {{ .name | quote }}, defaultMode: 0440, items: [{ key: {{ .key | quote }}, path: token }] }
    {{- end }}
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if or $values.nats.credsSecret.name $values.nats.caSecret.name }}
    - name: nats
      projected:
        defaultMode: 0440
        sources:
          {{- with $values.nats.credsSecret }}
          {{- if .name }}
          - secret: { name: {{ .name | quote }}, items: [{ key: {{ .key | quote }}, path: creds }] }
          {{- end }}
          {{- end }}
          {{- with $values.nats.caSecret }}
          {{- if .name }}
          - secret: { name: {{ .name | quote }}, items: [{ key: {{ .key | quote }}, path: ca.pem }] }
          {{- end }}
          {{- end }}
    {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "tapecast.selector" . | nindent 10 }}
  {{- with $node.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $node.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $node.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
