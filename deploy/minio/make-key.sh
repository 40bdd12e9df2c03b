#!/bin/sh
# Make the bucket and the workers' key: one user, one policy. Repeating it changes nothing.
set -eu
mc alias set local http://minio:9000 "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD"
mc mb --ignore-existing local/jamdub
mc admin user add local "$JAMDUB_S3_ACCESS_KEY" "$JAMDUB_S3_SECRET_KEY"
mc admin policy create local jamdub-worker /deploy/worker-policy.json
mc admin policy attach local jamdub-worker --user "$JAMDUB_S3_ACCESS_KEY" \
    || mc admin user info local "$JAMDUB_S3_ACCESS_KEY" | grep -q jamdub-worker  # attached before
